import { useEffect, useState } from "react";

import type { SyncStatus } from "../api/client";
import { useCalls, useCallsByErrorCode, useNewestCalls, useRetryCalls, useSummary } from "../api/queries";
import { noteCodes } from "../generated";
import { texts } from "../texts";
import { useAdminLock } from "../ui/adminsOnly";
import base from "../ui/base.module.css";
import { Button, ErrorNotice, Notice, Select, Skeleton } from "../ui/components";
import { CallItem } from "./CallItem";
import css from "./calls.module.css";
import { Summary } from "./Summary";

/** Statuses of calls that are not logged, other than those waiting for a connection or in the queue. */
const UNLOGGED: SyncStatus[] = ["error", "retrying", "not_found", "skipped"];

/** How long to hold back the list until the sections above it have loaded. */
const MAX_WAIT_MS = 3000;

type Filter = SyncStatus | "all";

/** Summary, reasons why calls were not logged, and the list of calls. */
export function CallsPanel({
  instanceUrl,
  onSetUpVapi,
}: {
  instanceUrl: string | null;
  onSetUpVapi: () => void;
}) {
  const [filter, setFilter] = useState<Filter>("all");
  const calls = useCalls(filter === "all" ? undefined : filter);
  const items = calls.data?.pages.flatMap((page) => page.items) ?? [];
  const { reasons, isPending } = useReasons();
  const isReady = useLatch(!isPending, MAX_WAIT_MS);
  // Render everything at once: a section that loads late would push the rest down.
  if (!isReady) return <Skeleton height="3.5rem" count={6} />;
  return (
    <div className={base.stack}>
      <Summary />
      <Reasons reasons={reasons} />
      <div className={css.listHeader}>
        <h3>{texts.calls.title}</h3>
        <Select<Filter>
          label={texts.calls.filter}
          value={filter}
          options={{ all: texts.calls.all, ...texts.status }}
          onChange={setFilter}
        />
      </div>
      {calls.isPending ? (
        <Skeleton height="3.5rem" count={4} />
      ) : calls.error && items.length === 0 ? (
        <ErrorNotice error={calls.error} onRetry={() => void calls.refetch()} />
      ) : items.length === 0 ? (
        <Empty isFiltered={filter !== "all"} onSetUpVapi={onSetUpVapi} />
      ) : (
        <ul className={css.list} aria-label={texts.calls.title}>
          {items.map((call) => (
            <CallItem key={call.callId} call={call} instanceUrl={instanceUrl} />
          ))}
        </ul>
      )}
      {calls.isFetchNextPageError && <ErrorNotice error={calls.error} />}
      {calls.hasNextPage && (
        <div>
          <Button inactive={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
            {calls.isFetchingNextPage ? texts.calls.loadingMore : texts.calls.more}
          </Button>
        </div>
      )}
    </div>
  );
}

/** True once `condition` has been true, or after the timeout. */
function useLatch(condition: boolean, timeoutMs: number): boolean {
  const [isLatched, setLatched] = useState(condition);
  if (condition && !isLatched) setLatched(true);
  useEffect(() => {
    const timer = setTimeout(() => {
      setLatched(true);
    }, timeoutMs);
    return () => {
      clearTimeout(timer);
    };
  }, [timeoutMs]);
  return isLatched;
}

function Empty({ isFiltered, onSetUpVapi }: { isFiltered: boolean; onSetUpVapi: () => void }) {
  if (isFiltered) return <p className={base.muted}>{texts.calls.emptyFilter}</p>;
  return (
    <Notice tone="plain">
      <strong>{texts.calls.empty}</strong>
      <span>{texts.calls.emptyHint}</span>
      <span>
        <Button small onClick={onSetUpVapi}>
          {texts.calls.setUpVapi}
        </Button>
      </span>
    </Notice>
  );
}

interface Reason {
  code: string;
  count: number;
  message: string;
}

/** Why calls were not logged: all failed calls, and the last day's other ones. */
function useReasons(): { reasons: Reason[]; isPending: boolean } {
  const summary = useSummary();
  const { statuses, errorCodes = {} } = summary.data ?? {};
  // Failed calls need someone to act, however old they are.
  const newestPages = useNewestCalls(UNLOGGED.filter((status) => status === "error" || statuses?.[status]));
  // The messages come from the calls themselves. Failed calls always count, others only with a code of the last day.
  const newest = (newestPages.data?.calls ?? []).filter(
    ({ status, errorCode }) => status === "error" || errorCodes[errorCode ?? ""],
  );
  const rest = newestPages.data?.rest ?? [];
  const missing = Object.keys(errorCodes)
    .filter(
      (code) =>
        rest.length > 0 && !noteCodes.includes(code) && !newest.some(({ errorCode }) => errorCode === code),
    )
    .sort();
  const older = useCallsByErrorCode(missing, rest);
  const calls = [...newest, ...(older.data?.calls ?? [])];
  // For a code whose calls are too far down the list, or could not be read, fall back to the card's own text.
  const codes = new Set([
    ...calls.flatMap(({ errorCode }) => errorCode ?? []),
    ...(older.data?.isComplete ? [] : missing),
  ]);
  const reasons = [...codes].map((code) => {
    const withCode = calls.filter(({ errorCode }) => errorCode === code);
    const message = withCode[0]?.errorMessage ?? texts.reasons.known(code);
    return { code, count: Math.max(errorCodes[code] ?? 0, withCode.length), message };
  });
  return {
    reasons,
    isPending: summary.isPending || newestPages.isPending || newestPages.isPlaceholderData || older.isLoading,
  };
}

/** The reasons, each with a button that retries all its calls. */
function Reasons({ reasons }: { reasons: Reason[] }) {
  const { isLocked, describedBy } = useAdminLock();
  const retry = useRetryCalls();
  if (reasons.length === 0 && !retry.data && !retry.error) return null;
  return (
    <section className={base.stack} aria-label={texts.reasons.title}>
      {reasons.length > 0 && (
        <>
          <h3>{texts.reasons.title}</h3>
          <ul className={css.reasons}>
            {reasons.map(({ code, count, message }) => (
              <li key={code}>
                <span>
                  {message} <span className={css.count}>({texts.reasons.count(count)})</span>
                </span>
                <Button
                  small
                  aria-label={texts.reasons.retryAllOf(code)}
                  inactive={isLocked || retry.isPending}
                  aria-describedby={describedBy}
                  onClick={() => {
                    retry.mutate(code);
                  }}
                >
                  {texts.reasons.retryAll}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      {retry.data && (
        <Notice tone="good" live>
          {texts.reasons.queued(retry.data.queued)}
        </Notice>
      )}
      {retry.error && <ErrorNotice error={retry.error} />}
    </section>
  );
}

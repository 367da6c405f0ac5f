import { useState } from "react";

import type { SyncStatus } from "../api/client";
import { useSurroundings } from "../api/context";
import { useCalls, useCallsOf, useRetryCalls, useSummary } from "../api/queries";
import { texts } from "../texts";
import card from "../ui/card.module.css";
import { Button, Notice, Problem, Select, Skeleton } from "../ui/parts";
import { CallItem } from "./CallItem";
import css from "./calls.module.css";
import { Summary } from "./Summary";

/** Statuses that wait for somebody, or for something to pass. */
const KEPT_BACK: SyncStatus[] = ["error", "retrying", "not_found", "skipped"];

type Filter = SyncStatus | "all";

/** What became of the calls: counts, what keeps them from being logged, and the list. */
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
  return (
    <div className={card.stack}>
      <Summary />
      <Reasons />
      <div className={css.head}>
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
        <Problem error={calls.error} onRetry={() => void calls.refetch()} />
      ) : items.length === 0 ? (
        <Empty isFiltered={filter !== "all"} onSetUpVapi={onSetUpVapi} />
      ) : (
        <ul className={css.list} aria-label={texts.calls.title}>
          {items.map((call) => (
            <CallItem key={call.callId} call={call} instanceUrl={instanceUrl} />
          ))}
        </ul>
      )}
      {calls.isFetchNextPageError && <Problem error={calls.error} />}
      {calls.hasNextPage && (
        <div>
          <Button disabled={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
            {calls.isFetchingNextPage ? texts.calls.loadingMore : texts.calls.more}
          </Button>
        </div>
      )}
    </div>
  );
}

function Empty({ isFiltered, onSetUpVapi }: { isFiltered: boolean; onSetUpVapi: () => void }) {
  if (isFiltered) return <p className={card.muted}>{texts.calls.emptyFilter}</p>;
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

/** Why calls are kept back, and a button that tries all of one reason again: all failed ones, and others of the last day. */
function Reasons() {
  const { isAdmin } = useSurroundings();
  const { statuses, errorCodes = {} } = useSummary().data ?? {};
  // What has failed stays so until somebody does something, however long ago it was.
  const keptBack = useCallsOf(KEPT_BACK.filter((status) => status === "error" || statuses?.[status]));
  const retry = useRetryCalls();
  // The words stand with the calls. A code that only logged calls have keeps nothing back.
  const calls = keptBack.data?.filter(
    ({ status, errorCode }) => status === "error" || errorCodes[errorCode ?? ""],
  );
  const codes = new Set(calls?.flatMap(({ errorCode }) => errorCode ?? []));
  const reasons = [...codes].map((code) => {
    const ofIt = calls?.filter(({ errorCode }) => errorCode === code) ?? [];
    const count = Math.max(errorCodes[code] ?? 0, ofIt.length);
    return { code, count, message: ofIt[0]?.errorMessage ?? code };
  });
  if (reasons.length === 0 && !retry.data && !retry.error) return null;
  return (
    <section className={card.stack} aria-label={texts.reasons.title}>
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
                  disabled={isAdmin === false || retry.isPending}
                  title={isAdmin === false ? texts.adminsOnly : undefined}
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
      {retry.error && <Problem error={retry.error} />}
    </section>
  );
}

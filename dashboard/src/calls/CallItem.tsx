import { useState } from "react";

import type { Candidate, SyncLog } from "../api/client";
import { useRetryCall } from "../api/queries";
import { maskedNumber, textFor, texts } from "../texts";
import { useAdminLock } from "../ui/adminsOnly";
import base from "../ui/base.module.css";
import { Button, Detail, ErrorNotice, Notice } from "../ui/components";
import { formatNumber, Time } from "../ui/format";
import css from "./calls.module.css";

/** One call: a summary row that expands to the details. */
export function CallItem({ call, instanceUrl }: { call: SyncLog; instanceUrl: string | null }) {
  return (
    <li className={css.item}>
      <details>
        <summary className={css.row}>
          <span className={css.badge} data-status={call.status}>
            {textFor(texts.status, call.status)}
          </span>
          <span className={css.person}>{callerName(call)}</span>
          <span className={css.number}>
            {call.phoneNumber ? maskedNumber(call.phoneNumber) : texts.calls.noNumber}
          </span>
          <span className={css.when}>
            <Time seconds={call.createdAt} short />
          </span>
        </summary>
        <Details call={call} instanceUrl={instanceUrl} />
      </details>
    </li>
  );
}

function chosenCandidate({ decision, salesforceRecordId }: SyncLog): Candidate | undefined {
  return decision?.candidates.find(({ id }) => id === salesforceRecordId);
}

function callerName(call: SyncLog): string {
  const { salesforceRecordType: type, decision } = call;
  if (!type) return decision ? texts.calls.noPerson : texts.calls.notLookedUp;
  return chosenCandidate(call)?.name ?? textFor(texts.calls.unnamed, type);
}

function Details({ call, instanceUrl }: { call: SyncLog; instanceUrl: string | null }) {
  const { isLocked, describedBy } = useAdminLock();
  const retry = useRetryCall();
  // The call's `updatedAt` when the retry was requested. Once the call changes, its own status replaces the message.
  const [retriedAt, setRetriedAt] = useState<number | null>(null);
  const isKnown = Object.hasOwn(texts.status, call.status);
  const canRetry = isKnown && call.status !== "success" && call.status !== "queued";
  return (
    <div className={css.details}>
      {call.errorMessage ? (
        <Notice tone={call.status === "error" ? "bad" : "warn"}>
          <span>{call.errorMessage}</span>
        </Notice>
      ) : (
        <p className={base.muted}>{isKnown ? texts.statusMeaning[call.status] : texts.newerVersion}</p>
      )}
      <SalesforceLinks
        records={{ ...call, recordType: call.salesforceRecordType }}
        instanceUrl={instanceUrl}
      />
      <dl className={css.detailList}>
        <Detail name={texts.calls.received}>
          <Time seconds={call.createdAt} />
        </Detail>
        <Detail name={texts.calls.attempts}>{formatNumber(call.attempts)}</Detail>
        {call.dueAt !== null && (
          <Detail name={texts.calls.nextAttempt}>
            <Time seconds={call.dueAt} />
          </Detail>
        )}
        <Detail name={texts.calls.callId}>{call.callId}</Detail>
      </dl>
      <MatchDecision call={call} />
      {canRetry && (
        <div className={base.row}>
          <Button
            small
            inactive={isLocked || retry.isPending}
            aria-describedby={describedBy}
            onClick={() => {
              retry.mutate(call.callId, {
                onSuccess: () => {
                  setRetriedAt(call.updatedAt);
                },
              });
            }}
          >
            {texts.calls.retry}
          </Button>
          {retriedAt === call.updatedAt && <span role="status">{texts.calls.retrying}</span>}
        </div>
      )}
      {retry.error && <ErrorNotice error={retry.error} />}
    </div>
  );
}

/** A call's record, Task and Event in Salesforce. */
export interface SalesforceRecords {
  recordType: SyncLog["salesforceRecordType"];
  salesforceRecordId: string | null;
  salesforceTaskId: string | null;
  salesforceEventId: string | null;
}

/** Links to a call's records in Salesforce. */
export function SalesforceLinks({
  records,
  instanceUrl,
}: {
  records: SalesforceRecords;
  instanceUrl: string | null;
}) {
  const links = [
    [records.salesforceRecordId, textFor(texts.calls.record, records.recordType ?? "Lead")],
    [records.salesforceTaskId, texts.calls.task],
    [records.salesforceEventId, texts.calls.event],
  ] as const;
  const present = links.filter(([id]) => id !== null);
  if (!instanceUrl || present.length === 0) return null;
  return (
    <div className={css.links}>
      {present.map(([id, text]) => (
        <a key={text} href={`${instanceUrl}/${id ?? ""}`} target="_blank" rel="noreferrer">
          {text}
          <span className={base.visuallyHidden}> {texts.calls.opensSalesforce}</span>
        </a>
      ))}
    </div>
  );
}

/** Why the call was logged on this record, or on none. */
function MatchDecision({ call }: { call: SyncLog }) {
  const { decision } = call;
  if (!decision) return null;
  const chosen = chosenCandidate(call);
  const others = decision.candidates.filter((candidate) => candidate !== chosen);
  const turnedDown = decision.turnedDown ?? [];
  const otherCount = decision.candidateCount - (chosen ? 1 : 0);
  return (
    <div>
      <h3>{texts.calls.why}</h3>
      <p>
        {textFor(texts.rules, decision.rule)}
        {chosen && ` ${texts.field(chosen.field)}: ${textFor(texts.exactness, chosen.exactness)}.`}
      </p>
      {others.length > 0 && (
        <>
          <p className={base.muted}>{texts.calls.otherCandidates(otherCount)}</p>
          <CandidateList candidates={others} />
        </>
      )}
      {turnedDown.length > 0 && (
        <>
          <p className={base.muted}>{texts.calls.turnedDown(turnedDown.length)}</p>
          <ul className={css.candidates}>
            {turnedDown.map(({ id, recordType, name, why }) => (
              <li key={id}>
                {recordType} {name ?? id} – {texts.whyNot(why)}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Records with the caller's number: in which field, and how exact the match is. */
export function CandidateList({ candidates }: { candidates: Candidate[] }) {
  return (
    <ul className={css.candidates}>
      {candidates.map(({ id, recordType, name, field, exactness }) => (
        <li key={id}>
          {recordType} {name ?? id} – {texts.field(field)}: {textFor(texts.exactness, exactness)}
        </li>
      ))}
    </ul>
  );
}

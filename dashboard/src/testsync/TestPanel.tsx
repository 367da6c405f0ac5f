import { useState } from "react";

import type { Payload, TestSyncPreview, TestSyncResult } from "../api/client";
import { useSurroundings } from "../api/context";
import { usePreview, useTest } from "../api/queries";
import { CandidateList, Links } from "../calls/CallItem";
import { texts } from "../texts";
import { AdminsOnlyNotice } from "../ui/adminsOnly";
import card from "../ui/card.module.css";
import { Button, Code, Field, Notice, Problem } from "../ui/parts";

/** Tries a number: first what would be written, then, if one wants, a test Task. */
export function TestPanel({ instanceUrl }: { instanceUrl: string | null }) {
  const { isAdmin } = useSurroundings();
  const [phoneNumber, setPhoneNumber] = useState("");
  // One for each number: the id of a test call stays that number's.
  const [callId, setCallId] = useState(newCallId);
  const [isMissing, setMissing] = useState(false);
  const preview = usePreview();
  const test = useTest();
  const isBusy = preview.isPending || test.isPending;

  const change = (number: string) => {
    setPhoneNumber(number);
    setCallId(newCallId());
    setMissing(false);
    preview.reset();
    test.reset();
  };

  return (
    <div className={card.stack}>
      <h3>{texts.test.title}</h3>
      <p>{texts.test.intro}</p>
      <AdminsOnlyNotice />
      <form
        className={card.stack}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(!phoneNumber.trim());
          if (!phoneNumber.trim()) return;
          test.reset();
          preview.mutate({ callId, phoneNumber });
        }}
      >
        <Field
          label={texts.test.number}
          hint={texts.test.numberHint}
          error={isMissing ? texts.required : undefined}
        >
          {(tied) => (
            <input
              {...tied}
              type="tel"
              autoComplete="off"
              value={phoneNumber}
              onChange={(event) => {
                change(event.target.value);
              }}
            />
          )}
        </Field>
        <div>
          <Button look="primary" type="submit" disabled={isAdmin === false} inactive={isBusy}>
            {preview.isPending ? texts.test.previewing : texts.test.preview}
          </Button>
        </div>
      </form>
      {preview.error && <Problem error={preview.error} />}
      {preview.data && <Preview preview={preview.data} instanceUrl={instanceUrl} />}
      {preview.data?.success && preview.data.salesforceTaskId === null && (
        <div className={card.row}>
          <Button
            inactive={isBusy}
            onClick={() => {
              test.mutate({ callId, phoneNumber });
            }}
          >
            {test.isPending ? texts.test.writing : texts.test.write}
          </Button>
          <span className={card.muted}>{texts.test.writeHint}</span>
        </div>
      )}
      {test.error && <Problem error={test.error} />}
      {test.data && <Result result={test.data} instanceUrl={instanceUrl} />}
    </div>
  );
}

function newCallId(): string {
  return `dashboard-${Date.now().toString(36)}`;
}

function Preview({ preview, instanceUrl }: { preview: TestSyncPreview; instanceUrl: string | null }) {
  const { candidates, decision, payloads, salesforceRecordId, errorMessage } = preview;
  const chosen = candidates.find(({ id }) => id === salesforceRecordId);
  const record = chosen ? `${chosen.recordType} ${chosen.name ?? chosen.id}` : (salesforceRecordId ?? "");
  const shown = (["lead", "task", "event"] as const).flatMap((object) => {
    const payload = payloads[object];
    return payload ? [{ object, payload }] : [];
  });
  // What is there already stays; a payload changes or completes it.
  const isLogged = preview.salesforceTaskId !== null;
  return (
    <>
      <Notice tone={preview.success ? "good" : "warn"} live>
        <strong>
          {isLogged
            ? texts.test.isLogged(record, shown.length > 0)
            : !preview.success
              ? texts.test.wouldNot
              : payloads.lead
                ? texts.test.wouldMakeLead
                : texts.test.wouldWrite(record)}
        </strong>
        {decision && <span>{texts.rules[decision.rule]}</span>}
        {errorMessage && <span>{errorMessage}</span>}
        {isLogged && <Links written={preview} instanceUrl={instanceUrl} />}
      </Notice>
      {candidates.length > 0 && (
        <div>
          <h3>{texts.test.candidates}</h3>
          <CandidateList candidates={candidates} />
        </div>
      )}
      {shown.length > 0 && (
        <details>
          <summary>{texts.test.payloads}</summary>
          <div className={card.stack}>
            {shown.map(({ object, payload }) => (
              <div key={object}>
                <h3>{texts.test.objects[object]}</h3>
                <Code label={texts.test.objects[object]}>{lines(payload)}</Code>
              </div>
            ))}
          </div>
        </details>
      )}
    </>
  );
}

function lines(payload: NonNullable<Payload>): string {
  return JSON.stringify(payload, null, 2);
}

function Result({ result, instanceUrl }: { result: TestSyncResult; instanceUrl: string | null }) {
  return (
    <Notice tone={result.success ? "good" : "bad"} live>
      <strong>{result.success ? texts.test.wrote : texts.test.wroteNot}</strong>
      {result.errorMessage && <span>{result.errorMessage}</span>}
      <Links written={result} instanceUrl={instanceUrl} />
    </Notice>
  );
}

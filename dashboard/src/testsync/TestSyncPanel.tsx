import { useState } from "react";

import type { Payload, TestSyncPreview, TestSyncResult } from "../api/client";
import { useCardContext } from "../api/context";
import { usePreviewSync, useTestSync } from "../api/queries";
import { CandidateList, SalesforceLinks } from "../calls/CallItem";
import { texts } from "../texts";
import { AdminsOnlyNotice } from "../ui/adminsOnly";
import base from "../ui/base.module.css";
import { Button, CodeBlock, ErrorNotice, Field, Notice } from "../ui/components";

/** Previews what would be logged for a phone number, then optionally writes a test Task. */
export function TestSyncPanel({ instanceUrl }: { instanceUrl: string | null }) {
  const { isAdmin } = useCardContext();
  const [phoneNumber, setPhoneNumber] = useState("");
  // One id per number: the API refuses a known call id with a different number.
  const [callId, setCallId] = useState(newCallId);
  const [isMissing, setMissing] = useState(false);
  const preview = usePreviewSync();
  const testSync = useTestSync();
  const isBusy = preview.isPending || testSync.isPending;

  const change = (number: string) => {
    setPhoneNumber(number);
    setCallId(newCallId());
    setMissing(false);
    preview.reset();
    testSync.reset();
  };

  return (
    <div className={base.stack}>
      <h3>{texts.test.title}</h3>
      <p>{texts.test.intro}</p>
      <AdminsOnlyNotice />
      <form
        className={base.stack}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(!phoneNumber.trim());
          if (!phoneNumber.trim()) return;
          testSync.reset();
          preview.mutate({ callId, phoneNumber });
        }}
      >
        <Field
          label={texts.test.number}
          hint={texts.test.numberHint}
          error={isMissing ? texts.required : undefined}
        >
          {(inputProps) => (
            <input
              {...inputProps}
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
          <Button variant="primary" type="submit" disabled={isAdmin === false} inactive={isBusy}>
            {preview.isPending ? texts.test.previewing : texts.test.preview}
          </Button>
        </div>
      </form>
      {preview.error && <ErrorNotice error={preview.error} />}
      {preview.data && <Preview preview={preview.data} instanceUrl={instanceUrl} />}
      {preview.data?.success && preview.data.salesforceTaskId === null && (
        <div className={base.row}>
          <Button
            inactive={isBusy}
            onClick={() => {
              testSync.mutate({ callId, phoneNumber });
            }}
          >
            {testSync.isPending ? texts.test.writing : texts.test.write}
          </Button>
          <span className={base.muted}>{texts.test.writeHint}</span>
        </div>
      )}
      {testSync.error && <ErrorNotice error={testSync.error} />}
      {testSync.data && <Result result={testSync.data} instanceUrl={instanceUrl} />}
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
  const written = (["lead", "task", "event"] as const).flatMap((object) => {
    const payload = payloads[object];
    return payload ? [{ object, payload }] : [];
  });
  // If the call is already logged, the payloads are changes or additions to it.
  const isLogged = preview.salesforceTaskId !== null;
  return (
    <>
      <Notice tone={preview.success ? "good" : "warn"} live>
        <strong>
          {isLogged
            ? texts.test.isLogged(record, written.length > 0)
            : !preview.success
              ? texts.test.wouldNot
              : payloads.lead
                ? texts.test.wouldMakeLead
                : texts.test.wouldWrite(record)}
        </strong>
        {decision && <span>{texts.rules[decision.rule]}</span>}
        {errorMessage && <span>{errorMessage}</span>}
        {isLogged && <SalesforceLinks records={preview} instanceUrl={instanceUrl} />}
      </Notice>
      {candidates.length > 0 && (
        <div>
          <h3>{texts.test.candidates}</h3>
          <CandidateList candidates={candidates} />
        </div>
      )}
      {written.length > 0 && (
        <details>
          <summary>{texts.test.payloads}</summary>
          <div className={base.stack}>
            {written.map(({ object, payload }) => (
              <div key={object}>
                <h3>{texts.test.objects[object]}</h3>
                <CodeBlock label={texts.test.objects[object]}>{prettyJson(payload)}</CodeBlock>
              </div>
            ))}
          </div>
        </details>
      )}
    </>
  );
}

function prettyJson(payload: Payload): string {
  return JSON.stringify(payload, null, 2);
}

function Result({ result, instanceUrl }: { result: TestSyncResult; instanceUrl: string | null }) {
  return (
    <Notice tone={result.success ? "good" : "bad"} live>
      <strong>{result.success ? texts.test.wrote : texts.test.wroteNot}</strong>
      {result.errorMessage && <span>{result.errorMessage}</span>}
      <SalesforceLinks records={result} instanceUrl={instanceUrl} />
    </Notice>
  );
}

import { useState } from "react";

import type { Webhook } from "../api/client";
import { useSurroundings } from "../api/context";
import { useRotateWebhook, useWebhook } from "../api/queries";
import { texts } from "../texts";
import card from "../ui/card.module.css";
import { Button, Code, Confirm, CopyButton, Notice, Problem, Skeleton, ui } from "../ui/parts";
import { isAdminRequired } from "../ui/problem";

/** What to paste into Vapi, and a new secret when the old one got about. */
export function WebhookPanel() {
  const { isAdmin } = useSurroundings();
  const webhook = useWebhook();
  return (
    <div className={card.stack}>
      <h3>{texts.vapi.title}</h3>
      {isAdmin === false || isAdminRequired(webhook.error) ? (
        <Notice tone="plain">{texts.adminsOnly}</Notice>
      ) : webhook.isPending ? (
        <Skeleton height="2.4rem" count={4} />
      ) : webhook.error ? (
        <Problem error={webhook.error} onRetry={() => void webhook.refetch()} />
      ) : (
        <SetUp webhook={webhook.data} />
      )}
    </div>
  );
}

function SetUp({ webhook }: { webhook: Webhook }) {
  const [isShown, setShown] = useState(false);
  const [asks, setAsks] = useState(false);
  const [revokes, setRevokes] = useState(false);
  const rotate = useRotateWebhook();
  const secret = isShown ? webhook.secret : "•".repeat(24);
  return (
    <>
      <p>{texts.vapi.intro}</p>
      {rotate.isSuccess && (
        <Notice tone="good" live>
          {texts.vapi.rotated}
        </Notice>
      )}
      <Value name={texts.vapi.url} value={webhook.url} />
      <Value name={texts.vapi.header} value={webhook.header} />
      <Value name={texts.vapi.secret} value={webhook.secret} shown={secret}>
        <Button
          small
          aria-pressed={isShown}
          aria-label={`${isShown ? texts.vapi.hide : texts.vapi.reveal}: ${texts.vapi.secret}`}
          onClick={() => {
            setShown(!isShown);
          }}
        >
          {isShown ? texts.vapi.hide : texts.vapi.reveal}
        </Button>
      </Value>
      <div className={card.stack}>
        <div className={card.row}>
          <span className={ui.label}>{texts.vapi.json}</span>
          <CopyButton text={serverJson(webhook, webhook.secret)} what={texts.vapi.json} />
        </div>
        <Code label={texts.vapi.json}>{serverJson(webhook, secret)}</Code>
      </div>
      <div>
        <Button
          onClick={() => {
            rotate.reset();
            setRevokes(false);
            setAsks(true);
          }}
        >
          {texts.vapi.rotate}
        </Button>
      </div>
      {asks && (
        <Confirm
          question={texts.vapi.rotateQuestion}
          explanation={texts.vapi.rotateExplanation}
          confirm={texts.vapi.rotateConfirm}
          danger={revokes}
          pending={rotate.isPending}
          error={rotate.error}
          onConfirm={() => {
            rotate.mutate(revokes, {
              onSuccess: () => {
                setAsks(false);
                setShown(true);
              },
            });
          }}
          onCancel={() => {
            setAsks(false);
          }}
        >
          <label className={ui.check}>
            <input
              type="checkbox"
              checked={revokes}
              onChange={(event) => {
                setRevokes(event.target.checked);
              }}
            />
            {texts.vapi.rotateRevoke}
          </label>
          {revokes && <Notice tone="warn">{texts.vapi.rotateRevokeWarning}</Notice>}
        </Confirm>
      )}
    </>
  );
}

function Value({
  name,
  value,
  shown = value,
  children,
}: {
  name: string;
  value: string;
  shown?: string;
  children?: React.ReactNode;
}) {
  return (
    <div className={ui.field}>
      <span className={ui.label}>{name}</span>
      <div className={ui.copyRow}>
        <span className={ui.value}>{shown}</span>
        {children}
        <CopyButton text={value} what={name} />
      </div>
    </div>
  );
}

/** Vapi's `server`, with a second net (Vapi does not retry by default), and nothing but the reports. */
export function serverJson({ url, header }: Webhook, secret: string): string {
  const server = {
    url,
    headers: { [header]: secret },
    backoffPlan: { type: "exponential", maxRetries: 3, baseDelaySeconds: 1 },
  };
  return JSON.stringify({ server, serverMessages: ["end-of-call-report"] }, null, 2);
}

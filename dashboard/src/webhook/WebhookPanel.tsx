import { useState } from "react";

import type { Webhook } from "../api/client";
import { useCardContext } from "../api/context";
import { useRotateWebhook, useWebhook } from "../api/queries";
import { texts } from "../texts";
import base from "../ui/base.module.css";
import { Button, CodeBlock, Confirm, CopyButton, ErrorNotice, Notice, Skeleton } from "../ui/components";
import ui from "../ui/components.module.css";
import { isAdminRequired } from "../ui/errors";

/** The values to paste into Vapi, and secret rotation. */
export function WebhookPanel() {
  const { isAdmin } = useCardContext();
  const webhook = useWebhook();
  return (
    <div className={base.stack}>
      <h3>{texts.vapi.title}</h3>
      {isAdmin === false || isAdminRequired(webhook.error) ? (
        <Notice tone="plain">{texts.adminsOnly}</Notice>
      ) : webhook.isPending ? (
        <Skeleton height="2.4rem" count={4} />
      ) : webhook.error ? (
        <ErrorNotice error={webhook.error} onRetry={() => void webhook.refetch()} />
      ) : (
        <WebhookSetup webhook={webhook.data} />
      )}
    </div>
  );
}

function WebhookSetup({ webhook }: { webhook: Webhook }) {
  const [isRevealed, setRevealed] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const [revokePrevious, setRevokePrevious] = useState(false);
  const rotate = useRotateWebhook();
  const displayedSecret = isRevealed ? webhook.secret : "•".repeat(24);
  return (
    <>
      <p>{texts.vapi.intro}</p>
      {rotate.isSuccess && (
        <Notice tone="good" live>
          {texts.vapi.rotated}
        </Notice>
      )}
      <CopyableValue name={texts.vapi.url} value={webhook.url} />
      <CopyableValue name={texts.vapi.header} value={webhook.header} />
      <CopyableValue name={texts.vapi.secret} value={webhook.secret} displayed={displayedSecret}>
        <Button
          small
          aria-pressed={isRevealed}
          aria-label={`${isRevealed ? texts.vapi.hide : texts.vapi.reveal}: ${texts.vapi.secret}`}
          onClick={() => {
            setRevealed(!isRevealed);
          }}
        >
          {isRevealed ? texts.vapi.hide : texts.vapi.reveal}
        </Button>
      </CopyableValue>
      <div className={base.stack}>
        <div className={base.row}>
          <span className={ui.label}>{texts.vapi.json}</span>
          <CopyButton text={serverJson(webhook, webhook.secret)} what={texts.vapi.json} />
        </div>
        <CodeBlock label={texts.vapi.json}>{serverJson(webhook, displayedSecret)}</CodeBlock>
      </div>
      <div>
        <Button
          onClick={() => {
            rotate.reset();
            setRevokePrevious(false);
            setConfirming(true);
          }}
        >
          {texts.vapi.rotate}
        </Button>
      </div>
      {isConfirming && (
        <Confirm
          question={texts.vapi.rotateQuestion}
          explanation={texts.vapi.rotateExplanation}
          confirm={texts.vapi.rotateConfirm}
          danger={revokePrevious}
          pending={rotate.isPending}
          error={rotate.error}
          onConfirm={() => {
            rotate.mutate(revokePrevious, {
              onSuccess: () => {
                setConfirming(false);
                setRevealed(true);
              },
            });
          }}
          onCancel={() => {
            setConfirming(false);
          }}
        >
          <label className={ui.check}>
            <input
              type="checkbox"
              checked={revokePrevious}
              onChange={(event) => {
                setRevokePrevious(event.target.checked);
              }}
            />
            {texts.vapi.rotateRevoke}
          </label>
          {revokePrevious && <Notice tone="warn">{texts.vapi.rotateRevokeWarning}</Notice>}
        </Confirm>
      )}
    </>
  );
}

function CopyableValue({
  name,
  value,
  displayed = value,
  children,
}: {
  name: string;
  value: string;
  displayed?: string;
  children?: React.ReactNode;
}) {
  return (
    <div className={ui.field}>
      <span className={ui.label}>{name}</span>
      <div className={ui.copyRow}>
        <span className={ui.value}>{displayed}</span>
        {children}
        <CopyButton text={value} what={name} />
      </div>
    </div>
  );
}

/** Vapi's `server` with retries, which are off by default, and end-of-call reports as the only server message. */
export function serverJson({ url, header }: Webhook, secret: string): string {
  const server = {
    url,
    headers: { [header]: secret },
    backoffPlan: { type: "exponential", maxRetries: 3, baseDelaySeconds: 1 },
  };
  return JSON.stringify({ server, serverMessages: ["end-of-call-report"] }, null, 2);
}

import { useState } from "react";

import type { SalesforceStatus } from "../api/client";
import { useDisconnect } from "../api/queries";
import { texts } from "../texts";
import { useLock } from "../ui/adminsOnly";
import card from "../ui/card.module.css";
import { Button, Confirm } from "../ui/parts";
import { formatNumber, Time } from "../ui/time";
import css from "./connection.module.css";

/** From here on people should know that the org's requests may run out. */
const HIGH_USAGE = 0.8;

/** The connection as it is, and the way out of it. */
export function Facts({ status }: { status: SalesforceStatus }) {
  const { isLocked, describedBy } = useLock();
  const [asks, setAsks] = useState(false);
  const disconnect = useDisconnect();
  const { instanceUrl, apiUsage } = status;
  const isHigh = apiUsage !== null && apiUsage.used >= apiUsage.limit * HIGH_USAGE;
  return (
    <div className={card.stack}>
      <dl className={css.facts}>
        <Fact name={texts.facts.user}>{status.userName ?? texts.facts.unknown}</Fact>
        <Fact name={texts.facts.instance}>
          {instanceUrl ? (
            <a href={instanceUrl} target="_blank" rel="noreferrer">
              {new URL(instanceUrl).host}
            </a>
          ) : (
            texts.facts.unknown
          )}
        </Fact>
        <Fact name={texts.facts.organization}>{status.organizationId ?? texts.facts.unknown}</Fact>
        <Fact name={texts.facts.connectedAt}>
          {status.connectedAt === null ? texts.facts.unknown : <Time seconds={status.connectedAt} />}
        </Fact>
        <Fact name={texts.facts.lastSync}>
          {status.lastSync === null ? texts.facts.never : <Time seconds={status.lastSync} />}
        </Fact>
        <Fact name={texts.facts.usage}>
          {apiUsage === null ? (
            texts.facts.unknown
          ) : (
            <>
              <meter
                className={css.meter}
                aria-label={texts.facts.usage}
                min={0}
                max={Math.max(apiUsage.limit, 1)}
                high={apiUsage.limit * HIGH_USAGE}
                value={apiUsage.used}
              />
              {texts.facts.usageOf(formatNumber(apiUsage.used), formatNumber(apiUsage.limit))}
              {isHigh && <span className={css.warning}>{texts.facts.usageHigh}</span>}
            </>
          )}
        </Fact>
      </dl>
      <div>
        <Button
          small
          inactive={isLocked}
          aria-describedby={describedBy}
          onClick={() => {
            disconnect.reset();
            setAsks(true);
          }}
        >
          {texts.disconnect.button}
        </Button>
      </div>
      {asks && (
        <Confirm
          question={texts.disconnect.question}
          explanation={texts.disconnect.explanation}
          confirm={texts.disconnect.confirm}
          danger
          pending={disconnect.isPending}
          error={disconnect.error}
          onConfirm={() => {
            disconnect.mutate(undefined, {
              onSuccess: () => {
                setAsks(false);
              },
            });
          }}
          onCancel={() => {
            setAsks(false);
          }}
        />
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

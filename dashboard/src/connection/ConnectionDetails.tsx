import { useState } from "react";

import type { SalesforceStatus } from "../api/client";
import { useDisconnect } from "../api/queries";
import { texts } from "../texts";
import { useAdminLock } from "../ui/adminsOnly";
import base from "../ui/base.module.css";
import { Button, Confirm, Detail } from "../ui/components";
import { formatNumber, Time } from "../ui/format";
import css from "./connection.module.css";

/** Share of the API limit above which to warn that requests may run out. */
const HIGH_USAGE = 0.8;

/** Details of the connection, and the disconnect button. */
export function ConnectionDetails({ status }: { status: SalesforceStatus }) {
  const { isLocked, describedBy } = useAdminLock();
  const [isConfirming, setConfirming] = useState(false);
  const disconnect = useDisconnect();
  const { instanceUrl, apiUsage } = status;
  const isHigh = apiUsage !== null && apiUsage.used >= apiUsage.limit * HIGH_USAGE;
  return (
    <div className={base.stack}>
      <dl className={css.detailList}>
        <Detail name={texts.connectionDetails.user}>
          {status.userName ?? texts.connectionDetails.unknown}
        </Detail>
        <Detail name={texts.connectionDetails.instance}>
          {instanceUrl ? (
            <a href={instanceUrl} target="_blank" rel="noreferrer">
              {new URL(instanceUrl).host}
            </a>
          ) : (
            texts.connectionDetails.unknown
          )}
        </Detail>
        <Detail name={texts.connectionDetails.organization}>
          {status.organizationId ?? texts.connectionDetails.unknown}
        </Detail>
        <Detail name={texts.connectionDetails.connectedAt}>
          {status.connectedAt === null ? (
            texts.connectionDetails.unknown
          ) : (
            <Time seconds={status.connectedAt} />
          )}
        </Detail>
        <Detail name={texts.connectionDetails.lastSync}>
          {status.lastSync === null ? texts.connectionDetails.never : <Time seconds={status.lastSync} />}
        </Detail>
        <Detail name={texts.connectionDetails.usage}>
          {apiUsage === null ? (
            texts.connectionDetails.unknown
          ) : (
            <>
              <meter
                className={css.meter}
                aria-label={texts.connectionDetails.usage}
                min={0}
                max={Math.max(apiUsage.limit, 1)}
                high={apiUsage.limit * HIGH_USAGE}
                value={apiUsage.used}
              />
              {texts.connectionDetails.usageOf(formatNumber(apiUsage.used), formatNumber(apiUsage.limit))}
              {isHigh && <span className={css.warning}>{texts.connectionDetails.usageHigh}</span>}
            </>
          )}
        </Detail>
      </dl>
      <div>
        <Button
          small
          inactive={isLocked}
          aria-describedby={describedBy}
          onClick={() => {
            disconnect.reset();
            setConfirming(true);
          }}
        >
          {texts.disconnect.button}
        </Button>
      </div>
      {isConfirming && (
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
                setConfirming(false);
              },
            });
          }}
          onCancel={() => {
            setConfirming(false);
          }}
        />
      )}
    </div>
  );
}

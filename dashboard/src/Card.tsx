import { useId, useState } from "react";

import type { SalesforceStatus } from "./api/client";
import { useRefreshAll, useStatus } from "./api/queries";
import { CallsPanel } from "./calls/CallsPanel";
import css from "./header.module.css";
import { ConnectPanel } from "./connection/ConnectPanel";
import { ConnectionDetails } from "./connection/ConnectionDetails";
import { useConnect } from "./connection/useConnect";
import { SettingsPanel } from "./settings/SettingsPanel";
import { TestSyncPanel } from "./testsync/TestSyncPanel";
import { textFor, texts } from "./texts";
import { AdminsOnlyHeaderNote, AdminsOnlyProvider } from "./ui/adminsOnly";
import base from "./ui/base.module.css";
import { ErrorNotice, Notice, Skeleton } from "./ui/components";
import { Tabs } from "./ui/Tabs";
import { WebhookPanel } from "./webhook/WebhookPanel";

const { tabs: TABS } = texts;
type Tab = keyof typeof TABS;

/** The whole card: connection state on top, tabs below. */
export function Card() {
  const id = useId();
  const status = useStatus();
  const connect = useConnect(status.data?.connectedAt ?? null, useRefreshAll());

  // Shown in the connect panel while disconnected.
  const adminsOnly = {
    id: `${id}-admins`,
    isInHeader: status.data !== undefined && status.data.state !== "disconnected",
  };

  return (
    <AdminsOnlyProvider value={adminsOnly}>
      <section className={base.card} aria-labelledby={`${id}-title`}>
        <div className={base.stack}>
          <header className={css.header}>
            <h2 id={`${id}-title`}>{texts.title}</h2>
            {status.data && (
              <span className={css.state} data-state={status.data.state} role="status">
                {textFor(texts.state, status.data.state)}
              </span>
            )}
          </header>
          <AdminsOnlyHeaderNote />
          {status.isError && status.data && <Notice tone="warn">{texts.stale}</Notice>}
          {status.isPending ? (
            <Skeleton height="6rem" count={2} />
          ) : status.data ? (
            <Body status={status.data} connect={connect} />
          ) : (
            <ErrorNotice error={status.error} onRetry={() => void status.refetch()} />
          )}
        </div>
      </section>
    </AdminsOnlyProvider>
  );
}

function Body({ status, connect }: { status: SalesforceStatus; connect: ReturnType<typeof useConnect> }) {
  const [tab, setTab] = useState<Tab>("calls");
  return (
    <>
      {status.connected && connect.state.kind === "connected" && (
        <Notice tone="good" live>
          {texts.connect.done}
        </Notice>
      )}
      {!status.connected && (
        <ConnectPanel
          status={status}
          state={connect.state}
          onStart={(loginUrl) => void connect.start(loginUrl)}
          onCancel={connect.cancel}
        />
      )}
      {/* Also shown when a reconnect is required, so that the user can see which org it was. */}
      {status.state !== "disconnected" && <ConnectionDetails status={status} />}
      <Tabs label={texts.tabsLabel} tabs={TABS} selected={tab} onSelect={setTab}>
        {tab === "calls" && (
          <CallsPanel
            instanceUrl={status.instanceUrl}
            onSetUpVapi={() => {
              setTab("vapi");
            }}
          />
        )}
        {tab === "test" && <TestSyncPanel instanceUrl={status.instanceUrl} />}
        {tab === "vapi" && <WebhookPanel />}
        {tab === "settings" && <SettingsPanel />}
      </Tabs>
    </>
  );
}

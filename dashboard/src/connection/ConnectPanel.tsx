import { useState } from "react";

import type { SalesforceStatus } from "../api/client";
import { useSettings } from "../api/queries";
import { texts, type Remedy } from "../texts";
import { useAdminLock } from "../ui/adminsOnly";
import base from "../ui/base.module.css";
import { Button, Field, Notice, RemedyNotice, Skeleton, Steps } from "../ui/components";
import ui from "../ui/components.module.css";
import css from "./connection.module.css";
import type { ConnectState } from "./useConnect";

type Environment = "production" | "sandbox" | "domain";
const PRODUCTION = "https://login.salesforce.com";
const SANDBOX = "https://test.salesforce.com";
/** Matches a My Domain, or the URL of any page in an org, and captures the host. The API derives the My Domain from it. */
const MY_DOMAIN =
  /^(?:https:\/\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:my\.salesforce|lightning\.force|my\.salesforce-setup)\.com)(?:[/?#].*)?$/i;

/** Connect form: where to log in, the connect button, and help while the Salesforce window is open. */
export function ConnectPanel({
  status,
  state,
  onStart,
  onCancel,
}: {
  status: SalesforceStatus;
  state: ConnectState;
  onStart: (loginUrl?: string) => void;
  onCancel: () => void;
}) {
  const { isLocked, describedBy } = useAdminLock();
  const settings = useSettings();
  const [chosen, setChosen] = useState<Environment | null>(null);
  const [enteredDomain, setEnteredDomain] = useState<string | null>(null);
  const [isDomainInvalid, setDomainInvalid] = useState(false);
  const needsReconnect = status.state === "reconnect_required";
  const savedLoginUrl = settings.data?.settings.loginUrl;
  const preselected =
    loginTargetOf(savedLoginUrl) ?? (needsReconnect ? myDomainOf(status.instanceUrl) : null);
  const environment = chosen ?? preselected?.environment ?? "production";
  const domain = enteredDomain ?? preselected?.domain ?? "";
  // If nobody chose an environment, the API uses the deployment's default.
  const usesDeploymentDefault = settings.isSuccess && !savedLoginUrl && chosen === null;
  const loginUrl = {
    production: usesDeploymentDefault ? undefined : PRODUCTION,
    sandbox: SANDBOX,
    domain: `https://${orgHostOf(domain)}`,
  }[environment];

  const submit = () => {
    const isInvalid = environment === "domain" && !orgHostOf(domain);
    setDomainInvalid(isInvalid);
    if (!isInvalid) onStart(loginUrl);
  };

  return (
    <div className={base.stack}>
      {needsReconnect ? (
        <Notice tone="warn">
          <span>{texts.connect.reconnect}</span>
          {status.reason && <span className={ui.hint}>{texts.connect.reason(status.reason)}</span>}
        </Notice>
      ) : (
        <p>{texts.connect.promise}</p>
      )}
      {isLocked ? (
        <Notice id={needsReconnect ? undefined : describedBy} tone="plain">
          {texts.connect.adminsOnly}
        </Notice>
      ) : state.kind === "failed" && state.code === "admin_required" ? (
        <Failed code={state.code} detail={state.detail} />
      ) : state.kind === "waiting" ? (
        <Waiting
          windowClosed={state.windowClosed}
          onRestart={() => {
            onStart(loginUrl);
          }}
          onCancel={onCancel}
        />
      ) : settings.isPending ? (
        // The settings preselect the environment, so nothing can be chosen before they are loaded.
        <Skeleton height="2.4rem" count={2} />
      ) : (
        <form
          className={base.stack}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          {state.kind === "failed" && <Failed code={state.code} detail={state.detail} />}
          <fieldset className={css.environments}>
            <legend className={ui.label}>{texts.connect.where}</legend>
            {(Object.keys(texts.connect.environments) as Environment[]).map((option) => (
              <label key={option} className={ui.check}>
                <input
                  type="radio"
                  name="environment"
                  value={option}
                  checked={environment === option}
                  onChange={() => {
                    setChosen(option);
                  }}
                />
                {texts.connect.environments[option]}
              </label>
            ))}
          </fieldset>
          {environment === "domain" && (
            <Field
              label={texts.connect.domain}
              hint={texts.connect.domainHint}
              error={isDomainInvalid ? texts.connect.domainInvalid : undefined}
            >
              {(inputProps) => (
                <input
                  {...inputProps}
                  type="text"
                  inputMode="url"
                  autoComplete="off"
                  spellCheck={false}
                  value={domain}
                  onChange={(event) => {
                    setEnteredDomain(event.target.value);
                    setDomainInvalid(false);
                  }}
                />
              )}
            </Field>
          )}
          <div>
            <Button variant="primary" type="submit">
              {needsReconnect ? texts.connect.again : texts.connect.button}
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

/** Why connecting failed. Adds Salesforce's own message if ours says less. */
function Failed({ code, detail }: { code: string; detail: string | null }) {
  const remedies: Partial<Record<string, Remedy>> = texts.connectProblems;
  const remedy = remedies[code];
  const message = remedy && code !== "salesforce_refused" ? null : (texts.problems[code] ?? detail);
  return <RemedyNotice remedy={remedy ?? texts.connectFailed} detail={message} />;
}

function Waiting({
  windowClosed,
  onRestart,
  onCancel,
}: {
  windowClosed: boolean;
  onRestart: () => void;
  onCancel: () => void;
}) {
  return (
    <div className={base.stack}>
      <Notice tone={windowClosed ? "warn" : "plain"} live>
        {windowClosed ? texts.connect.waitingClosed : texts.connect.waiting}
      </Notice>
      <details className={css.help}>
        <summary>{texts.connect.problems}</summary>
        <div className={base.stack}>
          {texts.windowProblems.map(({ title, steps }) => (
            <div key={title}>
              <h3>{title}</h3>
              <Steps steps={steps} />
            </div>
          ))}
        </div>
      </details>
      <div className={base.row}>
        <Button variant="primary" onClick={onRestart}>
          {texts.connect.startAgain}
        </Button>
        <Button onClick={onCancel}>{texts.cancel}</Button>
      </div>
    </div>
  );
}

interface LoginTarget {
  environment: Environment;
  domain?: string;
}

/** The environment for a login URL from the settings. */
function loginTargetOf(url: string | null | undefined): LoginTarget | null {
  if (url === PRODUCTION) return { environment: "production" };
  if (url === SANDBOX) return { environment: "sandbox" };
  return myDomainOf(url);
}

function myDomainOf(url: string | null | undefined): LoginTarget | null {
  const host = orgHostOf(url ?? "");
  return host ? { environment: "domain", domain: host } : null;
}

/** The host of a My Domain or of a page in an org; empty if the URL is neither. */
function orgHostOf(address: string): string {
  return MY_DOMAIN.exec(address.trim())?.[1] ?? "";
}

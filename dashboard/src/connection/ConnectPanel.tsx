import { useState } from "react";

import type { SalesforceStatus } from "../api/client";
import { useSettings } from "../api/queries";
import { texts, type Remedy } from "../texts";
import { useLock } from "../ui/adminsOnly";
import card from "../ui/card.module.css";
import { Button, Field, Notice, RemedyNotice, Skeleton, Steps, ui } from "../ui/parts";
import css from "./connection.module.css";
import type { ConnectState } from "./useConnect";

type Place = "production" | "sandbox" | "domain";
const PRODUCTION = "https://login.salesforce.com";
const SANDBOX = "https://test.salesforce.com";
/** A My Domain, or any page of an org, as people paste it; its host. The API takes either as the org's My Domain. */
const MY_DOMAIN =
  /^(?:https:\/\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:my\.salesforce|lightning\.force|my\.salesforce-setup)\.com)(?:[/?#].*)?$/i;

/** The way to a connection: where to log in, the button, and what to do while and after Salesforce's window is open. */
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
  const { isLocked, describedBy } = useLock();
  const settings = useSettings();
  const [chosen, setChosen] = useState<Place | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const [isDomainWrong, setDomainWrong] = useState(false);
  const needsReconnect = status.state === "reconnect_required";
  const own = settings.data?.settings.loginUrl;
  const usual = loginOf(own) ?? (needsReconnect ? myDomainOf(status.instanceUrl) : null);
  const place = chosen ?? usual?.place ?? "production";
  const domain = typed ?? usual?.domain ?? "";
  // Where nobody named a place, the API goes where the deployment says.
  const isUnasked = settings.isSuccess && !own && chosen === null;
  const loginUrl = {
    production: isUnasked ? undefined : PRODUCTION,
    sandbox: SANDBOX,
    domain: `https://${hostOf(domain)}`,
  }[place];

  const submit = () => {
    const wrong = place === "domain" && !hostOf(domain);
    setDomainWrong(wrong);
    if (!wrong) onStart(loginUrl);
  };

  return (
    <div className={card.stack}>
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
          onAgain={() => {
            onStart(loginUrl);
          }}
          onCancel={onCancel}
        />
      ) : settings.isPending ? (
        // Nobody should choose, or click, while the place may still change.
        <Skeleton height="2.4rem" count={2} />
      ) : (
        <form
          className={card.stack}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          {state.kind === "failed" && <Failed code={state.code} detail={state.detail} />}
          <fieldset className={css.places}>
            <legend className={ui.label}>{texts.connect.where}</legend>
            {(Object.keys(texts.connect.places) as Place[]).map((one) => (
              <label key={one} className={ui.check}>
                <input
                  type="radio"
                  name="place"
                  value={one}
                  checked={place === one}
                  onChange={() => {
                    setChosen(one);
                  }}
                />
                {texts.connect.places[one]}
              </label>
            ))}
          </fieldset>
          {place === "domain" && (
            <Field
              label={texts.connect.domain}
              hint={texts.connect.domainHint}
              error={isDomainWrong ? texts.connect.domainInvalid : undefined}
            >
              {(tied) => (
                <input
                  {...tied}
                  type="text"
                  inputMode="url"
                  autoComplete="off"
                  spellCheck={false}
                  value={domain}
                  onChange={(event) => {
                    setTyped(event.target.value);
                    setDomainWrong(false);
                  }}
                />
              )}
            </Field>
          )}
          <div>
            <Button look="primary" type="submit">
              {needsReconnect ? texts.connect.again : texts.connect.button}
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

/** What went wrong. Salesforce's own words are shown where ours say less. */
function Failed({ code, detail }: { code: string; detail: string | null }) {
  const remedies: Partial<Record<string, Remedy>> = texts.connectProblems;
  const remedy = remedies[code];
  const words = remedy && code !== "salesforce_refused" ? null : (texts.problems[code] ?? detail);
  return <RemedyNotice remedy={remedy ?? texts.connectFailed} detail={words} />;
}

function Waiting({
  windowClosed,
  onAgain,
  onCancel,
}: {
  windowClosed: boolean;
  onAgain: () => void;
  onCancel: () => void;
}) {
  return (
    <div className={card.stack}>
      <Notice tone={windowClosed ? "warn" : "plain"} live>
        {windowClosed ? texts.connect.waitingClosed : texts.connect.waiting}
      </Notice>
      <details className={css.help}>
        <summary>{texts.connect.problems}</summary>
        <div className={card.stack}>
          {texts.windowProblems.map(({ title, steps }) => (
            <div key={title}>
              <h3>{title}</h3>
              <Steps steps={steps} />
            </div>
          ))}
        </div>
      </details>
      <div className={card.row}>
        <Button look="primary" onClick={onAgain}>
          {texts.connect.startAgain}
        </Button>
        <Button onClick={onCancel}>{texts.cancel}</Button>
      </div>
    </div>
  );
}

interface Login {
  place: Place;
  domain?: string;
}

/** The place that the settings name. */
function loginOf(url: string | null | undefined): Login | null {
  if (url === PRODUCTION) return { place: "production" };
  if (url === SANDBOX) return { place: "sandbox" };
  return myDomainOf(url);
}

function myDomainOf(url: string | null | undefined): Login | null {
  const host = hostOf(url ?? "");
  return host ? { place: "domain", domain: host } : null;
}

/** The host of a My Domain or a page of an org; empty if it is neither. */
function hostOf(address: string): string {
  return MY_DOMAIN.exec(address.trim())?.[1] ?? "";
}

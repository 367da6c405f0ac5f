import { useState } from "react";

import { createApi, SalesforceIntegration } from "../src";
import css from "./page.module.css";

/** What the local stack tells this page. */
export interface LocalConfig {
  /** A dashboard token of an admin of the sample workspace. */
  token: string;
  /** Where the Salesforce simulator is. */
  simulatorUrl: string;
  /** A report as Vapi posts it. */
  sampleReport: unknown;
}

export function Page({ token, simulatorUrl, sampleReport }: LocalConfig) {
  return (
    <main className={css.page}>
      <h1>Ringlog on this machine</h1>
      <p>
        Below is the card as your dashboard would show it. Connect it, post a call, and see its Task in the{" "}
        <a href={simulatorUrl} target="_blank" rel="noreferrer">
          Salesforce simulator
        </a>
        .
      </p>
      <PostCall token={token} report={sampleReport} />
      <SalesforceIntegration apiUrl="" getToken={() => token} />
    </main>
  );
}

/** Posts the sample call as Vapi does. */
function PostCall({ token, report }: { token: string; report: unknown }) {
  const [result, setResult] = useState("");
  const post = async () => {
    const { header, secret } = await createApi({ apiUrl: "", getToken: () => token }).getWebhook();
    const response = await fetch("/webhook/vapi", {
      method: "POST",
      headers: { [header]: secret, "Content-Type": "application/json" },
      body: JSON.stringify(report),
    });
    setResult(
      response.ok
        ? "Posted. It appears in the list in a few seconds."
        : `${response.status}: ${await response.text()}`,
    );
  };
  return (
    <p>
      <button
        type="button"
        onClick={() => {
          post().catch((error: unknown) => {
            setResult(String(error));
          });
        }}
      >
        Post a sample call
      </button>{" "}
      <span role="status">{result}</span>
    </p>
  );
}

import { useState } from "react";

import { createApi, SalesforceIntegration } from "../src";
import css from "./page.module.css";

/** What the local stack serves as `/local.json`. */
export interface LocalConfig {
  /** Dashboard JWT of an admin of the sample workspace. */
  token: string;
  /** Origin of the Salesforce simulator. */
  simulatorUrl: string;
  /** A sample end-of-call report. */
  sampleReport: unknown;
}

export function Page({ token, simulatorUrl, sampleReport }: LocalConfig) {
  return (
    <main className={css.page}>
      <h1>Ringlog, running locally</h1>
      <p>
        This is the card as your dashboard would show it. Connect it, post a sample call, then find the Task
        in the{" "}
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

/** Posts the sample call to the webhook, as Vapi would. */
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
        ? "Posted. It will appear in the list in a few seconds."
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

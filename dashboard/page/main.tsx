/** The local demo page. It stands in for a dashboard that embeds the card. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Page, type LocalConfig } from "./Page";

const response = await fetch("/local.json");
const config = (await response.json()) as LocalConfig;
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page {...config} />
    </StrictMode>,
  );
}

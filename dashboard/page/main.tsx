/** The page that shows the card on this machine: what a dashboard of yours would be. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Page, type Surroundings } from "./Page";

const answer = await fetch("/local.json");
const surroundings = (await answer.json()) as Surroundings;
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page {...surroundings} />
    </StrictMode>,
  );
}

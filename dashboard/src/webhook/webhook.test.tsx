import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { connected, json, problem, routes, renderCard, type Routes } from "../testing/mockApi";

async function open(more: Routes = {}) {
  const seen = renderCard({ ...routes(connected), ...more });
  await userEvent.click(await screen.findByRole("tab", { name: "Vapi" }));
  return seen;
}

test("the secret is hidden until revealed, and can be copied either way", async () => {
  const user = userEvent.setup();
  renderCard(routes(connected));
  await user.click(await screen.findByRole("tab", { name: "Vapi" }));
  await user.click(await screen.findByRole("button", { name: "Copy: Secret" }));
  expect(await navigator.clipboard.readText()).toBe("rl1.secret");
  expect(screen.queryByText("rl1.secret")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Show: Secret" }));
  expect(screen.getByText("rl1.secret")).toBeDefined();
});

test("the JSON has the server with retries, and only end-of-call reports", async () => {
  const user = userEvent.setup();
  renderCard(routes(connected));
  await user.click(await screen.findByRole("tab", { name: "Vapi" }));
  await user.click(await screen.findByRole("button", { name: "Copy: Everything as JSON" }));
  expect(JSON.parse(await navigator.clipboard.readText())).toEqual({
    server: {
      url: "https://api.example.com/webhook/vapi",
      headers: { "X-Vapi-Secret": "rl1.secret" },
      backoffPlan: { type: "exponential", maxRetries: 3, baseDelaySeconds: 1 },
    },
    serverMessages: ["end-of-call-report"],
  });
});

test("rotating the secret asks for confirmation, then shows the new one", async () => {
  const bodies: unknown[] = [];
  await open({
    "POST webhook/rotate": async (request) => {
      bodies.push(await request.json());
      return json({
        url: "https://api.example.com/webhook/vapi",
        header: "X-Vapi-Secret",
        secret: "rl1.new",
      });
    },
  });
  await userEvent.click(await screen.findByRole("button", { name: "Rotate secret…" }));
  await userEvent.click(screen.getByRole("checkbox", { name: /The current secret has leaked/ }));
  expect(screen.getByText("Calls are not logged until the new secret is in Vapi.")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Rotate secret" }));
  expect(await screen.findByText("rl1.new")).toBeDefined();
  expect(bodies).toEqual([{ revokePrevious: true }]);
});

test("a refused non-admin is told so, and other admin-only buttons lock too", async () => {
  await open({ "GET webhook": () => problem(403, "admin_required", "Ask one.") });
  const panel = screen.getByRole("tabpanel");
  expect(await within(panel).findByText("Only workspace admins can do this.")).toBeDefined();
  expect(screen.getByRole("button", { name: "Disconnect" })).toHaveProperty("ariaDisabled", "true");
});

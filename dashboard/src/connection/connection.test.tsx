import { act, fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import {
  connected,
  disconnected,
  json,
  NOW,
  problem,
  routes,
  settings,
  renderCard,
  type Routes,
} from "../testing/mockApi";

const AUTH_URL = "https://login.salesforce.com/services/oauth2/authorize?state=x";

/** Replaces `window.open` with a popup that the test controls. */
function stubPopup() {
  const popup = { closed: false, close: vi.fn(), location: { replace: vi.fn() } };
  vi.spyOn(window, "open").mockReturnValue(popup as unknown as Window);
  return popup;
}

function connects(more: Routes = {}): Routes {
  return { ...routes(disconnected), "GET oauth/initiate": () => json({ authUrl: AUTH_URL }), ...more };
}

function tell(message: object, origin = location.origin) {
  act(() => {
    window.dispatchEvent(
      new MessageEvent("message", { data: { type: "ringlog.salesforce", ...message }, origin }),
    );
  });
}

async function clickConnect() {
  await userEvent.click(await screen.findByRole("button", { name: "Connect with Salesforce" }));
}

test("connecting opens the Salesforce popup and succeeds when it posts its message", async () => {
  const popup = stubPopup();
  let status = disconnected;
  renderCard(connects({ "GET status": () => json(status) }));
  await clickConnect();
  expect(popup.location.replace).toHaveBeenCalledWith(AUTH_URL);
  expect(await screen.findByText(/choose Allow/)).toBeDefined();
  status = connected;
  tell({ success: true, detail: "Done." });
  expect(await screen.findByText(/Salesforce is connected/)).toBeDefined();
  expect(await screen.findByText("Iris Integration")).toBeDefined();
});

test("a message from another origin is ignored", async () => {
  stubPopup();
  renderCard(connects());
  await clickConnect();
  tell({ success: true, detail: "" }, "https://evil.example");
  expect(await screen.findByText(/choose Allow/)).toBeDefined();
});

test("if the popup loses its opener, polling the status detects the connection", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const popup = stubPopup();
  let status = disconnected;
  renderCard(connects({ "GET status": () => json(status) }));
  fireEvent.click(await screen.findByRole("button", { name: "Connect with Salesforce" }));
  popup.closed = true;
  expect(await screen.findByText(/seems to be closed/)).toBeDefined();
  status = { ...connected, connectedAt: NOW };
  await act(() => vi.advanceTimersByTimeAsync(2500));
  expect(await screen.findByText(/Salesforce is connected/)).toBeDefined();
});

test.each([
  ["access_denied", "Access was denied"],
  ["state_expired", "Connecting took longer than 10 minutes"],
  ["state_of_another_browser", "The connection was started in a different browser"],
  ["app_not_installed", "The app is not installed in your Salesforce org yet"],
  ["api_disabled", "Your Salesforce org or user has no API access"],
  ["login_address_gone", "No Salesforce org found at this URL"],
  ["own_configuration", "Our Salesforce app is misconfigured"],
  ["something_new", "Salesforce could not be connected"],
])("a connect that fails with %s says what to do", async (code, title) => {
  stubPopup();
  renderCard(connects());
  await clickConnect();
  tell({ success: false, code, detail: "Message from the callback." });
  expect((await screen.findByRole("alert")).textContent).toContain(title);
  expect(screen.getByRole("button", { name: "Connect with Salesforce" })).toBeDefined();
});

test("a blocked popup explains how to allow it, and sends no request", async () => {
  vi.spyOn(window, "open").mockReturnValue(null);
  const seen = renderCard(connects());
  await clickConnect();
  expect(await screen.findByText("Your browser blocked the Salesforce window")).toBeDefined();
  expect(seen.some(({ url }) => url.includes("initiate"))).toBe(false);
});

test("an API on another site is reported before a popup opens", async () => {
  const open = vi.spyOn(window, "open");
  renderCard(connects(), { apiUrl: "https://abc.execute-api.us-east-1.amazonaws.com" });
  await clickConnect();
  expect(await screen.findByText("This page cannot connect Salesforce")).toBeDefined();
  expect(open).not.toHaveBeenCalled();
});

test("a My Domain is validated and sent as the login URL", async () => {
  stubPopup();
  const seen = renderCard(connects());
  await userEvent.click(await screen.findByRole("radio", { name: "My Domain" }));
  await userEvent.type(screen.getByRole("textbox", { name: "My Domain URL" }), "evil.example");
  await clickConnect();
  expect(await screen.findByText(/which ends with \.my\.salesforce\.com\.$/)).toBeDefined();
  await userEvent.clear(screen.getByRole("textbox", { name: "My Domain URL" }));
  await userEvent.type(screen.getByRole("textbox", { name: "My Domain URL" }), "acme.my.salesforce.com");
  await clickConnect();
  const asked = seen.find(({ url }) => url.includes("initiate"));
  expect(new URL(asked?.url ?? "").searchParams.get("loginUrl")).toBe("https://acme.my.salesforce.com");
});

test.each([
  ["https://acme.lightning.force.com/lightning/page/home", "https://acme.lightning.force.com"],
  ["acme--dev.sandbox.lightning.force.com/lightning/o/Lead", "https://acme--dev.sandbox.lightning.force.com"],
  ["https://acme.my.salesforce-setup.com/lightning/setup/home", "https://acme.my.salesforce-setup.com"],
  // Such a URL contains a session ID, which must not be sent.
  ["https://acme.my.salesforce.com/secur/frontdoor.jsp?sid=x#y", "https://acme.my.salesforce.com"],
])("the URL of any page in Salesforce is accepted, and only its host is sent: %s", async (page, host) => {
  stubPopup();
  const seen = renderCard(connects());
  await userEvent.click(await screen.findByRole("radio", { name: "My Domain" }));
  await userEvent.click(screen.getByRole("textbox", { name: "My Domain URL" }));
  await userEvent.paste(page);
  await clickConnect();
  expect(sentLoginUrl(seen)).toBe(host);
});

test.each([
  "https://login.salesforce.com.evil.example",
  "https://evil.example/.my.salesforce.com",
  "https://me@acme.my.salesforce.com",
  "http://acme.my.salesforce.com",
  "https://acme.my.salesforce.com.evil.example/lightning",
])("%s is rejected as a My Domain", async (other) => {
  stubPopup();
  const seen = renderCard(connects());
  await userEvent.click(await screen.findByRole("radio", { name: "My Domain" }));
  await userEvent.click(screen.getByRole("textbox", { name: "My Domain URL" }));
  await userEvent.paste(other);
  await clickConnect();
  expect(await screen.findByText(/This is not a My Domain URL/)).toBeDefined();
  expect(seen.some(({ url }) => url.includes("initiate"))).toBe(false);
});

test("a non-admin is told to ask an admin", async () => {
  const popup = stubPopup();
  renderCard(connects({ "GET oauth/initiate": () => problem(403, "admin_required", "Ask an admin.") }));
  await clickConnect();
  expect(await screen.findByText("Only workspace admins can connect Salesforce")).toBeDefined();
  expect(popup.close).toHaveBeenCalled();
  expect(screen.queryByRole("button", { name: "Connect with Salesforce" })).toBeNull();
});

test("with isAdmin={false} the connect button is not offered", async () => {
  renderCard(routes(disconnected), { isAdmin: false });
  expect(await screen.findByText(/Only workspace admins can connect Salesforce/)).toBeDefined();
  expect(screen.queryByRole("button", { name: "Connect with Salesforce" })).toBeNull();
});

test("an ended connection asks the user to reconnect, with the reason", async () => {
  renderCard(
    routes({
      ...connected,
      connected: false,
      state: "reconnect_required",
      reason: "The user was deactivated.",
    }),
  );
  expect(await screen.findByText("Reconnect needed")).toBeDefined();
  expect(screen.getByText("Reason: The user was deactivated.")).toBeDefined();
  expect(await screen.findByRole("button", { name: "Reconnect Salesforce" })).toBeDefined();
  // The old org and the disconnect button are still there.
  expect(screen.getByText("00D000000000001EAA")).toBeDefined();
  expect(screen.getByRole("button", { name: "Disconnect" })).toBeDefined();
});

test("disconnecting asks for confirmation", async () => {
  let status = connected;
  const seen = renderCard({
    ...routes(connected),
    "GET status": () => json(status),
    "DELETE disconnect": () => {
      status = disconnected;
      return json({ success: true, message: "Salesforce disconnected" });
    },
  });
  await userEvent.click(await screen.findByRole("button", { name: "Disconnect" }));
  const dialog = screen.getByRole("dialog", { name: "Disconnect Salesforce?" });
  expect(seen.some(({ method }) => method === "DELETE")).toBe(false);
  const buttons = Array.from(dialog.querySelectorAll("button"));
  await userEvent.click(buttons.find(({ textContent }) => textContent === "Disconnect") ?? dialog);
  expect(await screen.findByText("Not connected")).toBeDefined();
});

test("high API usage shows a warning", async () => {
  renderCard(routes({ ...connected, apiUsage: { used: 14_000, limit: 15_000 } }));
  expect(await screen.findByText(/Close to the limit/)).toBeDefined();
});

test("every request sends a fresh token and the browser's cookies", async () => {
  let token = 0;
  const seen = renderCard(routes(connected), { getToken: () => Promise.resolve(`token-${++token}`) });
  await screen.findByText("Connected");
  expect(seen[0]?.headers.get("Authorization")).toMatch(/^Bearer token-\d$/);
  expect(seen.every(({ credentials }) => credentials === "include")).toBe(true);
});

test("after a disconnect the success message is gone", async () => {
  stubPopup();
  let status = disconnected;
  renderCard({
    ...connects({ "GET status": () => json(status) }),
    "DELETE disconnect": () => {
      status = disconnected;
      return json({ success: true, message: "Salesforce disconnected" });
    },
  });
  await clickConnect();
  status = connected;
  tell({ success: true, detail: "" });
  expect(await screen.findByText(/Salesforce is connected/)).toBeDefined();
  await userEvent.click(await screen.findByRole("button", { name: "Disconnect" }));
  await userEvent.click(within(screen.getByRole("dialog")).getByText("Disconnect"));
  expect(await screen.findByText("Not connected")).toBeDefined();
  expect(screen.queryByText(/Salesforce is connected/)).toBeNull();
});

test("a connection first seen by the card's own refetch ends the flow, too", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  stubPopup();
  let status = disconnected;
  const seen = renderCard(connects({ "GET status": () => json(status) }));
  fireEvent.click(await screen.findByRole("button", { name: "Connect with Salesforce" }));
  await screen.findByText(/choose Allow/);
  await act(() => vi.advanceTimersByTimeAsync(6_500));
  status = { ...connected, connectedAt: NOW };
  // The page becomes visible again, so the card refetches the status.
  act(() => {
    window.dispatchEvent(new Event("visibilitychange"));
  });
  expect(await screen.findByText("Iris Integration")).toBeDefined();
  await act(() => vi.advanceTimersByTimeAsync(2_500));
  expect(await screen.findByText(/Salesforce is connected/)).toBeDefined();
  const asked = () => seen.filter(({ url }) => url.endsWith("/status")).length;
  const before = asked();
  await act(() => vi.advanceTimersByTimeAsync(10_000));
  expect(asked()).toBe(before);
});

test.each([
  ["an expired session", () => problem(401, "http_401"), "Your session has expired. Sign in again."],
  [
    "no network",
    () => Promise.reject(new TypeError("Failed to fetch")),
    "Can't reach the service. Check your internet connection.",
  ],
])("connecting with %s shows the error", async (_, answer, words) => {
  stubPopup();
  renderCard(connects({ "GET oauth/initiate": answer }));
  await clickConnect();
  expect((await screen.findByRole("alert")).textContent).toContain(words);
});

/** Settings with this login URL. */
function withLogin(loginUrl: string | null): Routes {
  return { "GET settings": () => json({ ...settings, loginUrl }, { ETag: '"1"' }) };
}

/** The login URL that was sent. */
function sentLoginUrl(seen: Request[]): string | null {
  const asked = seen.find(({ url }) => url.includes("initiate"));
  return new URL(asked?.url ?? "").searchParams.get("loginUrl");
}

const ended: typeof connected = { ...connected, connected: false, state: "reconnect_required", reason: "" };

test("choosing Production overrides another environment in the settings", async () => {
  stubPopup();
  const seen = renderCard(connects(withLogin("https://test.salesforce.com")));
  await userEvent.click(await screen.findByRole("radio", { name: "Production" }));
  await clickConnect();
  expect(sentLoginUrl(seen)).toBe("https://login.salesforce.com");
});

test("the environment from the settings is preselected and used", async () => {
  stubPopup();
  const seen = renderCard(connects(withLogin("https://test.salesforce.com")));
  expect(await screen.findByRole<HTMLInputElement>("radio", { name: "Sandbox" })).toHaveProperty(
    "checked",
    true,
  );
  await clickConnect();
  expect(sentLoginUrl(seen)).toBe("https://test.salesforce.com");
});

test("without a choice or a setting, the deployment's default is used", async () => {
  stubPopup();
  const seen = renderCard(connects());
  await clickConnect();
  expect(sentLoginUrl(seen)).toBeNull();
});

test.each([
  ["from the settings", "https://own.my.salesforce.com", "own.my.salesforce.com"],
  ["of the ended connection", null, "acme.my.salesforce.com"],
])("a reconnect uses the My Domain %s", async (_, login, host) => {
  stubPopup();
  const seen = renderCard({ ...connects(withLogin(login)), "GET status": () => json(ended) });
  const domain = await screen.findByRole("textbox", { name: "My Domain URL" });
  expect(domain).toHaveProperty("value", host);
  await userEvent.click(screen.getByRole("button", { name: "Reconnect Salesforce" }));
  expect(sentLoginUrl(seen)).toBe(`https://${host}`);
});

test("connecting waits for the settings; if they fail to load, the shown environment is used", async () => {
  stubPopup();
  let answer: (response: Response) => void = () => undefined;
  const seen = renderCard(connects({ "GET settings": () => new Promise((resolve) => (answer = resolve)) }));
  expect(await screen.findByText(/is logged as a Task/)).toBeDefined();
  expect(screen.queryByRole("button", { name: "Connect with Salesforce" })).toBeNull();
  answer(problem(403, "no_workspace"));
  expect(await screen.findByRole("radio", { name: "Production" })).toHaveProperty("checked", true);
  await clickConnect();
  expect(sentLoginUrl(seen)).toBe("https://login.salesforce.com");
});

test("starting again restarts the ten-minute timeout", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  stubPopup();
  renderCard(connects());
  fireEvent.click(await screen.findByRole("button", { name: "Connect with Salesforce" }));
  await screen.findByText(/choose Allow/);
  await act(() => vi.advanceTimersByTimeAsync(9 * 60_000));
  fireEvent.click(screen.getByRole("button", { name: "Start again" }));
  await act(() => vi.advanceTimersByTimeAsync(2 * 60_000));
  expect(screen.getByText(/choose Allow/)).toBeDefined();
  await act(() => vi.advanceTimersByTimeAsync(8 * 60_000));
  expect(screen.getByText("Connecting took longer than 10 minutes")).toBeDefined();
});

test("an IP restriction points to the policies of External Client Apps and of Connected Apps", async () => {
  stubPopup();
  renderCard(connects());
  await clickConnect();
  const steps =
    /Setup › External Client App Manager › the app › Policies › Edit › IP Relaxation \(for an older/;
  expect(await screen.findByText(steps)).toBeDefined();
  tell({ success: false, code: "salesforce_refused", detail: "IP restricted" });
  const alert = await screen.findByRole("alert");
  expect(within(alert).getByText(steps).textContent).toContain("Setup › Manage Connected Apps › the app");
});

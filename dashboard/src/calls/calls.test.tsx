import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import type { SyncLog } from "../api/client";
import {
  connected,
  disconnected,
  failed,
  json,
  logged,
  problem,
  routes,
  renderCard,
  summaryOf,
  type Routes,
} from "../testing/mockApi";

test("a logged call shows the caller, the last digits of the number, and links to Salesforce", async () => {
  renderCard(routes(connected, [logged]));
  const list = await screen.findByRole("list", { name: "Calls" });
  expect(within(list).getByText("Ada Sample")).toBeDefined();
  expect(within(list).getByText("•••• 0123")).toBeDefined();
  expect(document.body.textContent).not.toContain("5550123");
  await userEvent.click(within(list).getByText("Ada Sample"));
  const link = within(list).getByRole("link", { name: /Open Task/ });
  expect(link.getAttribute("href")).toBe("https://acme.my.salesforce.com/00T000000000001EAA");
  expect(within(list).queryByRole("button", { name: "Retry" })).toBeNull();
});

test("a call explains why its record was chosen, and lists the others with the number", async () => {
  renderCard(routes(connected, [logged]));
  const list = await screen.findByRole("list", { name: "Calls" });
  await userEvent.click(within(list).getByText("Ada Sample"));
  expect(
    within(list).getByText(/The most recently changed of several records with this number\. Mobile Phone/),
  ).toBeDefined();
  expect(within(list).getByText("1 other record has this number:")).toBeDefined();
  expect(within(list).getByText("Lead Bob Sample – Phone: exact match")).toBeDefined();
});

test("a failed call says how to fix it, and can be retried", async () => {
  const seen = renderCard({
    ...routes(connected, [failed]),
    "POST sync-logs/call-2/retry": () => json({ status: "queued" }, {}, 202),
  });
  const list = await screen.findByRole("list", { name: "Calls" });
  await userEvent.click(within(list).getByText("Ada Sample"));
  expect(within(list).getByText(/Change the rule, then retry/)).toBeDefined();
  await userEvent.click(within(list).getByRole("button", { name: "Retry" }));
  expect(await within(list).findByText("Queued for retry")).toBeDefined();
  expect(seen.some(({ method, url }) => method === "POST" && url.endsWith("/call-2/retry"))).toBe(true);
});

test("all calls with the same error code are retried together", async () => {
  const bodies: unknown[] = [];
  renderCard({
    ...routes(connected, [failed, { ...failed, callId: "call-3" }]),
    "POST sync-logs/retry": async (request) => {
      bodies.push(await request.json());
      return json({ queued: 2 }, {}, 202);
    },
  });
  expect(await screen.findByText("(2 calls)")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: /^Retry all/ }));
  expect(await screen.findByText("2 calls queued for retry.")).toBeDefined();
  expect(bodies).toEqual([{ errorCode: "FIELD_CUSTOM_VALIDATION_EXCEPTION" }]);
});

test("a reason is shown even if its calls are far down the list", async () => {
  const older = { ...failed, callId: "call-3" };
  const note = {
    ...logged,
    callId: "call-4",
    errorCode: "appointment_no_time",
    errorMessage: "It has no time.",
  };
  renderCard({
    ...routes(connected, [note, older]),
    "GET sync-logs": (request) => {
      const status = new URL(request.url).searchParams.get("status");
      return json({ items: status === "error" ? [older] : [note], nextCursor: null });
    },
  });
  const reasons = await screen.findByRole("region", { name: "Why calls are not logged" });
  expect(within(reasons).getByText(/Not on Sundays/)).toBeDefined();
  // A note on a logged call is not a reason.
  expect(within(reasons).queryByText(/It has no time/)).toBeNull();
});

/** A paginated list in which this many newer calls come before the failed one. */
function behind(newer: number): Routes {
  const others = Array.from({ length: newer }, (_, at) => ({
    ...failed,
    callId: `newer-${at}`,
    errorCode: "STORAGE_LIMIT_EXCEEDED",
    errorMessage: "The storage is full.",
  }));
  const all = [...others, failed];
  return {
    ...routes(connected, all),
    "GET sync-logs": (request) => {
      const query = new URL(request.url).searchParams;
      const from = Number(query.get("cursor"));
      const to = from + Number(query.get("limit"));
      return json({ items: all.slice(from, to), nextCursor: to < all.length ? `${to}` : null });
    },
  };
}

test("a reason behind hundreds of newer calls is shown with Salesforce's message", async () => {
  const seen = renderCard(behind(350));
  const reasons = await screen.findByRole("region", { name: "Why calls are not logged" });
  expect(await within(reasons).findByText(/Not on Sundays/)).toBeDefined();
  expect(within(reasons).getByText(/The storage is full/)).toBeDefined();
  expect(seen.filter(({ url }) => url.includes("limit=100"))).toHaveLength(4);
});

test("a reason beyond the search limit is shown as its code, with the card's own remedy", async () => {
  const seen = renderCard(behind(600));
  const reasons = await screen.findByRole("region", { name: "Why calls are not logged" });
  expect(
    await within(reasons).findByText(/FIELD_CUSTOM_VALIDATION_EXCEPTION: Change the validation rule/),
  ).toBeDefined();
  expect(
    within(reasons).getByRole("button", { name: "Retry all: FIELD_CUSTOM_VALIDATION_EXCEPTION" }),
  ).toBeDefined();
  expect(seen.filter(({ url }) => url.includes("limit=100"))).toHaveLength(5);
});

test("the list waits for the sections above it", async () => {
  let answer: (response: Response) => void = () => undefined;
  renderCard({
    ...routes(connected, [failed]),
    "GET sync-logs/summary": () => new Promise((resolve) => (answer = resolve)),
  });
  await screen.findByRole("tab", { name: "Calls" });
  await waitFor(() => {
    expect(screen.queryByRole("heading", { name: "Calls" })).toBeNull();
  });
  answer(json(summaryOf([failed])));
  expect(await screen.findByRole("list", { name: "Calls" })).toBeDefined();
  expect(screen.getByRole("region", { name: "Why calls are not logged" })).toBeDefined();
});

test("the list is shown even if the summary never loads", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  renderCard({
    ...routes(connected, [logged]),
    "GET sync-logs/summary": () => new Promise(() => undefined),
  });
  await screen.findByRole("tab", { name: "Calls" });
  await act(() => vi.advanceTimersByTimeAsync(3_000));
  expect(screen.getByText("Ada Sample")).toBeDefined();
});

test("polling stops while the page is hidden, and everything refreshes when it is visible again", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const seen = renderCard(routes(connected, [logged]));
  await screen.findByText("Ada Sample");
  const asked = () => seen.map(({ url }) => new URL(url).pathname.replace("/api/salesforce/", ""));
  const turn = (state: DocumentVisibilityState) => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
    act(() => {
      window.dispatchEvent(new Event("visibilitychange"));
    });
  };
  const before = seen.length;
  await act(() => vi.advanceTimersByTimeAsync(30_000));
  expect(asked().slice(before)).toEqual(expect.arrayContaining(["sync-logs", "sync-logs/summary", "status"]));
  turn("hidden");
  const then = seen.length;
  await act(() => vi.advanceTimersByTimeAsync(300_000));
  expect(asked().slice(then)).toEqual([]);
  turn("visible");
  await act(() => vi.advanceTimersByTimeAsync(0));
  expect(asked().slice(then)).toEqual(expect.arrayContaining(["sync-logs", "sync-logs/summary", "status"]));
});

test("a waiting call does not claim that no record matched", async () => {
  const waiting: SyncLog = {
    ...logged,
    status: "waiting_for_connection",
    salesforceRecordId: null,
    salesforceRecordType: null,
    salesforceTaskId: null,
    decision: null,
  };
  const unmatched: SyncLog = {
    ...waiting,
    callId: "call-5",
    status: "not_found",
    decision: { rule: "no_candidate", chosen: null, candidates: [], candidateCount: 0 },
  };
  renderCard(routes(connected, [waiting, unmatched]));
  const list = await screen.findByRole("list", { name: "Calls" });
  expect(within(list).getAllByText("Caller not looked up yet")).toHaveLength(1);
  expect(within(list).getAllByText("No matching record")).toHaveLength(1);
});

test("a call without a record says which records were ruled out, and why", async () => {
  const possible: SyncLog = {
    ...logged,
    status: "skipped",
    salesforceRecordId: null,
    salesforceRecordType: null,
    salesforceTaskId: null,
    errorCode: "possible_match",
    errorMessage: "Salesforce found 1 record by the caller's number.",
    decision: {
      rule: "no_candidate",
      chosen: null,
      candidates: [],
      candidateCount: 0,
      turnedDown: [
        { id: "003000000000001AAA", recordType: "Contact", name: "Ada Sample", why: "number_not_read" },
        { id: "00Q000000000002EAA", recordType: "Lead", name: null, why: "INVALID_CROSS_REFERENCE_KEY" },
      ],
    },
  };
  renderCard(routes(connected, [possible]));
  const list = await screen.findByRole("list", { name: "Calls" });
  expect(within(list).getByText("2 records were ruled out:")).toBeDefined();
  expect(within(list).getByText(/Contact Ada Sample – the number is in a field/)).toBeDefined();
  expect(within(list).getByText("Lead 00Q000000000002EAA – INVALID_CROSS_REFERENCE_KEY")).toBeDefined();
});

test("a call of a newer version of Ringlog is shown in its own words", async () => {
  const newer = {
    ...failed,
    callId: "call-7",
    status: "undoing",
    errorMessage: null,
    salesforceRecordType: "Account",
    decision: {
      rule: "told_by_a_person",
      chosen: null,
      candidates: [
        { id: "001000000000001AAA", recordType: "Account", name: null, field: "Fax__c", exactness: "spoken" },
      ],
      candidateCount: 1,
    },
  } as unknown as SyncLog;
  const summary = summaryOf([logged]);
  renderCard({
    ...routes(connected, [newer, logged]),
    "GET sync-logs/summary": () =>
      json({ ...summary, total: 3, statuses: { ...summary.statuses, undoing: 2 } }),
  });
  const list = await screen.findByRole("list", { name: "Calls" });
  expect(within(list).getByText("undoing")).toBeDefined();
  expect(within(list).getByText("told_by_a_person")).toBeDefined();
  expect(within(list).getByText(/^Account 001000000000001AAA – .*spoken$/)).toBeDefined();
  expect(within(list).getByText("Ada Sample")).toBeDefined();
  // The API would refuse it.
  expect(within(list).queryByRole("button", { name: "Retry" })).toBeNull();
  expect(
    screen.getByRole("img", { name: "Calls in the last 24 hours: Logged: 1, undoing: 2" }),
  ).toBeDefined();
});

test("the list can be filtered by status and loads page by page", async () => {
  const seen = renderCard({
    ...routes(connected),
    "GET sync-logs": (request) => {
      const query = new URL(request.url).searchParams;
      const second = query.get("cursor") === "next";
      const call = {
        ...logged,
        callId: second ? "call-9" : "call-1",
        status: query.get("status") ?? "success",
      };
      return json({ items: [call], nextCursor: second ? null : "next" });
    },
  });
  await userEvent.click(await screen.findByRole("button", { name: "Load more" }));
  const list = screen.getByRole("list", { name: "Calls" });
  expect(await within(list).findAllByText("Ada Sample")).toHaveLength(2);
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Show" }), "Failed");
  expect(await within(screen.getByRole("list", { name: "Calls" })).findByText("Failed")).toBeDefined();
  expect(seen.some(({ url }) => url.includes("status=error"))).toBe(true);
});

test("the summary shows the last day's counts, also to screen readers", async () => {
  renderCard(routes(connected, [logged, failed]));
  expect(
    await screen.findByRole("img", { name: "Calls in the last 24 hours: Logged: 1, Failed: 1" }),
  ).toBeDefined();
  expect(screen.getByText("Last 24 hours: 2 calls")).toBeDefined();
});

test("an empty list links to the Vapi setup", async () => {
  renderCard(routes(connected));
  await userEvent.click(await screen.findByRole("button", { name: "Set up Vapi" }));
  expect(await screen.findByText("Server URL")).toBeDefined();
});

test("a list that fails to load shows the error and can be reloaded", async () => {
  let works = false;
  renderCard({
    ...routes(connected, [logged]),
    "GET sync-logs": () =>
      works
        ? json({ items: [logged], nextCursor: null })
        : problem(403, "no_workspace", "Your token names none."),
  });
  expect(await screen.findByText("Your token names none.")).toBeDefined();
  works = true;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Ada Sample")).toBeDefined();
});

test("calls that failed days ago can be retried together, too", async () => {
  const bodies: unknown[] = [];
  renderCard({
    ...routes(connected, [failed, { ...failed, callId: "call-3" }]),
    "GET sync-logs/summary": () => json(summaryOf([])),
    "POST sync-logs/retry": async (request) => {
      bodies.push(await request.json());
      return json({ queued: 2 }, {}, 202);
    },
  });
  await userEvent.click(await screen.findByRole("button", { name: /^Retry all/ }));
  expect(bodies).toEqual([{ errorCode: "FIELD_CUSTOM_VALIDATION_EXCEPTION" }]);
});

test("a next page that fails to load shows the error", async () => {
  renderCard({
    ...routes(connected),
    "GET sync-logs": (request) =>
      new URL(request.url).searchParams.has("cursor")
        ? problem(400, "invalid_cursor", "The list has changed.")
        : json({ items: [logged], nextCursor: "next" }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Load more" }));
  expect(await screen.findByText("The list has changed.")).toBeDefined();
  expect(screen.getByText("Ada Sample")).toBeDefined();
});

test("a retry that failed again is no longer shown as queued", async () => {
  let call = failed;
  renderCard({
    ...routes(connected),
    "GET sync-logs": () => json({ items: [call], nextCursor: null }),
    "POST sync-logs/call-2/retry": () => {
      call = { ...failed, attempts: 4, updatedAt: failed.updatedAt + 3 };
      return json({ status: "queued" }, {}, 202);
    },
  });
  const list = await screen.findByRole("list", { name: "Calls" });
  await userEvent.click(within(list).getByText("Ada Sample"));
  await userEvent.click(within(list).getByRole("button", { name: "Retry" }));
  expect(await within(list).findByText("4")).toBeDefined();
  expect(within(list).queryByText("Queued for retry")).toBeNull();
});

test("a long list is polled less often than a short one", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const seen = renderCard({
    ...routes(connected),
    "GET sync-logs": (request) => {
      const query = new URL(request.url).searchParams;
      const at = Number(query.get("cursor"));
      const items = query.has("status") ? [] : [{ ...logged, callId: `call-${at}` }];
      return json({ items, nextCursor: at < 2 && !query.has("status") ? `${at + 1}` : null });
    },
  });
  for (const pages of [2, 3]) {
    fireEvent.click(await screen.findByRole("button", { name: "Load more" }));
    await waitFor(() => {
      expect(screen.getAllByText("Ada Sample")).toHaveLength(pages);
    });
  }
  const read = () => seen.filter(({ url }) => /sync-logs(\?(?!.*status=)|$)/.test(url)).length;
  const before = read();
  await act(() => vi.advanceTimersByTimeAsync(65_000));
  // Three pages, twice a minute.
  expect(read() - before).toBe(6);
});

test.each([
  ["connected", connected, "Only workspace admins can do this."],
  [
    "not connected",
    disconnected,
    "Only workspace admins can connect Salesforce. Ask an admin to connect it.",
  ],
])(
  "in a workspace that is %s, a member can focus locked buttons and is told why they are locked",
  async (_, status, words) => {
    const seen = renderCard(routes(status, [failed]), { isAdmin: false });
    const list = await screen.findByRole("list", { name: "Calls" });
    await userEvent.click(within(list).getByText("Ada Sample"));
    const names = [/^Retry$/, /^Retry all/, ...(status.connected ? [/^Disconnect$/] : [])];
    for (const name of names) {
      const button = screen.getByRole<HTMLButtonElement>("button", { name });
      expect(button.disabled).toBe(false);
      expect(button.getAttribute("aria-disabled")).toBe("true");
      expect(document.getElementById(button.getAttribute("aria-describedby") ?? "")).toBe(
        screen.getByText(words),
      );
      await userEvent.click(button);
    }
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(seen.every(({ method }) => method === "GET")).toBe(true);
  },
);

test.each(["Test", "Settings"])("the %s tab does not repeat the header's admin message", async (tab) => {
  renderCard(routes(connected), { isAdmin: false });
  await userEvent.click(await screen.findByRole("tab", { name: tab }));
  await within(screen.getByRole("tabpanel")).findAllByRole("button");
  expect(screen.getAllByText("Only workspace admins can do this.")).toHaveLength(1);
});

test.each(["Test", "Settings"])("the %s tab shows the admin message while disconnected", async (tab) => {
  renderCard(routes(disconnected), { isAdmin: false });
  await userEvent.click(await screen.findByRole("tab", { name: tab }));
  const panel = screen.getByRole("tabpanel");
  expect(await within(panel).findByText("Only workspace admins can do this.")).toBeDefined();
});

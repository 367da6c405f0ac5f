import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { connected, json, logged, problem, routes, renderCard, type Routes } from "../testing/mockApi";

const candidates = logged.decision?.candidates ?? [];
const preview = {
  success: true,
  dryRun: true,
  callId: "test-x",
  salesforceRecordId: "00Q000000000001EAA",
  salesforceTaskId: null,
  salesforceEventId: null,
  recordType: "Lead",
  candidates,
  decision: { rule: "most_recent", chosen: { recordType: "Lead", id: "00Q000000000001EAA" } },
  payloads: { lead: null, task: { WhoId: "00Q000000000001EAA", Subject: "Inbound Call" }, event: null },
  errorCode: null,
  errorMessage: null,
};

async function open(more: Routes) {
  const seen = renderCard({ ...routes(connected), ...more });
  await userEvent.click(await screen.findByRole("tab", { name: "Test" }));
  return seen;
}

async function ask(number: string) {
  await userEvent.type(await screen.findByRole("textbox", { name: "Phone number" }), number);
  await userEvent.click(screen.getByRole("button", { name: "Show what would happen" }));
}

test("a preview shows the match, the reason and the payload; then a test Task is written", async () => {
  const bodies: { callId: string; dryRun: boolean; phoneNumber: string }[] = [];
  await open({
    "POST test-sync": async (request) => {
      const body = (await request.json()) as (typeof bodies)[0];
      bodies.push(body);
      const result = {
        ...{ success: true, callId: "test-x", status: "success", errorCode: null, errorMessage: null },
        ...{ salesforceRecordId: null, salesforceTaskId: null, salesforceEventId: null, recordType: null },
      };
      return json(body.dryRun ? preview : result);
    },
  });
  await ask("+1 234 555 0123");
  expect(await screen.findByText("The call would be logged on Lead Ada Sample.")).toBeDefined();
  expect(screen.getByText("The most recently changed of several records with this number.")).toBeDefined();
  expect(screen.getByText(/"Subject": "Inbound Call"/)).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Write a test Task" }));
  expect(await screen.findByText("The test Task was written.")).toBeDefined();
  expect(bodies.map(({ dryRun }) => dryRun)).toEqual([true, false]);
  expect(bodies[1]?.callId).toBe(bodies[0]?.callId);
});

test("what a test wrote can be opened in Salesforce", async () => {
  const ids = {
    salesforceRecordId: "00Q000000000001EAA",
    salesforceTaskId: "00T000000000009EAA",
    salesforceEventId: "00U000000000009EAA",
    recordType: "Lead",
  };
  const result = {
    success: true,
    callId: "test-x",
    status: "success",
    errorCode: null,
    errorMessage: null,
    ...ids,
  };
  let isWritten = false;
  await open({
    "POST test-sync": async (request) => {
      const { dryRun } = (await request.json()) as { dryRun: boolean };
      isWritten ||= !dryRun;
      if (!dryRun) return json(result);
      return json(
        isWritten ? { ...preview, ...ids, payloads: { lead: null, task: null, event: null } } : preview,
      );
    },
  });
  await ask("+1 234 555 0123");
  await userEvent.click(await screen.findByRole("button", { name: "Write a test Task" }));
  const at = (name: RegExp) => screen.getAllByRole("link", { name }).map((link) => link.getAttribute("href"));
  const org = "https://acme.my.salesforce.com";
  await screen.findByText("The test Task was written.");
  expect(at(/Open Lead/)).toEqual([`${org}/00Q000000000001EAA`]);
  expect(at(/Open Task/)).toEqual([`${org}/00T000000000009EAA`]);
  expect(at(/Open Event/)).toEqual([`${org}/00U000000000009EAA`]);
  // A second preview finds the call already logged.
  await userEvent.click(screen.getByRole("button", { name: "Show what would happen" }));
  expect(
    await screen.findByText("The call is already logged on Lead Ada Sample. Nothing would change."),
  ).toBeDefined();
  expect(at(/Open Task/)).toHaveLength(1);
  expect(screen.queryByRole("button", { name: "Write a test Task" })).toBeNull();
});

test("a call that would not be logged offers no test Task", async () => {
  const none = {
    ...preview,
    success: false,
    candidates: [],
    salesforceRecordId: null,
    errorMessage: "No one has it.",
  };
  await open({
    "POST test-sync": () => json({ ...none, payloads: { lead: null, task: null, event: null } }),
  });
  await ask("+12345550199");
  expect(await screen.findByText("The call would not be logged.")).toBeDefined();
  expect(screen.getByText("No one has it.")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Write a test Task" })).toBeNull();
});

test("an invalid number shows the API's message, and an empty one sends no request", async () => {
  const seen = await open({
    "POST test-sync": () => problem(400, "invalid_phone_number", "phoneNumber: not one."),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Show what would happen" }));
  expect(screen.getByText("This field is required.")).toBeDefined();
  expect(seen.some(({ method }) => method === "POST")).toBe(false);
  await ask("hello");
  expect(await screen.findByText("phoneNumber: not one.")).toBeDefined();
});

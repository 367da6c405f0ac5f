import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { Settings } from "../api/client";
import { connected, json, problem, routes, settings, renderCard, type Routes } from "../testing/mockApi";

async function open(more: Routes = {}, isAdmin?: boolean) {
  const seen = renderCard({ ...routes(connected), ...more }, isAdmin === undefined ? {} : { isAdmin });
  await userEvent.click(await screen.findByRole("tab", { name: "Settings" }));
  await screen.findByRole("combobox", { name: "If no record matches" });
  return seen;
}

const save = () => userEvent.click(screen.getByRole("button", { name: "Save" }));

test("a change is saved with the ETag of the loaded settings", async () => {
  let sent: { body: Settings; tag: string | null } | undefined;
  await open({
    "PUT settings": async (request) => {
      const body = (await request.json()) as Settings;
      sent = { body, tag: request.headers.get("If-Match") };
      return json(body, { ETag: '"2"' });
    },
  });
  expect(screen.getByRole("button", { name: "Save" }).getAttribute("aria-disabled")).toBe("true");
  await save();
  expect(sent).toBeUndefined();
  await userEvent.selectOptions(
    screen.getByRole("combobox", { name: "If no record matches" }),
    "Create a Lead",
  );
  await userEvent.selectOptions(
    screen.getByRole("combobox", { name: "Search for callers in" }),
    "Contacts, then Leads",
  );
  await save();
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(sent).toEqual({
    tag: '"1"',
    body: { ...settings, noMatch: "create_lead", matchOrder: ["Contact", "Lead"] },
  });
});

test("using a number that the caller gives is off until an admin turns it on", async () => {
  let sent: Settings | undefined;
  await open({
    "PUT settings": async (request) => {
      sent = (await request.json()) as Settings;
      return json(sent, { ETag: '"2"' });
    },
  });
  const check = screen.getByRole("checkbox", { name: /the one the caller gives/ });
  expect(check).toHaveProperty("checked", false);
  await userEvent.click(check);
  await save();
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(sent).toEqual({ ...settings, useGivenNumber: true });
});

test("a pasted URL is shown as it was saved, even if the settings did not change", async () => {
  const own = { ...settings, loginUrl: "https://acme.my.salesforce.com" };
  await open({
    "GET settings": () => json(own, { ETag: '"1"' }),
    "PUT settings": () => json(own, { ETag: '"1"' }),
  });
  const login = screen.getByRole("textbox", { name: "Salesforce login URL" });
  await userEvent.clear(login);
  await userEvent.paste("https://acme.lightning.force.com/lightning/page/home");
  await save();
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(login).toHaveProperty("value", "https://acme.my.salesforce.com");
});

test("a validation error is shown at its field", async () => {
  const detail = "timeZone must be an IANA time zone, like America/New_York.";
  await open({
    "PUT settings": () =>
      problem(400, "invalid_settings", detail, { errors: [{ field: "timeZone", detail }] }),
  });
  const zone = screen.getByRole("combobox", { name: "Time zone" });
  await userEvent.clear(zone);
  await userEvent.type(zone, "Eastern");
  await save();
  expect(await screen.findAllByText(detail)).not.toHaveLength(0);
  expect(zone.getAttribute("aria-invalid")).toBe("true");
});

test("someone else's change is not overwritten", async () => {
  let now = settings;
  await open({
    "GET settings": () => json(now, { ETag: now === settings ? '"1"' : '"2"' }),
    "PUT settings": () => problem(412, "precondition_failed"),
  });
  await userEvent.click(screen.getByRole("checkbox", { name: /transcript/ }));
  await save();
  expect(await screen.findByText("Someone else changed the settings in the meantime.")).toBeDefined();
  now = { ...settings, retentionDays: 365 };
  await userEvent.click(screen.getByRole("button", { name: "Load the current settings" }));
  expect(await screen.findByDisplayValue("365")).toBeDefined();
});

test("a non-admin sees the settings but cannot change them", async () => {
  await open({}, false);
  expect(screen.getByText("Only workspace admins can do this.")).toBeDefined();
  expect(screen.getByRole("group", { name: "Settings" })).toHaveProperty("disabled", true);
});

test("saving or discarding a change keeps the keyboard focus", async () => {
  let tag = 1;
  await open({
    "PUT settings": async (request) => json(await request.json(), { ETag: `"${++tag}"` }),
  });
  const days = screen.getByRole("spinbutton", { name: /Keep calls here for/ });
  await userEvent.clear(days);
  await userEvent.type(days, "365{Enter}");
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(document.activeElement).toBe(days);
  await userEvent.click(screen.getByRole("checkbox", { name: /transcript/ }));
  const button = screen.getByRole("button", { name: "Save" });
  await save();
  expect(await screen.findByText("Saved.")).toBeDefined();
  expect(document.activeElement).toBe(button);
  await userEvent.click(screen.getByRole("checkbox", { name: /transcript/ }));
  const discard = screen.getByRole("button", { name: "Discard changes" });
  await userEvent.click(discard);
  expect(document.activeElement).toBe(discard);
});

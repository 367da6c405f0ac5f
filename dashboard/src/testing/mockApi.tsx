import { render } from "@testing-library/react";
import { vi } from "vitest";

import type { SalesforceStatus, Settings, SyncLog, SyncLogSummary } from "../api/client";
import { SalesforceIntegration, type SalesforceIntegrationProps } from "../SalesforceIntegration";

export const NOW = 1_795_392_000;

export const connected: SalesforceStatus = {
  connected: true,
  state: "connected",
  reason: null,
  instanceUrl: "https://acme.my.salesforce.com",
  organizationId: "00D000000000001EAA",
  userName: "Iris Integration",
  connectedAt: NOW - 86_400,
  lastSync: NOW - 60,
  apiUsage: { used: 1200, limit: 15_000 },
};

export const disconnected: SalesforceStatus = {
  connected: false,
  state: "disconnected",
  reason: null,
  instanceUrl: null,
  organizationId: null,
  userName: null,
  connectedAt: null,
  lastSync: null,
  apiUsage: null,
};

export const settings: Settings = {
  timeZone: "America/New_York",
  defaultCountry: "US",
  loginUrl: null,
  matchOrder: ["Lead", "Contact"],
  multipleMatches: "most_recent",
  noMatch: "skip",
  appointmentDurationMinutes: 60,
  includeTranscript: false,
  callTypes: ["inbound", "outbound"],
  retentionDays: 90,
};

export const logged: SyncLog = {
  callId: "call-1",
  status: "success",
  salesforceRecordId: "00Q000000000001EAA",
  salesforceRecordType: "Lead",
  salesforceTaskId: "00T000000000001EAA",
  salesforceEventId: null,
  decision: {
    rule: "most_recent",
    chosen: { recordType: "Lead", id: "00Q000000000001EAA" },
    candidates: [
      {
        id: "00Q000000000001EAA",
        recordType: "Lead",
        name: "Ada Sample",
        field: "MobilePhone",
        exactness: "national",
      },
      {
        id: "00Q000000000002EAA",
        recordType: "Lead",
        name: "Bob Sample",
        field: "Phone",
        exactness: "exact",
      },
    ],
    candidateCount: 2,
  },
  appointmentCreated: false,
  errorCode: null,
  errorMessage: null,
  phoneNumber: "+12345550123",
  attempts: 1,
  createdAt: NOW - 120,
  updatedAt: NOW - 118,
  dueAt: null,
};

export const failed: SyncLog = {
  ...logged,
  callId: "call-2",
  status: "error",
  salesforceTaskId: null,
  errorCode: "FIELD_CUSTOM_VALIDATION_EXCEPTION",
  errorMessage: "A validation rule refused the Task: Not on Sundays. Change the rule, then retry.",
  attempts: 3,
};

export function summaryOf(calls: SyncLog[]): SyncLogSummary {
  const count = (status: string) => calls.filter((call) => call.status === status).length;
  const codes = calls.flatMap(({ errorCode }) => (errorCode ? [errorCode] : []));
  return {
    since: NOW - 86_400,
    total: calls.length,
    statuses: {
      queued: count("queued"),
      success: count("success"),
      not_found: count("not_found"),
      retrying: count("retrying"),
      waiting_for_connection: count("waiting_for_connection"),
      error: count("error"),
      skipped: count("skipped"),
    },
    errorCodes: Object.fromEntries(codes.map((code) => [code, codes.filter((one) => one === code).length])),
  };
}

/** An error response in the API's format. */
export function problem(status: number, code: string, detail = "", more: object = {}): Response {
  const body = { type: `urn:ringlog:problem:${code}`, title: "Problem", status, detail, code, ...more };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/problem+json" },
  });
}

export function json(body: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

type Handler = (request: Request) => Response | Promise<Response>;

/** Handlers by method and path, without `/api/salesforce/`. */
export type Routes = Record<string, Handler>;

export function routes(status: SalesforceStatus, calls: SyncLog[] = []): Routes {
  return {
    "GET status": () => json(status),
    "GET sync-logs": () => json({ items: calls, nextCursor: null }),
    "GET sync-logs/summary": () => json(summaryOf(calls)),
    "GET settings": () => json(settings, { ETag: '"1"' }),
    "GET webhook": () =>
      json({ url: "https://api.example.com/webhook/vapi", header: "X-Vapi-Secret", secret: "rl1.secret" }),
  };
}

/** Mocks `fetch`. Returns the list of requests made, which keeps growing. */
export function mockFetch(all: Routes): Request[] {
  const seen: Request[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    seen.push(request.clone());
    const path = new URL(request.url).pathname.replace("/api/salesforce/", "");
    const handler = all[`${request.method} ${path}`];
    if (!handler) throw new Error(`no route for ${request.method} ${path}`);
    return handler(request);
  });
  return seen;
}

/** Renders the card with a mocked API. Returns the list of requests made. */
export function renderCard(all: Routes, props: Partial<SalesforceIntegrationProps> = {}): Request[] {
  const seen = mockFetch(all);
  render(<SalesforceIntegration apiUrl="" getToken={() => "token"} {...props} />);
  return seen;
}

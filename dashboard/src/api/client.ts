import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type SalesforceStatus = Schemas["SalesforceStatus"];
export type Settings = Schemas["Settings"];
export type SyncLog = Schemas["SyncLog"];
export type SyncLogPage = Schemas["SyncLogPage"];
export type SyncLogSummary = Schemas["SyncLogSummary"];
export type SyncStatus = Schemas["SyncStatus"];
export type TestSyncRequest = Schemas["TestSyncRequest"];
export type TestSyncResult = Schemas["TestSyncResult"];
export type TestSyncPreview = Schemas["TestSyncPreview"];
export type Candidate = Schemas["Candidate"];
export type Rule = Schemas["Rule"];
export type Payload = Schemas["Payload"];
export type Webhook = Schemas["Webhook"];
export type ConnectMessage = Schemas["ConnectMessage"];
/** Why connecting failed: codes from the initiate request and from the callback. */
export type ConnectCode = Schemas[
  "LoginUrlRefused" | "ConnectRefused" | "WrongBrowser" | "ConnectFailed"]["code"];
export type FieldProblem = Schemas["FieldProblem"];

/** Where the API is, and how to authenticate. */
export interface ApiOptions {
  /** The API's origin, such as `https://api.example.com`. Empty means the page's own origin. */
  apiUrl: string;
  /** Returns the dashboard's JWT. Called before each request, so that it can return a fresh one. */
  getToken: () => string | Promise<string>;
}

/** A failed request. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** HTTP status; 0 if there was no response. */
    readonly status: number,
    /** The problem's stable code; `network` if there was no response, `http_<status>` if the response has no code. */
    readonly code: string,
    /** Human-readable explanation; empty if the response has none. */
    detail: string,
    /** Validation errors, by field. */
    readonly fields: FieldProblem[] = [],
  ) {
    super(detail);
  }
}

/** Settings, and the ETag that an update must send as `If-Match`. */
export interface SettingsWithETag {
  settings: Settings;
  etag: string;
}

/** Which calls to list. */
export interface SyncLogQuery {
  status?: SyncStatus | undefined;
  cursor?: string | undefined;
  limit?: number;
}

export type Api = ReturnType<typeof createApi>;

/** Creates a typed client for Ringlog's API. Every method throws an {@link ApiError} if the request fails. */
export function createApi({ apiUrl, getToken }: ApiOptions) {
  const client = createClient<paths>({
    baseUrl: apiUrl || globalThis.location.origin,
    // A cookie binds the connect flow to this browser.
    credentials: "include",
  });
  client.use({
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await getToken()}`);
      return request;
    },
  });
  return {
    initiateSalesforceOAuth: async (loginUrl?: string) => {
      const query = loginUrl ? { loginUrl } : {};
      return unwrap(await send(client.GET("/api/salesforce/oauth/initiate", { params: { query } })));
    },

    getSalesforceStatus: async () => {
      return unwrap(await send(client.GET("/api/salesforce/status")));
    },

    disconnectSalesforce: async () => {
      return unwrap(await send(client.DELETE("/api/salesforce/disconnect")));
    },

    getSettings: async (): Promise<SettingsWithETag> => {
      return withETag(await send(client.GET("/api/salesforce/settings")));
    },

    updateSettings: async ({ settings, etag }: SettingsWithETag): Promise<SettingsWithETag> => {
      const params = { header: { "If-Match": etag } };
      return withETag(await send(client.PUT("/api/salesforce/settings", { params, body: settings })));
    },

    getWebhook: async () => {
      return unwrap(await send(client.GET("/api/salesforce/webhook")));
    },

    rotateWebhook: async (revokePrevious: boolean) => {
      return unwrap(await send(client.POST("/api/salesforce/webhook/rotate", { body: { revokePrevious } })));
    },

    listSyncLogs: async ({ status, cursor, limit = 25 }: SyncLogQuery): Promise<SyncLogPage> => {
      const query = { limit, ...(status && { status }), ...(cursor && { cursor }) };
      return unwrap(await send(client.GET("/api/salesforce/sync-logs", { params: { query } })));
    },

    summarizeSyncLogs: async (since: number) => {
      const params = { query: { since } };
      return unwrap(await send(client.GET("/api/salesforce/sync-logs/summary", { params })));
    },

    retrySyncLog: async (callId: string) => {
      const params = { path: { callId } };
      return unwrap(await send(client.POST("/api/salesforce/sync-logs/{callId}/retry", { params })));
    },

    retrySyncLogs: async (errorCode: string) => {
      return unwrap(await send(client.POST("/api/salesforce/sync-logs/retry", { body: { errorCode } })));
    },

    /** Logs a test call in Salesforce. */
    testSalesforceSync: async (request: Omit<TestSyncRequest, "dryRun">) => {
      const body = { ...request, dryRun: false };
      return unwrap(await send(client.POST("/api/salesforce/test-sync", { body }))) as TestSyncResult;
    },

    /** Returns what would be logged, without writing anything. */
    previewSalesforceSync: async (request: Omit<TestSyncRequest, "dryRun">) => {
      const body = { ...request, dryRun: true };
      return unwrap(await send(client.POST("/api/salesforce/test-sync", { body }))) as TestSyncPreview;
    },
  };
}

interface ApiResult<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Turns a network failure into an {@link ApiError}. */
async function send<T>(request: Promise<ApiResult<T>>): Promise<ApiResult<T>> {
  try {
    return await request;
  } catch (cause) {
    // `fetch` rejects with a TypeError. Anything else was thrown by the dashboard's `getToken`.
    if (!(cause instanceof TypeError)) throw cause;
    throw new ApiError(0, "network", "");
  }
}

/** Returns the body of a successful response; throws an {@link ApiError} otherwise. */
function unwrap<T>({ data, error, response }: ApiResult<T>): NonNullable<T> {
  if (response.ok && data !== undefined && data !== null) return data;
  const problem = isProblem(error) ? error : {};
  const code = problem.code ?? `http_${response.status}`;
  throw new ApiError(response.status, code, problem.detail ?? "", problem.errors ?? []);
}

function withETag(result: ApiResult<Settings>): SettingsWithETag {
  return { settings: unwrap(result), etag: result.response.headers.get("ETag") ?? "*" };
}

function isProblem(error: unknown): error is Partial<Schemas["Problem"]> {
  return typeof error === "object" && error !== null;
}

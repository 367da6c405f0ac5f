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
/** Why a connect does not come about: what its first and its last result may say. */
export type ConnectCode = NonNullable<
  Schemas["LoginUrlRefused" | "ConnectRefused" | "WrongBrowser" | "ConnectFailed"]["code"]
>;
export type FieldProblem = Schemas["FieldProblem"];

/** Where the API is, and who asks. */
export interface ApiOptions {
  /** The API's origin, `https://api.example.com`; empty where it is the page's own. */
  apiUrl: string;
  /** Gives the dashboard's token; asked before each request, so that it may be a fresh one. */
  getToken: () => string | Promise<string>;
}

/** What went wrong with a request. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The HTTP status; 0 where there was no result. */
    readonly status: number,
    /** The problem's stable code; `network` where there was no result, `http_<status>` where it says none. */
    readonly code: string,
    /** For people; empty where the result says nothing. */
    detail: string,
    /** What is wrong, field by field. */
    readonly fields: FieldProblem[] = [],
  ) {
    super(detail);
  }
}

/** The settings, and the tag that a change of them names. */
export interface SettingsWithETag {
  settings: Settings;
  etag: string;
}

/** Which calls are listed. */
export interface SyncLogQuery {
  status?: SyncStatus | undefined;
  cursor?: string | undefined;
  limit?: number;
}

export type Api = ReturnType<typeof createApi>;

/** The typed client of Ringlog's API. Each function throws an {@link ApiError} where it fails. */
export function createApi({ apiUrl, getToken }: ApiOptions) {
  const client = createClient<paths>({
    baseUrl: apiUrl || globalThis.location.origin,
    // The connect flow is bound to this browser by a cookie.
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

    /** Logs a call now. */
    testSalesforceSync: async (request: Omit<TestSyncRequest, "dryRun">) => {
      const body = { ...request, dryRun: false };
      return unwrap(await send(client.POST("/api/salesforce/test-sync", { body }))) as TestSyncResult;
    },

    /** Shows what would be logged, and writes nothing. */
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

/** The result, whatever it is. */
async function send<T>(result: Promise<ApiResult<T>>): Promise<ApiResult<T>> {
  try {
    return await result;
  } catch (cause) {
    // What `getToken` throws is the dashboard's own.
    if (!(cause instanceof TypeError)) throw cause;
    throw new ApiError(0, "network", "");
  }
}

/** What a good result says. */
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

export { SalesforceIntegration, type SalesforceIntegrationProps } from "./SalesforceIntegration";
export {
  ApiError,
  createApi,
  type Api,
  type ApiOptions,
  type SalesforceStatus,
  type Settings,
  type SyncLog,
  type SyncLogPage,
  type SyncLogSummary,
  type SyncStatus,
  type TestSyncPreview,
  type TestSyncRequest,
  type TestSyncResult,
  type Webhook,
} from "./api/client";

export { FlashbackClient, type FlashbackClientOptions } from './client.js';
export { FlashbackError, type FailureKind } from './error.js';
export { rawJson, type RawJson } from './json.js';
export type { OrganizationSettings, OrganizationSettingsHistory, OrganizationSettingsPreview } from './organization.js';
export type { AccessToken, TokenRequest } from './tokens.js';
export type { Fetch, FetchResponse, RequestEvent, ResponseEvent } from './transport.js';
export type {
  AnswerHeader,
  CallOptions,
  DeleteSettingsRequest,
  DeleteSettingsResponse,
  GetSettingsResponse,
  GetSettingsRevisionResponse,
  GetSettingsSchemaResponse,
  HistoryOptions,
  Json,
  JsonValue,
  ListSettingsHistoryResponse,
  NotJson,
  NotModified,
  PartialUpdateSettingsRequest,
  PartialUpdateSettingsResponse,
  PreviewOptions,
  PreviewSettingsResponse,
  ReadOptions,
  RestoreSettingsResponse,
  Settings,
  SettingsChange,
  SettingsErrorResponse,
  SettingsPreview,
  SettingsRevision,
  SettingsSchema,
  SettingsState,
  UpdateSettingsRequest,
  UpdateSettingsResponse,
  WriteOptions,
} from './types.js';

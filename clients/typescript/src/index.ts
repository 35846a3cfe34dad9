export { FlashbackClient, type FlashbackClientOptions, type OrganizationSettings } from './client.js';
export { FlashbackError, type FailureKind } from './error.js';
export { rawJson, type RawJson } from './json.js';
export type { AccessToken, TokenRequest } from './tokens.js';
export type { Fetch, FetchResponse, RequestEvent, ResponseEvent } from './transport.js';
export type {
  AnswerHeader,
  CallOptions,
  DeleteSettingsRequest,
  DeleteSettingsResponse,
  GetSettingsResponse,
  Json,
  JsonValue,
  NotJson,
  NotModified,
  PartialUpdateSettingsRequest,
  PartialUpdateSettingsResponse,
  ReadOptions,
  Settings,
  SettingsErrorResponse,
  UpdateSettingsRequest,
  UpdateSettingsResponse,
  WriteOptions,
} from './types.js';

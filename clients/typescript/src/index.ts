export { FlashbackClient, type FlashbackClientOptions, type OrganizationSettings } from './client.js';
export { FlashbackError, type FailureKind } from './error.js';
export type { AccessToken, TokenRequest } from './transport.js';
export type {
  AnswerHeader,
  CallOptions,
  DeleteSettingsRequest,
  DeleteSettingsResponse,
  GetSettingsResponse,
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

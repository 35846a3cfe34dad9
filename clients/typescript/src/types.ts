/**
 * The bodies of the HTTP interface, named as they are published. A test compares
 * them with the OpenAPI description.
 */

/** Body of POST: `settings` becomes the document. */
export interface UpdateSettingsRequest {
  settings: Record<string, any>;
}

/**
 * Body of PUT: a partial document as JSON Merge Patch (RFC 7396). Objects merge at
 * every depth, `null` removes, anything else replaces.
 */
export type PartialUpdateSettingsRequest = Record<string, any>;

/**
 * Body of DELETE: 1 to 1,000 keys, each the exact name of a top-level member, else
 * a path with dots (`security.requireMFA`).
 */
export interface DeleteSettingsRequest {
  keys: string[];
}

export interface GetSettingsResponse {
  success: true;
  settings: Record<string, any>;
}

export interface UpdateSettingsResponse {
  success: true;
  message: string;
}

export interface PartialUpdateSettingsResponse {
  success: true;
  message: string;
}

export interface DeleteSettingsResponse {
  success: true;
  message: string;
}

export interface SettingsErrorResponse {
  success: false;
  message: string;
  error?: string;
}

/** What the header of an answer adds to its body. */
export interface AnswerHeader {
  /** The revision of the stored document; null if the settings were never written. */
  readonly etag: string | null;
  /** Identifies the request in the service's logs, where it can be read. */
  readonly requestId?: string;
}

/** The answer of `get` if `ifNoneMatch` names the current document. */
export interface NotModified extends AnswerHeader {
  readonly success: true;
  readonly notModified: true;
  readonly settings?: never;
}

/** The answer of `get` with the document. */
export interface Settings extends GetSettingsResponse, AnswerHeader {
  readonly notModified?: never;
}

export interface CallOptions {
  /** Ends the call: it rejects with a FlashbackError of kind `aborted`. */
  signal?: AbortSignal | undefined;
}

export interface ReadOptions extends CallOptions {
  /** Read only if this is the revision, else status 412. */
  ifMatch?: string | undefined;
  /** Read only if this is not the revision, else the answer is {@link NotModified}. Null: whatever it is. */
  ifNoneMatch?: string | null | undefined;
}

export interface WriteOptions extends CallOptions {
  /**
   * Write only if this is the revision, else status 412. Null is the `etag` of settings
   * that were never written: write only if that is still so.
   */
  ifMatch?: string | null | undefined;
  /** Write only if this is not the revision; `*`: only if there is none. */
  ifNoneMatch?: string | undefined;
}

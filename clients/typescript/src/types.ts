import type { RawJson } from './json.js';

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

/** A state of the document, without the document. */
export interface SettingsState {
  /** Absent for a current state that another program wrote. */
  revision?: string;
  /** When it became current (RFC 3339), if that is known. */
  updatedAt?: string;
  /** The id of the user who wrote it, if that is known. */
  updatedBy?: string;
  /** The revision whose document it has, if it was restored. */
  restoredFrom?: string;
}

/** A value that differs. Without `before` and `beforeSize` it was not there; without `after` and `afterSize` it is gone. */
export interface SettingsChange {
  /** JSON Pointer (RFC 6901). */
  path: string;
  before?: any;
  /** In place of a value of more than 4,096 bytes. */
  beforeSize?: { bytes: number };
  after?: any;
  afterSize?: { bytes: number };
}

export interface ListSettingsHistoryResponse {
  success: true;
  history: SettingsState[];
  next?: string;
}

export interface GetSettingsRevisionResponse {
  success: true;
  revision: string;
  updatedAt?: string;
  updatedBy?: string;
  restoredFrom?: string;
  settings: Record<string, any>;
  /** Against the state before it. Absent if that is not known. */
  changes?: SettingsChange[];
  /** There are more changes. */
  truncated?: true;
}

export interface RestoreSettingsResponse {
  success: true;
  message: string;
}

export interface PreviewSettingsResponse {
  success: true;
  settings: Record<string, any>;
  /** Absent if what is stored is no document. */
  changes?: SettingsChange[];
  /** There are more changes. */
  truncated?: true;
}

/** A JSON Schema (2020-12). */
export type GetSettingsSchemaResponse = Record<string, any>;

export interface SettingsErrorResponse {
  success: false;
  message: string;
  error?: string;
}

/** What JSON can express. Members that are undefined are left out. */
export type JsonValue = null | boolean | number | string | RawJson | readonly JsonValue[] | { readonly [name: string]: JsonValue | undefined };

/** The type of a value that JSON does not express. Problem says what is wrong. */
export interface NotJson<Problem extends string> {
  readonly [notJson]: Problem;
}
declare const notJson: unique symbol;

/**
 * T if JSON expresses its values. Otherwise {@link NotJson} is in place of the types that it does not
 * express. `any`, `unknown` and methods pass: the client checks their values.
 */
export type Json<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : T extends null | undefined | boolean | number | string | RawJson
      ? T
      : T extends bigint | symbol
        ? NotJson<'a bigint or a symbol'>
        : T extends { toJSON(key: string): infer R }
          ? [R] extends [Json<R>]
            ? T
            : NotJson<'toJSON does not return JSON'>
          : T extends (...args: never) => unknown
            ? NotJson<'a function'>
            : T extends PromiseLike<unknown>
              ? NotJson<'a promise: await it'>
              : T extends readonly unknown[]
                ? { [I in keyof T]: JsonElement<T[I]> }
                : T extends Iterable<unknown> | ArrayBuffer | DataView | RegExp | { arrayBuffer(): unknown }
                  ? NotJson<'an object that JSON cannot express'>
                  : T extends object
                    ? { [K in keyof T]: T[K] extends (...args: never) => unknown ? T[K] : Json<T[K]> }
                    : T;

/** JSON writes undefined in an array as null. Without strictNullChecks every type includes undefined, even 0. */
type JsonElement<T> = undefined extends 0 ? Json<T> : unknown extends T ? T : undefined extends T ? NotJson<'undefined in an array'> : Json<T>;

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

/** The answer of `schema`. Its `etag` changes with the schema, and is never null. */
export interface SettingsSchema extends AnswerHeader {
  readonly schema: GetSettingsSchemaResponse;
  /** The schema as it came. */
  readonly text: string;
}

/** The answer of `get` with the document. */
export interface Settings extends GetSettingsResponse, AnswerHeader {
  /** The document as it came. `update({ settings: rawJson(text) })` writes it back as it is. */
  readonly text: string;
  /**
   * JSON Pointers (RFC 6901) into the document of the numbers that `settings` would not write back
   * as the same numbers: some of those above 2^53, near 0, or with more than 15 digits.
   */
  readonly lossy: readonly string[];
  readonly notModified?: never;
}

/** What the client adds to changes, as to a document. */
export interface ChangesText {
  /** `changes` as they came. */
  readonly changesText?: string;
  /** JSON Pointers into `changes` of the numbers that it would not write back as the same numbers. */
  readonly changesLossy: readonly string[];
}

/** One state of the history. Its `etag` is its revision. */
export interface SettingsRevision extends GetSettingsRevisionResponse, Omit<Settings, 'notModified'>, ChangesText {
  readonly success: true;
  readonly settings: Record<string, any>;
}

/** What a write would do. The `etag` is that of the current document: give it to the write as `ifMatch`. */
export interface SettingsPreview extends PreviewSettingsResponse, Omit<Settings, 'notModified'>, ChangesText {
  readonly success: true;
  readonly settings: Record<string, any>;
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
  /**
   * Makes the document's values, like the reviver of JSON.parse. `context.source` is the text of a
   * number, on platforms that give it (Node 22).
   */
  reviver?: ((this: any, name: string, value: any, context: { source?: string }) => any) | undefined;
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

export interface PreviewOptions extends WriteOptions, Pick<ReadOptions, 'reviver'> {}

export interface HistoryOptions extends CallOptions {
  /** List only states before this revision. */
  before?: string | undefined;
  /** How many states one request lists, 1 to 100; by default 20. */
  pageSize?: number | undefined;
}

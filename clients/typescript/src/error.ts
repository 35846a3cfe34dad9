/**
 * - `response`: the service, or what stands before it, has answered with `status`.
 * - `network`: no answer, or not all of it, has arrived.
 * - `timeout`: not within `timeoutMs`, or within `totalTimeoutMs`.
 * - `aborted`: the caller's signal has ended the call.
 * - `token`: there is no usable access token.
 * - `request`: the arguments cannot be sent.
 */
export type FailureKind = 'response' | 'network' | 'timeout' | 'aborted' | 'token' | 'request';

export interface FailureDetails {
  status?: number | undefined;
  error?: string | undefined;
  requestId?: string | undefined;
  pointer?: string | undefined;
  etag?: string | null | undefined;
  maybeStored?: boolean | undefined;
  cause?: unknown;
}

/** Every failure of a call. No field of it holds the access token. */
export class FlashbackError extends Error {
  override readonly name = 'FlashbackError';
  readonly kind: FailureKind;
  /** The HTTP status, 0 if there was no answer. */
  readonly status: number;
  /** What is wrong and where, if the service says so. */
  readonly error?: string;
  /** JSON Pointer (RFC 6901), from the body on, of the value that cannot be sent. */
  readonly pointer?: string;
  /** Identifies the request in the service's logs, where it can be read. */
  readonly requestId?: string;
  /** The revision of the stored document, if the answer tells it; with status 412 and 428 it does. */
  readonly etag: string | null;
  /**
   * Whether a write may have been stored although the call has failed: an attempt went
   * out of which it is not known what became. With status 412 it may be this call's own
   * write that has changed the document. Read before you decide.
   */
  readonly maybeStored: boolean;

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.status = details.status ?? 0;
    if (details.error !== undefined) this.error = details.error;
    if (details.pointer !== undefined) this.pointer = details.pointer;
    if (details.requestId !== undefined) this.requestId = details.requestId;
    this.etag = details.etag ?? null;
    this.maybeStored = details.maybeStored ?? false;
  }
}

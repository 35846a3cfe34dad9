import type { FlashbackClientOptions } from './client.js';
import { FlashbackError, type FailureDetails } from './error.js';
import { backoff, retryAfter, sleep, Timer } from './time.js';

/** What a token function is told. */
export interface TokenRequest {
  /** True if the token that it returned before was refused with status 401: do not return it again. */
  readonly refresh: boolean;
  /** Aborted when the attempt is given up. */
  readonly signal: AbortSignal;
}

export type AccessToken = string | ((request: TokenRequest) => string | Promise<string>);

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** Whether the call may be repeated although an earlier attempt may have taken effect. */
  repeatable: boolean;
  signal: AbortSignal | undefined;
}

/** An answer of status 2xx or 304. */
export interface Answer {
  status: number;
  body: Record<string, any> | undefined;
  etag: string | null;
  requestId: string | undefined;
}

/** Why an attempt has failed, and what may follow from it. */
class Failure {
  constructor(
    readonly error: FlashbackError,
    readonly retry = false,
    /** It may have taken effect. */
    readonly ambiguous = false,
    readonly waitMs = 0,
  ) {}
}

/** A refused token, and the answer that refused it. */
interface Refusal {
  token: string;
  error: FlashbackError;
}

const published = 'https://backend.flashback.tech';

/**
 * Sends calls, with tokens, limits and repetitions. It knows nothing of what the
 * bodies mean.
 */
export class Transport {
  // Private fields do not show where a client is printed.
  readonly #base: string;
  readonly #accessToken: AccessToken;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  readonly #totalTimeoutMs: number;
  readonly #maxRetries: number;

  constructor(options: FlashbackClientOptions) {
    const { accessToken, baseUrl = published, fetch, timeoutMs = 15_000, totalTimeoutMs = 60_000, maxRetries = 3 } = options;
    if (typeof accessToken !== 'string' && typeof accessToken !== 'function') {
      throw new FlashbackError('request', 'accessToken is neither a string nor a function');
    }
    if (!Number.isSafeInteger(maxRetries) || maxRetries < 0) {
      throw new FlashbackError('request', 'maxRetries is not a whole number from 0');
    }
    this.#accessToken = accessToken;
    this.#base = baseOf(baseUrl);
    this.#fetch = fetch ?? ((...args) => globalThis.fetch(...args));
    this.#timeoutMs = positive('timeoutMs', timeoutMs);
    this.#totalTimeoutMs = positive('totalTimeoutMs', totalTimeoutMs);
    this.#maxRetries = maxRetries;
  }

  /** Makes the call, repeats it where that is safe and may help, and returns the answer. */
  async call(call: Call): Promise<Answer> {
    const end = performance.now() + this.#totalTimeoutMs;
    let maybeStored = false;
    let refusal: Refusal | undefined;
    for (let repetition = 0; ; ) {
      if (call.signal?.aborted) throw aborted(call.signal, maybeStored);
      const attempt = new Attempt(call, end - performance.now());
      const result = await this.#try(attempt, refusal);
      if (!(result instanceof Failure)) return result;

      const { error, retry, ambiguous, waitMs } = result;
      maybeStored ||= ambiguous && call.method !== 'GET';
      if (error.status === 401 && refusal === undefined && typeof this.#accessToken === 'function') {
        refusal = { token: attempt.token!, error };
        continue;
      }
      const pause = waitMs + backoff(repetition);
      const more = retry && repetition++ < this.#maxRetries && performance.now() + pause < end;
      if (!more || (ambiguous && !call.repeatable)) throw withDoubt(error, maybeStored);
      await sleep(pause, call.signal);
    }
  }

  async #try(attempt: Attempt, refusal: Refusal | undefined): Promise<Answer | Failure> {
    const { call } = attempt;
    const limitMs = Math.min(this.#timeoutMs, attempt.remainingMs);
    const timer = new Timer(limitMs, call.signal);
    try {
      attempt.token = await timer.race(this.#token({ refresh: refusal !== undefined, signal: timer.signal }));
      if (attempt.token === refusal?.token) return new Failure(refusal.error);
      attempt.sent = true;
      const response = await timer.race(this.#send(call, attempt.token, timer.signal));
      return read(response, await timer.race(response.text()), attempt.token);
    } catch (cause) {
      if (call.signal?.aborted) return new Failure(aborted(call.signal), false, attempt.sent);
      if (timer.expired) {
        const text = `no answer within ${Math.ceil(limitMs)} ms`;
        return new Failure(new FlashbackError('timeout', text, { cause: timer.signal.reason }), true, attempt.sent);
      }
      if (cause instanceof FlashbackError) return new Failure(cause);
      const details = { cause: withoutToken(cause, attempt.token) };
      return new Failure(new FlashbackError('network', 'the service cannot be reached', details), true, true);
    } finally {
      timer.stop();
    }
  }

  /** Returns a token that can stand in a header: what fetch says of another one shows it. */
  async #token(request: TokenRequest): Promise<string> {
    let token: unknown = this.#accessToken;
    if (typeof token === 'function') {
      try {
        token = await token(request);
      } catch (cause) {
        throw new FlashbackError('token', 'the access token cannot be had', { cause });
      }
    }
    const text = typeof token === 'string' ? token.trim() : '';
    if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) {
      throw new FlashbackError('token', 'the access token is empty or not a bearer token (RFC 6750 section 2.1)');
    }
    return text;
  }

  async #send(call: Call, token: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { ...call.headers, Accept: 'application/json', Authorization: `Bearer ${token}` };
    const init: RequestInit = { method: call.method, headers, signal, redirect: 'manual' };
    if (call.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = call.body;
    }
    const fetch = this.#fetch; // as a method it would get the wrong this
    return fetch(this.#base + call.path, init);
  }
}

/** One attempt of a call, and how far it has come. */
class Attempt {
  token: string | undefined;
  sent = false;

  constructor(
    readonly call: Call,
    readonly remainingMs: number,
  ) {}
}

function read(response: Response, text: string, token: string): Answer | Failure {
  const { status, headers } = response;
  const body = parse(text);
  const etag = headers.get('ETag');
  const requestId = headers.get('Apigw-Requestid') ?? undefined;
  if (response.ok || status === 304) return { status, body, etag, requestId };

  const details: FailureDetails = { status, etag, requestId };
  if (response.type === 'opaqueredirect' || status < 400) {
    return new Failure(new FlashbackError('response', 'the answer is a redirect, which is not followed', details));
  }
  if (typeof body?.['error'] === 'string') details.error = hide(body['error'], token);
  const message = typeof body?.['message'] === 'string' ? body['message'] : `HTTP status ${status}`;
  const error = new FlashbackError('response', hide(message, token), details);
  // The service's own 503 says that nothing has changed; a gateway's says nothing.
  const ambiguous = status >= 500 && !(status === 503 && body?.['success'] === false);
  return new Failure(error, [429, 502, 503, 504].includes(status), ambiguous, retryAfter(headers));
}

function parse(text: string): Record<string, any> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function aborted(signal: AbortSignal, maybeStored = false): FlashbackError {
  return new FlashbackError('aborted', 'the call was aborted', { cause: signal.reason, maybeStored });
}

/** Adds to an error that an attempt before it may have taken effect. */
function withDoubt(error: FlashbackError, maybeStored: boolean): FlashbackError {
  if (!maybeStored) return error;
  const { kind, message, status, error: detail, requestId, etag, cause } = error;
  return new FlashbackError(kind, message, { status, error: detail, requestId, etag, cause, maybeStored });
}

/** Takes the token out of a text: there are proxies that answer with what they were sent. */
function hide(text: string, token: string): string {
  return text.replaceAll(token, '[access token]');
}

/** Returns cause, or only what can be told of it if its text shows the token. */
function withoutToken(cause: unknown, token: string | undefined): unknown {
  for (let e: unknown = cause, depth = 0; token !== undefined && e !== undefined && depth < 8; depth++) {
    if (`${e} ${e instanceof Error ? e.stack : ''}`.includes(token)) return new Error(hide(String(e), token));
    e = e instanceof Error ? e.cause : undefined;
  }
  return cause;
}

function baseOf(text: string): string {
  const problem = (): FlashbackError => new FlashbackError('request', 'baseUrl is not an http or https URL without query');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw problem();
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) throw problem();
  return url.href.replace(/\/+$/, '');
}

function positive(name: string, value: number): number {
  if (typeof value !== 'number' || !(value > 0)) throw new FlashbackError('request', `${name} is not a number over 0`);
  return value;
}

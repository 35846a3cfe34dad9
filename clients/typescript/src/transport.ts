import type { FlashbackClientOptions } from './client.js';
import { FlashbackError, type FailureDetails } from './error.js';
import { backoff, retryAfter, sleep, Timer } from './time.js';
import { Tokens } from './tokens.js';

/** The part of fetch that the client uses. The fetch of browsers, Node, undici, node-fetch and cross-fetch has this type. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal: any; redirect: 'manual' },
) => Promise<FetchResponse>;

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** An attempt that is about to be sent. */
export interface RequestEvent {
  readonly method: string;
  readonly url: string;
  /** All but `Authorization`. */
  readonly headers: Record<string, string>;
  /** 1 for the first attempt of a call. */
  readonly attempt: number;
}

/** The answer to an attempt. */
export interface ResponseEvent {
  readonly method: string;
  readonly url: string;
  readonly attempt: number;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** From the call of `fetch` to the end of the answer. */
  readonly durationMs: number;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** Whether the call may change what is stored. */
  writes: boolean;
  /** Whether the call may be repeated although an earlier attempt may have taken effect. */
  repeatable: boolean;
  signal: AbortSignal | undefined;
}

/** An answer of status 2xx or 304. */
export interface Answer {
  status: number;
  text: string;
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

/** A test compares it with package.json. */
const userAgent = 'flashback-client/1.0.0';

/** Reports whether to send a User-Agent. Browsers have their own, and some send a preflight for another one. */
function sendsUserAgent(): boolean {
  const { document, process } = globalThis as { document?: unknown; process?: { versions?: { node?: unknown } } };
  return document === undefined && typeof process?.versions?.node === 'string';
}

/**
 * Sends calls, with tokens, limits and repetitions. It knows nothing of what the
 * bodies mean.
 */
export class Transport {
  // Private fields do not show where a client is printed.
  readonly #base: string;
  readonly #tokens: Tokens;
  readonly #fetch: Fetch;
  readonly #onRequest: FlashbackClientOptions['onRequest'];
  readonly #onResponse: FlashbackClientOptions['onResponse'];
  readonly #timeoutMs: number;
  readonly #totalTimeoutMs: number;
  readonly #maxRetries: number;

  constructor(options: FlashbackClientOptions) {
    const { accessToken, baseUrl = published, fetch, timeoutMs = 15_000, totalTimeoutMs = 60_000, maxRetries = 3 } = options;
    if (accessToken === undefined) throw new FlashbackError('request', 'accessToken is missing: a string, or a function that returns one');
    if (typeof accessToken !== 'string' && typeof accessToken !== 'function') {
      throw new FlashbackError('request', 'accessToken is neither a string nor a function');
    }
    for (const [name, value] of Object.entries({ fetch, onRequest: options.onRequest, onResponse: options.onResponse })) {
      if (value !== undefined && typeof value !== 'function') throw new FlashbackError('request', `${name} is not a function`);
    }
    if (!Number.isSafeInteger(maxRetries) || maxRetries < 0) {
      throw new FlashbackError('request', 'maxRetries is not a whole number from 0');
    }
    this.#tokens = new Tokens(accessToken);
    this.#onRequest = options.onRequest;
    this.#onResponse = options.onResponse;
    this.#base = baseOf(baseUrl);
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#timeoutMs = positive('timeoutMs', timeoutMs);
    this.#totalTimeoutMs = positive('totalTimeoutMs', totalTimeoutMs);
    this.#maxRetries = maxRetries;
  }

  /** Makes the call, repeats it where that is safe and may help, and returns the answer. */
  async call(call: Call): Promise<Answer> {
    const end = performance.now() + this.#totalTimeoutMs;
    let maybeStored = false;
    let refusal: Refusal | undefined;
    let attempts = 0;
    for (let repetition = 0; ; ) {
      if (call.signal?.aborted) throw aborted(call.signal, maybeStored);
      const attempt = new Attempt(call, ++attempts, end - performance.now());
      const result = await this.#try(attempt, refusal);
      if (!(result instanceof Failure)) return result;

      const { error, retry, ambiguous, waitMs } = result;
      maybeStored ||= ambiguous && call.writes;
      if (error.status === 401 && refusal === undefined && this.#tokens.renewable) {
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
      attempt.token = await this.#tokens.get(refusal?.token, timer);
      if (attempt.token === refusal?.token) return new Failure(refusal.error);
      return await this.#send(attempt, attempt.token, timer);
    } catch (cause) {
      if (call.signal?.aborted) return new Failure(aborted(call.signal), false, attempt.sent);
      if (timer.expired) {
        const text = `no answer within ${Math.ceil(limitMs)} ms`;
        return new Failure(new FlashbackError('timeout', text, { cause: timer.signal.reason }), true, attempt.sent);
      }
      if (cause instanceof FlashbackError) return new Failure(cause, false, attempt.sent);
      const details = { cause: withoutToken(cause, attempt.token) };
      return new Failure(new FlashbackError('network', 'the service cannot be reached', details), true, true);
    } finally {
      timer.stop();
    }
  }

  async #send(attempt: Attempt, token: string, timer: Timer): Promise<Answer | Failure> {
    const { call, number } = attempt;
    const { method } = call;
    const url = this.#base + call.path;
    const headers: Record<string, string> = { ...call.headers, Accept: 'application/json' };
    if (call.body !== undefined) headers['Content-Type'] = 'application/json';
    if (sendsUserAgent()) headers['User-Agent'] = userAgent;
    await hook('onRequest', () => timer.race(this.#onRequest?.({ method, url, headers, attempt: number })));

    attempt.sent = true;
    const began = performance.now();
    const init = { method, headers: { ...headers, Authorization: `Bearer ${token}` }, signal: timer.signal, redirect: 'manual' as const };
    const fetch = this.#fetch; // as a method it would get the wrong this
    const response = await timer.race(fetch(url, call.body === undefined ? init : { ...init, body: call.body }));
    const result = read(response, await timer.race(response.text()), token);
    const durationMs = performance.now() - began;
    const event = { method, url, attempt: number, status: response.status, headers: response.headers, durationMs };
    await hook('onResponse', () => timer.race(this.#onResponse?.(event)));
    return result;
  }
}

/** Calls a hook. An error of the hook ends the call. */
async function hook(name: string, call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (cause) {
    throw new FlashbackError('request', `${name} has thrown: ${cause}`, { cause });
  }
}

/** One attempt of a call, and how far it has come. */
class Attempt {
  token: string | undefined;
  sent = false;

  constructor(
    readonly call: Call,
    readonly number: number,
    readonly remainingMs: number,
  ) {}
}

function read(response: FetchResponse, text: string, token: string): Answer | Failure {
  const { status, headers } = response;
  const body = parse(text);
  const tag = headers.get('ETag');
  const etag = tag === null ? null : strong(tag);
  const requestId = headers.get('Apigw-Requestid') ?? undefined;
  if ((status >= 200 && status < 300) || status === 304) return { status, text, body, etag, requestId };

  const details: FailureDetails = { status, etag, requestId };
  if (status < 400) {
    return new Failure(new FlashbackError('response', 'the answer is a redirect, which is not followed', details));
  }
  if (typeof body?.['error'] === 'string') details.error = hide(body['error'], token);
  const message = typeof body?.['message'] === 'string' ? body['message'] : `HTTP status ${status}`;
  const error = new FlashbackError('response', hide(message, token), details);
  // The service's own 503 says that nothing has changed; a gateway's says nothing.
  const ambiguous = status >= 500 && !(status === 503 && body?.['success'] === false);
  return new Failure(error, [429, 502, 503, 504].includes(status), ambiguous, retryAfter(headers));
}

/**
 * Returns the strong entity tags that the service made. A proxy that compresses an answer makes its
 * tag weak (nginx, CloudFront) or adds a suffix (Apache, Jetty). Such a tag never matches If-Match.
 * The service's own tags have no such suffix.
 */
export function strong(tags: string): string {
  return tags.replace(/(?:W\/)?"([^"]*?)(?:--?(?:gzip|br|deflate|zstd))?"/g, '"$1"');
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
  const shown = /[@?#]/.test(text) ? '' : ` "${text}"`; // no password and no token
  const problem = (): FlashbackError =>
    new FlashbackError('request', `baseUrl${shown} is not an http or https URL without query, such as http://127.0.0.1:3000`);
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

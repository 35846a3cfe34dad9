import { FlashbackError } from './error.js';
import type { Timer } from './time.js';

/** What a token function is told. */
export interface TokenRequest {
  /** True if the token that it returned before was refused with status 401: do not return it again. */
  readonly refresh: boolean;
  /** Aborted when every call that waits for the token has ended. */
  readonly signal: AbortSignal;
}

export type AccessToken = string | ((request: TokenRequest) => string | Promise<string>);

/** One pending call of the token function, shared by all calls that wait for it. */
interface Flight {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  waiting: number;
  settled: boolean;
}

/**
 * Asks for tokens. It keeps none: every attempt sends what the token function returned to it, or
 * to another attempt that waited at the same time.
 */
export class Tokens {
  readonly #source: AccessToken;
  #first: Flight | undefined;
  #renewal: Flight | undefined;
  #renewed: string | undefined; // the refused token that was renewed last

  constructor(source: AccessToken) {
    this.#source = source;
  }

  /** Whether a refused token can be renewed. */
  get renewable(): boolean {
    return typeof this.#source === 'function';
  }

  /**
   * Returns a token. Refused is the token that was answered 401, if any; it is returned again if the
   * token function has no other one. If another call has renewed it meanwhile, it is not renewed again.
   */
  async get(refused: string | undefined, timer: Timer): Promise<string> {
    if (refused === undefined || refused === this.#renewed) {
      const token = await this.#ask(false, timer);
      if (token !== refused) return token;
    }
    const token = await this.#ask(true, timer);
    if (token !== refused) this.#renewed = refused;
    return token;
  }

  async #ask(refresh: boolean, timer: Timer): Promise<string> {
    if (typeof this.#source === 'string') return usable(this.#source);
    let flight = this.#renewal ?? (refresh ? undefined : this.#first);
    if (flight === undefined) {
      const controller = new AbortController();
      let token: unknown;
      try {
        token = this.#source({ refresh, signal: controller.signal });
      } catch (cause) {
        throw unavailable(cause);
      }
      if (typeof (token as PromiseLike<unknown> | undefined)?.then !== 'function') return usable(token);
      flight = this.#start(refresh, Promise.resolve(token), controller);
    }
    flight.waiting++;
    try {
      const token = flight.promise.catch((cause) => {
        throw unavailable(cause);
      });
      return usable(await timer.race(token));
    } finally {
      if (--flight.waiting === 0 && !flight.settled) {
        this.#end(flight); // the next call asks again
        flight.controller.abort(timer.signal.reason);
      }
    }
  }

  #start(refresh: boolean, promise: Promise<unknown>, controller: AbortController): Flight {
    const flight: Flight = { promise, controller, waiting: 0, settled: false };
    if (refresh) this.#renewal = flight;
    else this.#first = flight;
    const settle = (): void => {
      flight.settled = true;
      this.#end(flight);
    };
    promise.then(settle, settle);
    return flight;
  }

  #end(flight: Flight): void {
    if (this.#first === flight) this.#first = undefined;
    if (this.#renewal === flight) this.#renewal = undefined;
  }
}

function unavailable(cause: unknown): FlashbackError {
  return new FlashbackError('token', 'the access token cannot be had', { cause });
}

/** Returns a token that can stand in a header. For another one the error of fetch would show the token. */
function usable(token: unknown): string {
  const text = typeof token === 'string' ? token.trim() : '';
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) {
    throw new FlashbackError('token', 'the access token is empty or not a bearer token (RFC 6750 section 2.1)');
  }
  return text;
}

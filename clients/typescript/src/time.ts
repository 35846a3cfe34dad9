/** The longest delay of setTimeout, which fires at once if it is given a longer one. */
const longest = 2 ** 31 - 1;

/** The calls that each signal may abort. */
const listeners = new WeakMap<AbortSignal, { calls: Set<() => void>; listener: () => void }>();

/**
 * Calls callback when signal aborts. The returned function ends that. A signal has one listener,
 * however many calls use it, because Node warns about more than ten.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  let entry = listeners.get(signal);
  if (entry === undefined) {
    const calls = new Set<() => void>();
    const listener = (): void => calls.forEach((call) => call());
    signal.addEventListener('abort', listener, { once: true });
    listeners.set(signal, (entry = { calls, listener }));
  }
  const { calls, listener } = entry;
  calls.add(callback);
  return () => {
    if (!calls.delete(callback) || calls.size > 0) return;
    signal.removeEventListener('abort', listener);
    listeners.delete(signal);
  };
}

/** Ends an attempt when its time is over or its caller says so. */
export class Timer {
  expired = false;
  readonly #controller = new AbortController();
  readonly #ended: Promise<never>;
  readonly #stop: () => void;

  constructor(limitMs: number, caller: AbortSignal | undefined) {
    this.#ended = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    this.#ended.catch(() => {}); // a rejection that nobody races is no unhandled one
    const timeout = setTimeout(() => {
      this.expired = true;
      this.#controller.abort(new DOMException('the time is over', 'TimeoutError'));
    }, Math.min(limitMs, longest));
    const leave = onAbort(caller, () => this.#controller.abort(caller?.reason));
    this.#stop = () => {
      clearTimeout(timeout);
      leave();
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles as work does, but rejects when the time is over, even if work ignores the signal. */
  race<T>(work: T | PromiseLike<T>): Promise<T> {
    return Promise.race([work, this.#ended]);
  }

  stop(): void {
    this.#stop();
  }
}

/** Waits, and returns false if signal ends it. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timeout);
      leave();
      resolve(!signal?.aborted);
    };
    const timeout = setTimeout(done, Math.min(ms, longest));
    const leave = onAbort(signal, done);
    if (signal?.aborted) done();
  });
}

/** How long to pause before repetition 0, 1, 2, …: 100 to 200 ms, then twice that, up to 5 s; the random half keeps clients apart. */
export function backoff(repetition: number): number {
  return Math.min(200 * 2 ** repetition, 5_000) * (0.5 + Math.random() / 2);
}

/**
 * How long Retry-After (RFC 9110 section 10.2.3) asks to wait, in ms: seconds, or a date,
 * which is taken by the service's clock where it shows. Undefined if it cannot be read.
 */
export function retryAfter(headers: { get(name: string): string | null }): number | undefined {
  const text = headers.get('Retry-After')?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const now = date(headers.get('Date') ?? '');
  const wait = date(text) - (Number.isNaN(now) ? Date.now() : now);
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Reads the three forms of RFC 9110 section 5.6.7, of which the last does not name its time zone. */
function date(text: string): number {
  if (!/^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(text)) return NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}

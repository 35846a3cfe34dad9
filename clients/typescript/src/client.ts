import { FlashbackError } from './error.js';
import { organization, type OrganizationSettings } from './organization.js';
import type { AccessToken } from './tokens.js';
import { Transport, type Fetch, type RequestEvent, type ResponseEvent } from './transport.js';

export interface FlashbackClientOptions {
  /**
   * A token, or a function that returns one. It is called before every attempt; calls that wait
   * at the same time share one promise of it, so use one client for each user.
   */
  accessToken: AccessToken;
  /** Where the API is; by default `https://backend.flashback.tech`. */
  baseUrl?: string | undefined;
  /** Used instead of the global `fetch`. */
  fetch?: Fetch | undefined;
  /** How long one attempt may take, its token included; by default 15,000. */
  timeoutMs?: number | undefined;
  /** How long a call may take, all attempts and pauses included; by default 60,000. */
  totalTimeoutMs?: number | undefined;
  /** How often a call may be repeated; by default 3, 0 switches it off. */
  maxRetries?: number | undefined;
  /** Called before every attempt. Headers that it adds are sent. */
  onRequest?: ((request: RequestEvent) => void | Promise<void>) | undefined;
  /** Called after every attempt that got an answer. */
  onResponse?: ((response: ResponseEvent) => void | Promise<void>) | undefined;
}

/**
 * A client of the organization settings API. It keeps no state between calls and may
 * be used for any number of calls at once.
 */
export class FlashbackClient {
  readonly settings: { readonly organization: OrganizationSettings };

  /** Throws a FlashbackError of kind `request` if an option cannot be used. */
  constructor(options: FlashbackClientOptions) {
    if (typeof options !== 'object' || options === null) {
      throw new FlashbackError('request', 'the options are missing: new FlashbackClient({ accessToken })');
    }
    const transport = new Transport(options);
    this.settings = Object.freeze({ organization: Object.freeze(organization(transport)) });
  }
}

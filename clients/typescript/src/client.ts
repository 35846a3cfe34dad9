import { FlashbackError } from './error.js';
import { serialize } from './json.js';
import { member } from './read.js';
import type { AccessToken } from './tokens.js';
import { strong, Transport, type Answer, type Call, type Fetch, type RequestEvent, type ResponseEvent } from './transport.js';
import type {
  AnswerHeader,
  DeleteSettingsRequest,
  DeleteSettingsResponse,
  Json,
  NotModified,
  PartialUpdateSettingsResponse,
  ReadOptions,
  Settings,
  UpdateSettingsResponse,
  WriteOptions,
} from './types.js';

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

/** The settings document of the organization that the token's user belongs to. */
export interface OrganizationSettings {
  /** Reads the document. */
  get(options: ReadOptions & { ifNoneMatch: string | null }): Promise<Settings | NotModified>;
  get(options?: ReadOptions & { ifNoneMatch?: null | undefined }): Promise<Settings>;
  /** Replaces the whole document. */
  update<T extends Record<string, any>>(
    request: { settings: T & Json<T> },
    options?: WriteOptions,
  ): Promise<UpdateSettingsResponse & AnswerHeader>;
  /** Changes some of the document; what the patch does not name stays as it is. */
  partialUpdate<T extends Record<string, any>>(
    patch: T & Json<T>,
    options?: WriteOptions,
  ): Promise<PartialUpdateSettingsResponse & AnswerHeader>;
  /** Removes keys from the document. A key that is not there is no error. */
  delete(request: DeleteSettingsRequest, options?: WriteOptions): Promise<DeleteSettingsResponse & AnswerHeader>;
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

function organization(transport: Transport): OrganizationSettings {
  const path = '/settings/organization';
  const write = (method: Call['method'], body: unknown, options: WriteOptions, repeatable = true) =>
    transport
      .call({ method, path, body: serialize(body), headers: preconditions(options), repeatable, signal: options.signal })
      .then(message);
  return {
    get: (async (options: ReadOptions = {}) => {
      const headers = preconditions({ ifMatch: options.ifMatch, ifNoneMatch: options.ifNoneMatch ?? undefined });
      return document(await transport.call({ method: 'GET', path, headers, repeatable: true, signal: options.signal }), options.reviver);
    }) as OrganizationSettings['get'],
    update: async (request, options = {}) => write('POST', request, options),
    partialUpdate: async (patch, options = {}) => write('PUT', patch, options),
    delete: async (request, options = {}) => write('DELETE', request, options, deletesOnce(request, options)),
  };
}

/**
 * Whether the same keys can be deleted twice to the same end. `a.b` is a name where there
 * is one, else a path: the first time it may remove the member `a.b`, the second time `b`
 * of `a`. A revision to match forbids the second time, as the first one changes it.
 */
function deletesOnce(request: DeleteSettingsRequest, options: WriteOptions): boolean {
  const revision = typeof options.ifMatch === 'string' && options.ifMatch.trim() !== '*';
  return revision || !Array.isArray(request?.keys) || request.keys.every((key) => !String(key).includes('.'));
}

/** A missing precondition is left out. One that is there is sent, as the strong tags that its tags were made of. */
function preconditions(options: WriteOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  const { ifMatch, ifNoneMatch } = options;
  if (ifMatch === null && ifNoneMatch !== undefined) {
    throw new FlashbackError('request', 'ifMatch: null and ifNoneMatch exclude each other');
  }
  if (ifMatch === null) headers['If-None-Match'] = '*';
  else if (ifMatch !== undefined) headers['If-Match'] = field('ifMatch', ifMatch);
  if (ifNoneMatch !== undefined) headers['If-None-Match'] = field('ifNoneMatch', ifNoneMatch);
  return headers;
}

function field(name: string, value: string): string {
  if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value)) {
    throw new FlashbackError('request', `${name} is not an entity tag`);
  }
  return strong(value);
}

function document(answer: Answer, reviver: ReadOptions['reviver']): Settings | NotModified {
  if (answer.status === 304) return { success: true, notModified: true, ...headerOf(answer) };
  const body = answer.body;
  if (body?.['success'] !== true || typeof body['settings'] !== 'object' || body['settings'] === null) throw foreign(answer);
  const { text, lossy } = member(answer.text, 'settings');
  let settings: Record<string, any> = body['settings'];
  try {
    if (reviver !== undefined) settings = JSON.parse(text, reviver as (this: any, name: string, value: any) => any);
  } catch (cause) {
    throw new FlashbackError('request', `reviver has thrown: ${cause}`, { cause });
  }
  return { success: true, settings, text, lossy, ...headerOf(answer) };
}

function message(answer: Answer): { success: true; message: string } & AnswerHeader {
  const body = answer.body;
  if (body?.['success'] !== true || typeof body['message'] !== 'string') throw foreign(answer, true);
  return { success: true, message: body['message'], ...headerOf(answer) };
}

function headerOf({ etag, requestId }: Answer): AnswerHeader {
  return requestId === undefined ? { etag } : { etag, requestId };
}

function foreign(answer: Answer, maybeStored = false): FlashbackError {
  const { status, requestId } = answer;
  return new FlashbackError('response', 'the answer is not one of the settings API', { status, requestId, maybeStored });
}

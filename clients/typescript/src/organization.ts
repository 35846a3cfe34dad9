import { FlashbackError } from './error.js';
import { serialize } from './json.js';
import { member } from './read.js';
import { strong, type Answer, type Call, type Transport } from './transport.js';
import type {
  AnswerHeader,
  CallOptions,
  DeleteSettingsRequest,
  DeleteSettingsResponse,
  HistoryOptions,
  Json,
  NotModified,
  PartialUpdateSettingsResponse,
  PreviewOptions,
  ReadOptions,
  RestoreSettingsResponse,
  Settings,
  SettingsPreview,
  SettingsRevision,
  SettingsSchema,
  SettingsState,
  UpdateSettingsResponse,
  WriteOptions,
} from './types.js';

/** The settings document of the organization that the token's user belongs to. */
export interface OrganizationSettings {
  /** Reads the document. */
  get(options: ReadOptions & { ifNoneMatch: string | null }): Promise<Settings | NotModified>;
  get(options?: ReadOptions & { ifNoneMatch?: null | undefined }): Promise<Settings>;
  /** Reads the JSON Schema that the document must obey. Status 404 if the deployment has none. */
  schema(options?: CallOptions): Promise<SettingsSchema>;
  /** Replaces the whole document. `update<T>` checks it against a type of yours. */
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
  readonly history: OrganizationSettingsHistory;
  readonly preview: OrganizationSettingsPreview;
}

/** The states of the document. Only members who may write can use it. A revision may also be given as an `etag`. */
export interface OrganizationSettingsHistory {
  /** Lists the states, the current one first. Pages are read when they are needed. */
  list(options?: HistoryOptions): AsyncIterableIterator<SettingsState>;
  /** Reads one state and what it changed. */
  get(revision: string, options?: CallOptions & Pick<ReadOptions, 'reviver'>): Promise<SettingsRevision>;
  /** Makes the document of one state the current one, as a new state. */
  restore(revision: string, options?: WriteOptions): Promise<RestoreSettingsResponse & AnswerHeader>;
}

/** What the writes would do, with all their checks. Nothing is written. */
export interface OrganizationSettingsPreview {
  update<T extends Record<string, any>>(request: { settings: T & Json<T> }, options?: PreviewOptions): Promise<SettingsPreview>;
  partialUpdate<T extends Record<string, any>>(patch: T & Json<T>, options?: PreviewOptions): Promise<SettingsPreview>;
  delete(request: DeleteSettingsRequest, options?: PreviewOptions): Promise<SettingsPreview>;
}

const path = '/settings/organization';

export function organization(transport: Transport): OrganizationSettings {
  const read = (path: string, { signal }: CallOptions, headers = {}) =>
    transport.call({ method: 'GET', path, headers, writes: false, repeatable: true, signal });
  const write = (method: Call['method'], body: unknown, options: WriteOptions, repeatable = true) =>
    transport
      .call({ method, path, body: serialize(body), headers: preconditions(options), writes: true, repeatable, signal: options.signal })
      .then(message);
  const preview = async (method: Call['method'], body: unknown, options: PreviewOptions = {}) => {
    const call = { method, path: `${path}/preview`, body: serialize(body), headers: preconditions(options), signal: options.signal };
    return changed<SettingsPreview>(await transport.call({ ...call, writes: false, repeatable: true }), options.reviver);
  };
  return {
    get: (async (options: ReadOptions = {}) => {
      const headers = preconditions({ ifMatch: options.ifMatch, ifNoneMatch: options.ifNoneMatch ?? undefined });
      const answer = await read(path, options, headers);
      return answer.status === 304 ? { success: true, notModified: true, ...headerOf(answer) } : document(answer, options.reviver);
    }) as OrganizationSettings['get'],
    schema: async (options = {}) => {
      const answer = await read(`${path}/schema`, options);
      if (answer.body === undefined) throw foreign(answer);
      return { schema: answer.body, text: answer.text, ...headerOf(answer) };
    },
    update: async (request, options = {}) => write('POST', request, options),
    partialUpdate: async (patch, options = {}) => write('PUT', patch, options),
    delete: async (request, options = {}) => write('DELETE', request, options, deletesOnce(request, options)),
    history: Object.freeze<OrganizationSettingsHistory>({
      list: async function* ({ before, pageSize, ...options }: HistoryOptions = {}) {
        const query = new URLSearchParams(pageSize === undefined ? {} : { limit: String(pageSize) });
        for (let next = before; ; ) {
          if (next !== undefined) query.set('before', revisionOf(next));
          const answer = await read(`${path}/history?${query}`, options);
          const page = answer.body;
          if (page?.['success'] !== true || !Array.isArray(page['history'])) throw foreign(answer);
          yield* page['history'] as SettingsState[];
          if (page['next'] === undefined) return;
          next = page['next'] as string;
        }
      },
      get: async (revision, options = {}) =>
        changed<SettingsRevision>(await read(`${path}/history/${revisionOf(revision)}`, options), options.reviver),
      restore: async (revision, options = {}) => {
        const call = { method: 'POST' as const, path: `${path}/history/${revisionOf(revision)}/restore`, headers: preconditions(options) };
        return message(await transport.call({ ...call, writes: true, repeatable: true, signal: options.signal }));
      },
    }),
    preview: Object.freeze<OrganizationSettingsPreview>({
      update: async (request, options) => preview('POST', request, options),
      partialUpdate: async (patch, options) => preview('PUT', patch, options),
      delete: async (request, options) => preview('DELETE', request, options),
    }),
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

/** Returns a revision for a URL. It may be given as an entity tag. */
function revisionOf(given: string): string {
  const revision = typeof given === 'string' ? strong(given).replace(/^"(.*)"$/, '$1') : '';
  if (!/^[\w~-]+$/.test(revision)) throw new FlashbackError('request', 'the revision is not a revision or an etag');
  return revision;
}

function document(answer: Answer, reviver: ReadOptions['reviver']): Settings {
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

/** Returns an answer that has a document and what has changed. */
function changed<T extends SettingsPreview | SettingsRevision>(answer: Answer, reviver: ReadOptions['reviver']): T {
  const settings = document(answer, reviver);
  const known = Array.isArray(answer.body!['changes']);
  const changes = known ? member(answer.text, 'changes') : { text: undefined, lossy: [] };
  return { ...answer.body, ...settings, ...(known && { changesText: changes.text }), changesLossy: changes.lossy } as unknown as T;
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

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { fetch as crossFetch } from 'cross-fetch';
import nodeFetch from 'node-fetch';
import nodeFetch2 from 'node-fetch2';
import { fetch as undici } from 'undici';
import { FlashbackClient, FlashbackError } from '@flashback/client';
import { against, answer, busy, changed, cut, failure, gatewayBusy, half, hang, read, stored, token, type Reply } from './against.js';
import { packageDir } from './stack.js';

process.env['TZ'] = 'America/New_York'; // a date without a zone is not in the machine's

test('what may pass is repeated, and the same request goes out again', async () => {
  for (const reply of [cut, half, busy, gatewayBusy, answer(429, { message: 'Too Many Requests' }), answer(502, 'x'), answer(504, '')]) {
    const { settings, seen } = await against([reply, stored]);
    const result = await settings.partialUpdate({ a: 1 }, { ifMatch: '"0"' });
    assert.deepEqual(result, { success: true, message: 'stored', etag: '"1"', requestId: 'id' });
    assert.deepEqual(seen.map(({ method, body, headers }) => [method, body, headers['if-match']]), Array(2).fill(['PUT', '{"a":1}', '"0"']));
  }
});

test('what does not pass is not repeated', async () => {
  for (const status of [400, 403, 404, 412, 413, 415, 418, 431, 500, 501]) {
    const { settings, seen } = await against([answer(status, { success: false, message: 'm', error: 'e' })]);
    const e = await failure(settings.update({ settings: {} }));
    assert.deepEqual([e.kind, e.status, e.message, e.error, e.requestId, seen.length], ['response', status, 'm', 'e', 'id', 1]);
    assert.equal(e.maybeStored, status >= 500);
  }
});

test('repetitions are bounded in number', async () => {
  for (const maxRetries of [0, 2]) {
    const { settings, seen } = await against([busy], { maxRetries });
    const e = await failure(settings.update({ settings: {} }));
    assert.deepEqual([e.status, e.maybeStored, seen.length], [503, false, 1 + maxRetries]);
  }
});

test('a pause that does not fit into the time is not begun', async () => {
  for (const wait of ['3600', new Date(Date.now() + 3_600_000).toUTCString()]) {
    const { settings, seen } = await against([answer(429, { message: 'Too Many Requests' }, { 'Retry-After': wait })]);
    const began = performance.now();
    assert.equal((await failure(settings.get())).status, 429);
    assert.equal(seen.length, 1);
    assert.ok(performance.now() - began < 5_000);
  }
});

test('Retry-After is heeded as seconds and as a date of the service', async () => {
  // The service's clock is a day ahead: only the difference counts.
  const ahead = Date.now() + 86_400_000;
  const seconds = { 'Retry-After': '1' };
  const fields = [seconds, ...dates(ahead).map((text) => ({ 'Retry-After': text, Date: new Date(ahead - 1_000).toUTCString() }))];
  for (const headers of fields) {
    const { settings, seen } = await against([answer(503, { message: 'Service Unavailable' }, headers), read]);
    await settings.get();
    const pause = seen[1]!.at - seen[0]!.at;
    assert.ok(pause >= 990 && pause < 4_000, `${headers['Retry-After']}: ${pause} ms`);
  }
  for (const text of ['-1', '1.5', 'soon', '2040-01-01', 'Wed, 01 Jan 2020 00:00:00 GMT']) {
    const { settings, seen } = await against([answer(503, {}, { 'Retry-After': text }), read]);
    await settings.get();
    assert.ok(seen[1]!.at - seen[0]!.at < 900, text);
  }
});

/** The three forms of RFC 9110 section 5.6.7. */
function dates(time: number): string[] {
  const text = new Date(time).toUTCString(); // Sun, 06 Nov 1994 08:49:37 GMT
  const [, , day, month, year, clock] = /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(text)!;
  const weekday = new Date(time).toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' });
  return [text, `${weekday}, ${day}-${month}-${year!.slice(2)} ${clock} GMT`, `${text.slice(0, 3)} ${month} ${day!.replace(/^0/, ' ')} ${clock} ${year}`];
}

test('keys with dots are deleted again only if it is known that nothing was', async () => {
  const keys = ['x', 'a.b'];
  for (const reply of [cut, half, gatewayBusy, answer(502, ''), answer(504, '')]) {
    for (const options of [{}, { ifMatch: '*' }, { ifNoneMatch: '"0"' }]) {
      const { settings, seen } = await against([reply, stored]);
      const e = await failure(settings.delete({ keys }, options));
      assert.deepEqual([e.maybeStored, seen.length], [true, 1]);
    }
    const { settings, seen } = await against([reply, stored]);
    await settings.delete({ keys }, { ifMatch: '"0"' });
    await settings.delete({ keys: ['x'] });
    assert.equal(seen.length, 3);
  }
  for (const reply of [busy, answer(429, {})]) {
    const { settings, seen } = await against([reply, stored]);
    await settings.delete({ keys });
    assert.equal(seen.length, 2);
  }
});

test('a conflict after an attempt of unknown end may be one with itself', async () => {
  for (const [reply, maybeStored] of [[cut, true], [half, true], [gatewayBusy, true], [busy, false]] as const) {
    const { settings } = await against([reply, changed]);
    const e = await failure(settings.update({ settings: {} }, { ifMatch: '"1"' }));
    assert.deepEqual([e.status, e.etag, e.maybeStored], [412, '"2"', maybeStored]);
  }
  const { settings } = await against([cut]);
  assert.equal((await failure(settings.get())).maybeStored, false);
});

test('a refused token is renewed once', async () => {
  const refused = answer(401, { success: false, message: 'Invalid access token' });
  let calls = 0;
  const renewing = () => `${token}${calls++}`;
  let { settings, seen } = await against([refused, read], { accessToken: renewing });
  await settings.get();
  assert.deepEqual(seen.map((r) => r.headers.authorization), [`Bearer ${token}0`, `Bearer ${token}1`]);
  for (const [accessToken, requests] of [[renewing, 2], [() => token, 1], [token, 1]] as const) {
    ({ settings, seen } = await against([refused], { accessToken }));
    assert.deepEqual([(await failure(settings.get())).status, seen.length], [401, requests]);
  }
});

test('without a usable token nothing is sent', async () => {
  const cause = new Error('no session');
  const functions = [() => Promise.reject(cause), () => { throw cause; }];
  for (const accessToken of [...functions, '', ' ', `${token}\r\nX: y`, 'a b', 'ä', () => undefined as any]) {
    const { settings, seen } = await against([read], { accessToken });
    const e = await failure(settings.get());
    assert.deepEqual([e.kind, e.status, e.cause, seen.length], ['token', 0, functions.includes(accessToken as any) ? cause : undefined, 0]);
  }
});

test('calls that wait for a token at the same time share it', async () => {
  const asked: boolean[] = [];
  let signIn: PromiseWithResolvers<string>;
  const accessToken = ({ refresh }: { refresh: boolean }) => {
    asked.push(refresh);
    signIn = withResolvers();
    return signIn.promise;
  };
  const { settings, seen } = await against([read], { accessToken });
  const failing = [settings.get(), settings.get(), settings.get()].map(failure);
  signIn!.reject(new Error('no session'));
  for (const e of await Promise.all(failing)) assert.deepEqual([e.kind, (e.cause as Error).message], ['token', 'no session']);

  const again = [settings.get(), settings.get()]; // a failure is not kept
  signIn!.resolve(token);
  await Promise.all(again);
  const alone = settings.get(); // nor is a token
  signIn!.resolve(`${token}2`);
  await alone;
  assert.deepEqual(asked, [false, false, false]);
  assert.deepEqual(seen.map((r) => r.headers.authorization), [token, token, `${token}2`].map((t) => `Bearer ${t}`));
});

test('a token that is there at once is asked for by every call', async () => {
  let user = 0;
  const { settings, seen } = await against([read], { accessToken: () => `user${user++}` });
  await Promise.all([settings.get(), settings.get()]);
  assert.deepEqual(seen.map((r) => r.headers.authorization).sort(), ['Bearer user0', 'Bearer user1']);
});

test('one caller’s abort does not cut the sign-in of another', async () => {
  const signals: AbortSignal[] = [];
  let signIn: PromiseWithResolvers<string>;
  const { settings } = await against([read], {
    accessToken: ({ signal }) => {
      signals.push(signal);
      signIn = withResolvers();
      return signIn.promise;
    },
  });
  const impatient = new AbortController();
  const [cut, kept] = [failure(settings.get({ signal: impatient.signal })), settings.get()];
  impatient.abort();
  assert.equal((await cut).kind, 'aborted');
  assert.equal(signals[0]!.aborted, false);
  signIn!.resolve(token);
  await kept;
  assert.deepEqual([signals.length, signals[0]!.aborted], [1, false]);

  const only = new AbortController();
  const last = failure(settings.get({ signal: only.signal }));
  only.abort(new Error('gone'));
  await last;
  assert.deepEqual([signals[1]!.aborted, signals[1]!.reason], [true, only.signal.reason]); // nobody waits for it any more
  const next = settings.get();
  assert.equal(signals.length, 3);
  signIn!.resolve(token);
  await next;
});

test('calls with one refused token renew it once, the late one too', async () => {
  const asked: boolean[] = [];
  let current = `${token}old`;
  const holds: (() => void)[] = [];
  const refuse = answer(401, { success: false, message: 'Invalid access token' });
  const { settings, seen } = await against(
    [(response, request) => {
      if (request.headers.authorization === `Bearer ${token}new`) read(response, request);
      else if (seen.length === 3) holds.push(() => refuse(response, request));
      else refuse(response, request);
    }],
    {
      accessToken: async ({ refresh }) => {
        asked.push(refresh);
        await null;
        return refresh ? (current = `${token}new`) : current;
      },
    },
  );
  const calls = [settings.get(), settings.get(), settings.get()];
  await Promise.any(calls);
  while (holds.length === 0) await new Promise(setImmediate);
  holds[0]!();
  await Promise.all(calls);
  assert.equal(asked.filter((refresh) => refresh).length, 1);
  assert.equal(seen.length, 6);

  const stubborn = await against([refuse], { accessToken: async ({ refresh }) => `${token}${refresh}` });
  for (let i = 0; i < 2; i++) assert.equal((await failure(stubborn.settings.get())).status, 401);
  assert.equal(stubborn.seen.length, 4);
});

/** Promise.withResolvers, which Node has from 22 on. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let [resolve, reject]: any[] = [];
  const promise = new Promise<T>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}
interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: Error): void;
}

test('an attempt, and a call, has an end', async () => {
  const silent = (): Promise<string> => new Promise(() => {});
  const deaf = (() => new Promise(() => {})) as typeof fetch;
  const endless = (async () => new Response(new ReadableStream())) as typeof fetch;
  for (const options of [{}, { accessToken: silent }, { fetch: deaf }, { fetch: endless }]) {
    const { settings, seen } = await against([hang], { timeoutMs: 50, maxRetries: 1, ...options });
    const e = await failure(settings.update({ settings: {} }));
    assert.deepEqual([e.kind, e.status, e.message, (e.cause as Error).name], ['timeout', 0, 'no answer within 50 ms', 'TimeoutError']);
    assert.equal(e.maybeStored, !('accessToken' in options));
    if (!('accessToken' in options || 'fetch' in options)) assert.equal(seen.length, 2);
  }
  const slow: Reply = (response) => void response.writeHead(200).write('{');
  for (const reply of [hang, slow]) {
    const began = performance.now();
    const { settings } = await against([reply], { totalTimeoutMs: 300, maxRetries: 99 });
    assert.equal((await failure(settings.get())).kind, 'timeout');
    assert.ok(performance.now() - began < 2_000);
  }
  const { settings } = await against([hang, read], { timeoutMs: 100 });
  assert.deepEqual((await settings.get()).settings, {});
});

test('aborts', async () => {
  const reason = new Error('changed my mind');
  const before = await against([read]);
  let e = await failure(before.settings.update({ settings: {} }, { signal: AbortSignal.abort(reason) }));
  assert.deepEqual([e.kind, e.cause, e.maybeStored, before.seen.length], ['aborted', reason, false, 0]);

  const during = new AbortController();
  const { settings, seen } = await against([() => during.abort(reason)]);
  e = await failure(settings.update({ settings: {} }, { signal: during.signal }));
  assert.deepEqual([e.kind, e.cause, e.maybeStored, seen.length], ['aborted', reason, true, 1]);

  const pausing = new AbortController();
  const wait = answer(503, { success: false, message: 'Service unavailable' }, { 'Retry-After': '20' });
  const paused = await against([(response, request) => {
    wait(response, request);
    response.on('close', () => setTimeout(() => pausing.abort(reason), 100));
  }]);
  const began = performance.now();
  e = await failure(paused.settings.update({ settings: {} }, { signal: pausing.signal }));
  assert.deepEqual([e.kind, e.cause, e.maybeStored, paused.seen.length], ['aborted', reason, false, 1]);
  assert.ok(performance.now() - began < 5_000);
});

test('one signal for many calls gathers no listeners', async () => {
  const replies = [Response.json({}, { status: 503 }), Response.json({ success: true, settings: {} })];
  const { settings } = await against([], { fetch: (async () => replies.shift()) as any });
  const { signal } = new AbortController();
  let [added, removed] = [0, 0];
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => (added++, (addEventListener as any).apply(signal, args));
  signal.removeEventListener = (...args: unknown[]) => (removed++, (removeEventListener as any).apply(signal, args));
  await settings.get({ signal });
  assert.deepEqual([added, removed], [3, 3]); // two attempts and a pause
});

test('one signal for many calls at once warns of nothing', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', warned);
  const { settings } = await against([hang]);
  const controller = new AbortController();
  const calls = Array.from({ length: 50 }, () => failure(settings.get({ signal: controller.signal })));
  await new Promise(setImmediate);
  controller.abort();
  for (const e of await Promise.all(calls)) assert.equal(e.kind, 'aborted');
  process.off('warning', warned);
  assert.deepEqual(warnings, []);
});

test('a tag that a proxy has changed is sent as the strong tag that it was', async () => {
  const tags: [string, string][] = [
    ['W/"01"', '"01"'],
    ['"01-gzip"', '"01"'],
    ['W/"01--gzip"', '"01"'],
    ['W/"01", "02",W/"03-br"', '"01", "02","03"'],
    ['"aW/","b"', '"aW/","b"'],
    ['"W/"', '"W/"'],
    ['*', '*'],
    ['01', '01'], // what has no quotes is the service's to refuse
  ];
  for (const [given, sent] of tags) {
    const { settings, seen } = await against([answer(200, { success: true, settings: {}, message: 'm' }, { ETag: given })]);
    await settings.update({ settings: {} }, { ifMatch: given });
    await settings.get({ ifNoneMatch: given });
    assert.deepEqual([seen[0]!.headers['if-match'], seen[1]!.headers['if-none-match']], [sent, sent]);
    assert.equal((await settings.get()).etag, sent);
  }
  const { settings } = await against([answer(412, { success: false, message: 'm' }, { ETag: 'W/"1"' })]);
  assert.equal((await failure(settings.get({ ifMatch: '"0"' }))).etag, '"1"');
});

test('the client names itself and its version', async () => {
  const { settings, seen } = await against([read]);
  await settings.get();
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
  assert.equal(seen[0]!.headers['user-agent'], `flashback-client/${version}`);
  for (const [name, value] of [['document', {}], ['process', undefined]] as const) { // as in a browser
    const kept = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    const headers: unknown[] = [];
    const fetch = async (_: string, init: { headers: object }) => (headers.push(init.headers), Response.json({ success: true, settings: {} }));
    await new FlashbackClient({ accessToken: token, fetch }).settings.organization.get();
    if (kept) Object.defineProperty(globalThis, name, kept);
    else delete (globalThis as any)[name];
    assert.deepEqual(headers, [{ Accept: 'application/json', Authorization: `Bearer ${token}` }]);
  }
});

test('hooks see every attempt and may add headers', async () => {
  const told: unknown[] = [];
  const { settings, seen } = await against([busy, cut, stored], {
    onRequest: async ({ method, url, headers, attempt }) => {
      await null;
      told.push([method, new URL(url).pathname, attempt, headers['If-Match']]);
      assert.ok(!JSON.stringify(headers).includes(token));
      headers['traceparent'] = `00-${attempt}`;
    },
    onResponse: ({ status, attempt, headers, durationMs, method }) =>
      void told.push([method, status, attempt, headers.get('Apigw-Requestid'), durationMs > 0]),
  });
  await settings.update({ settings: {} }, { ifMatch: '"0"' });
  const path = '/settings/organization';
  assert.deepEqual(told, [
    ['POST', path, 1, '"0"'], ['POST', 503, 1, 'id', true], ['POST', path, 2, '"0"'], ['POST', path, 3, '"0"'], ['POST', 200, 3, 'id', true],
  ]);
  assert.deepEqual(seen.map((r) => [r.headers['traceparent'], r.headers.authorization]), [1, 2, 3].map((n) => [`00-${n}`, `Bearer ${token}`]));

  const throwing = async () => { throw new Error('no'); };
  for (const [hook, sent] of [['onRequest', 0], ['onResponse', 1]] as const) {
    const { settings, seen } = await against([stored], { [hook]: throwing });
    const e = await failure(settings.update({ settings: {} }));
    assert.deepEqual([e.kind, e.maybeStored, (e.cause as Error).message, seen.length], ['request', sent === 1, 'no', sent]);
    assert.match(e.message, new RegExp(hook));
  }
});

test('any fetch serves', async () => {
  for (const fetch of [undici, nodeFetch, nodeFetch2, crossFetch, globalThis.fetch]) {
    const { settings, seen } = await against([busy, stored, answer(304, '')], { fetch });
    assert.equal((await settings.update({ settings: { a: 'ä' } }, { signal: new AbortController().signal })).message, 'stored');
    assert.equal((await settings.get({ ifNoneMatch: '"1"' })).notModified, true);
    assert.deepEqual([seen[1]!.body, seen[1]!.headers['content-type']], ['{"settings":{"a":"ä"}}', 'application/json']);
    const redirect = await against([answer(307, '', { Location: '/' })], { fetch });
    assert.match((await failure(redirect.settings.get())).message, /redirect/);
    const slow = await against([hang], { fetch, timeoutMs: 30, maxRetries: 0 });
    assert.equal((await failure(slow.settings.get())).kind, 'timeout');
  }
});

test('an answer that is not the API’s is no success', async () => {
  for (const body of ['<html>', '', '[]', 'null', '{}', { success: false, message: 'm' }, { success: true }, { success: true, settings: null }]) {
    const { settings, seen } = await against([answer(200, body)]);
    for (const [call, maybeStored] of [[settings.get(), false], [settings.update({ settings: {} }), true]] as const) {
      const e = await failure(call);
      assert.deepEqual([e.kind, e.status, e.requestId, e.maybeStored], ['response', 200, 'id', maybeStored]);
    }
    assert.equal(seen.length, 2);
  }
  const { settings, seen } = await against([answer(307, '', { Location: '/settings/organization' })]);
  assert.equal((await failure(settings.get())).status, 307);
  assert.equal(seen.length, 1);
  const plain = await against([answer(418, '<html>')]);
  assert.equal((await failure(plain.settings.get())).message, 'HTTP status 418');
});

test('the token never shows', async () => {
  const echo = await against([(response, request) =>
    answer(400, { success: false, message: `got ${request.headers.authorization}`, error: request.headers.authorization })(response, request)]);
  assert.equal((await failure(echo.settings.get())).message, 'got Bearer [access token]');
  const gossip = ((_: unknown, init: RequestInit) => Promise.reject(new Error('x', { cause: new Error(JSON.stringify(init)) }))) as typeof fetch;
  const { client, settings } = await against([read], { fetch: gossip, maxRetries: 0 });
  assert.equal((await failure(settings.get())).kind, 'network');
  assert.ok(!inspect(client, { depth: 9, showHidden: true }).includes(token));
  assert.ok(!JSON.stringify(client).includes(token));
});

test('a network failure has its cause', async () => {
  const gone = new FlashbackClient({ accessToken: token, baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
  const e = await failure(gone.settings.organization.get());
  assert.deepEqual([e.name, e.kind, e.status, e.message], ['FlashbackError', 'network', 0, 'the service cannot be reached']);
  assert.ok(e.cause instanceof Error);
});

test('preconditions that are none are refused before they are sent', async () => {
  const { settings, seen } = await against([stored]);
  for (const ifMatch of ['', '"a"\r\nX: y', '"ä"', 1 as any]) {
    assert.equal((await failure(settings.update({ settings: {} }, { ifMatch }))).kind, 'request');
  }
  assert.equal((await failure(settings.update({ settings: {} }, { ifMatch: null, ifNoneMatch: '*' }))).kind, 'request');
  assert.equal(seen.length, 0);
  await settings.update({ settings: {} }, { ifMatch: null });
  assert.deepEqual([seen[0]!.headers['if-none-match'], seen[0]!.headers['if-match']], ['*', undefined]);
});

test('options', async () => {
  for (const options of [{ baseUrl: '' }, { baseUrl: 'ftp://a' }, { baseUrl: 'https://u:p@a' }, { baseUrl: 'https://a?b' }, { timeoutMs: 0 },
    { totalTimeoutMs: NaN }, { maxRetries: -1 }, { maxRetries: 1.5 }, { accessToken: undefined as any }, { fetch: 1 as any }, { onRequest: 'x' as any }]) {
    assert.throws(() => new FlashbackClient({ accessToken: token, ...options }), FlashbackError, JSON.stringify(options));
  }
  for (const options of [undefined, null, 'token', {}]) {
    assert.throws(() => new FlashbackClient(options as any), (e: unknown) => e instanceof FlashbackError && e.kind === 'request' && /accessToken/.test(e.message));
  }
  const at = (baseUrl: string): FlashbackClient => new FlashbackClient({ accessToken: token, baseUrl });
  assert.throws(() => at('127.0.0.1:64000'), /baseUrl "127\.0\.0\.1:64000" .* such as http:\/\/127\.0\.0\.1:3000$/);
  assert.throws(() => at('https://user:secret@a'), (e: Error) => !e.message.includes('secret'));
  const urls: unknown[] = [];
  const recording = (async (url: unknown) => {
    urls.push(url);
    await new Promise((resolve) => setTimeout(resolve, 20)); // longer than a timer that takes Infinity for 1 ms
    return Response.json({ success: true, settings: {} });
  }) as typeof fetch;
  for (const baseUrl of [undefined, 'https://a.example/stage//']) {
    const client = new FlashbackClient({ accessToken: token, baseUrl, fetch: recording, timeoutMs: Infinity, totalTimeoutMs: Infinity });
    assert.equal((await client.settings.organization.get()).etag, null);
  }
  assert.deepEqual(urls, ['https://backend.flashback.tech/settings/organization', 'https://a.example/stage/settings/organization']);
});

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { atEnd, bodyOf, packageDir, scratch, serve, startStack, type Stack } from './stack.js';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const skip = !chromium && !process.env['CI'] ? 'there is no Chromium on this machine' : false;

/** The program of the page: it sends what it has seen to its own server. */
const script = `
  import { FlashbackClient } from '/dist/index.js';
  const { url, token } = await (await fetch('/parameters')).json();
  const seen = {};
  const step = async (name, call) => {
    seen[name] = await call().then((r) => r, (e) => ({ kind: e.kind, status: e.status, message: e.message, etag: e.etag, cause: String(e.cause) }));
    return seen[name];
  };
  const { organization } = new FlashbackClient({ accessToken: token, baseUrl: url, maxRetries: 0 }).settings;
  const first = await step('update', () => organization.update({ settings: { theme: 'dark', a: { b: 1, c: 'ä' } } }));
  await step('get', () => organization.get());
  await step('notModified', () => organization.get({ ifNoneMatch: first.etag }));
  await step('partialUpdate', () => organization.partialUpdate({ theme: null }, { ifMatch: first.etag }));
  await step('stale', () => organization.delete({ keys: ['a.b'] }, { ifMatch: first.etag }));
  await step('delete', () => organization.delete({ keys: ['a.b'] }));
  await step('rest', () => organization.get());
  await step('refused', () => new FlashbackClient({ accessToken: 'a.b.c', baseUrl: url }).settings.organization.get());
  await step('aborted', () => organization.get({ signal: AbortSignal.abort() }));
  await fetch('/seen', { method: 'POST', body: JSON.stringify({ origin: location.origin, seen }) });
`;

test('in Chromium, from another origin', { skip, timeout: 300_000 }, async () => {
  assert.ok(chromium, 'there is no Chromium, and CI may not do without it');
  let stack: Stack;
  let report: (text: string) => void;
  const page = await serve(async (request, response) => {
    if (request.url === '/seen') {
      report(await bodyOf(request));
      response.end();
    } else if (request.url === '/parameters') {
      response.end(JSON.stringify({ url: stack.url, token: await stack.token('alice') }));
    } else if (/^\/dist\/[a-z]+\.js$/.test(request.url!)) {
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(packageDir, request.url!)));
    } else if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(`<!doctype html><script type="module">${script}</script>`);
    } else {
      response.writeHead(404).end();
    }
  });
  stack = await startStack(page);
  const visit = async (address: string): Promise<{ origin: string; seen: Record<string, any> }> => {
    const reported = new Promise<string>((resolve) => (report = resolve));
    const browser = open(address);
    const ended = new Promise<never>((_, reject) => browser.once('exit', (code) => reject(new Error(`Chromium has ended: ${code}`))));
    ended.catch(() => {});
    const text = await Promise.race([reported, ended]);
    await kill(browser);
    return JSON.parse(text);
  };

  const { origin, seen } = await visit(page);
  assert.equal(origin, page);
  assert.equal(seen['update'].message, 'Organization settings updated successfully');
  assert.match(seen['update'].etag, /^"[0-9A-Z]{26}"$/);
  assert.deepEqual(seen['get'].settings, { theme: 'dark', a: { b: 1, c: 'ä' } });
  assert.equal(seen['get'].etag, seen['update'].etag);
  assert.equal(seen['notModified'].notModified, true);
  assert.equal(seen['partialUpdate'].message, 'Organization settings partially updated successfully');
  assert.deepEqual([seen['stale'].status, seen['stale'].etag], [412, seen['partialUpdate'].etag]);
  assert.equal(seen['delete'].message, 'Organization settings keys deleted successfully');
  assert.deepEqual(seen['rest'].settings, { a: { c: 'ä' } });
  assert.deepEqual([seen['refused'].status, seen['refused'].message], [401, 'Invalid access token']);
  assert.match(seen['aborted'].kind + seen['aborted'].cause, /^abortedAbortError/);

  const other = await visit(page.replace('127.0.0.1', 'localhost')); // an origin that is not allowed
  assert.deepEqual([other.seen['get'].kind, other.seen['get'].status], ['network', 0]);
});

function open(address: string): ChildProcess {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', `--user-data-dir=${scratch()}`];
  const browser = spawn(chromium!, [...flags, address], { stdio: 'ignore', detached: true }); // a group of its own, to be ended as one
  process.once('exit', () => void kill(browser));
  atEnd(() => kill(browser));
  return browser;
}

async function kill(browser: ChildProcess): Promise<void> {
  if (browser.exitCode !== null || browser.signalCode !== null) return;
  const exited = new Promise((resolve) => browser.once('exit', resolve));
  process.kill(-browser.pid!, 'SIGKILL');
  await exited;
}

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { FlashbackClient, rawJson, type OrganizationSettings, type SettingsState } from '@flashback/client';
import { against, answer, busy, changed, cut, failure, gatewayBusy, half, stored } from './against.js';
import { startStack, type Stack } from './stack.js';

let stack: Stack;
before(async () => {
  stack = await startStack();
});

async function as(user: string, onRequest?: (request: { url: string }) => void): Promise<OrganizationSettings> {
  return new FlashbackClient({ accessToken: await stack.token(user), baseUrl: stack.url, onRequest }).settings.organization;
}

async function all(states: AsyncIterable<SettingsState>): Promise<SettingsState[]> {
  const list = [];
  for await (const state of states) list.push(state);
  return list;
}

test('states are listed page by page, read with their changes, and restored', async () => {
  const urls: string[] = [];
  const alice = await as('alice', ({ url }) => urls.push(url));
  assert.deepEqual(await all(alice.history.list()), []);
  const first = await alice.update({ settings: { theme: 'dark', limits: { files: 1 } } });
  const second = await alice.partialUpdate({ theme: null, limits: { files: 2, 'a/b': [] } });
  await alice.delete({ keys: ['absent'] }); // nothing changes, so it is no state

  urls.length = 0;
  const states = await all(alice.history.list({ pageSize: 1 }));
  assert.deepEqual(states.map(({ revision }) => `"${revision}"`), [second.etag, first.etag]);
  assert.ok(urls.length >= 2 && urls.every((url) => url.includes('limit=1')), String(urls));
  const [newest, oldest] = states as Required<SettingsState>[];
  assert.equal(newest!.updatedBy, 'alice');
  assert.ok(Math.abs(Date.parse(newest!.updatedAt) - Date.now()) < 60_000);
  assert.deepEqual(await all(alice.history.list({ before: newest!.revision })), [oldest]);
  for await (const { revision } of alice.history.list()) {
    assert.equal(revision, newest!.revision);
    break; // ends the iteration
  }

  const read = await alice.history.get(newest!.revision);
  assert.deepEqual([read.revision, read.etag, read.settings], [newest!.revision, second.etag, { limits: { files: 2, 'a/b': [] } }]);
  assert.equal(read.text, '{"limits":{"files":2,"a/b":[]}}');
  assert.deepEqual(read.changes, [
    { path: '/limits/files', before: 1, after: 2 },
    { path: '/limits/a~1b', after: [] },
    { path: '/theme', before: 'dark' },
  ]);
  assert.deepEqual([read.truncated, read.restoredFrom, read.changesLossy], [undefined, undefined, []]);

  const restored = await alice.history.restore(first.etag!, { ifMatch: second.etag });
  assert.equal(restored.message, 'Organization settings restored successfully');
  const now = await alice.get();
  assert.deepEqual([now.settings, now.etag], [{ theme: 'dark', limits: { files: 1 } }, restored.etag]);
  assert.equal((await alice.history.list().next()).value.restoredFrom, oldest!.revision);
  const late = await failure(alice.history.restore(newest!.revision, { ifMatch: second.etag }));
  assert.deepEqual([late.status, late.etag, late.maybeStored], [412, restored.etag, false]);
});

test('a preview shows what the write then does', async () => {
  const carol = await as('carol');
  const first = await carol.preview.update({ settings: { a: 1 } }, { ifMatch: null });
  assert.deepEqual([first.settings, first.etag, first.changes], [{ a: 1 }, null, [{ path: '/a', after: 1 }]]);
  await carol.update({ settings: { a: 1, b: 'x'.repeat(5_000) } }, { ifMatch: first.etag });

  const patch = { a: 2, b: null };
  const preview = await carol.preview.partialUpdate(patch);
  assert.deepEqual(preview.settings, { a: 2 });
  assert.deepEqual(preview.changes, [{ path: '/a', before: 1, after: 2 }, { path: '/b', beforeSize: { bytes: 5_002 } }]);
  assert.equal((await carol.get()).settings['a'], 1); // nothing is written
  const written = await carol.partialUpdate(patch, { ifMatch: preview.etag });
  assert.deepEqual((await carol.get()).settings, preview.settings);

  const removal = await carol.preview.delete({ keys: ['a'] }, { ifMatch: written.etag });
  assert.deepEqual([removal.settings, removal.changes, removal.etag], [{}, [{ path: '/a', before: 2 }], written.etag]);
  const stale = await failure(carol.preview.delete({ keys: ['a'] }, { ifMatch: preview.etag }));
  assert.deepEqual([stale.status, stale.etag, stale.maybeStored], [412, written.etag, false]);
  assert.equal((await failure(carol.preview.update({ settings: [] as any }))).message, 'Failed to update organization settings');
});

test('numbers of changes that JavaScript cannot hold are told', async () => {
  const erin = await as('erin');
  await erin.update({ settings: { id: rawJson('9007199254740993'), n: 1 } });
  const preview = await erin.preview.partialUpdate({ id: rawJson('9007199254740995') }, { reviver: (name, value) => (name === 'n' ? 'one' : value) });
  assert.deepEqual([preview.text, preview.lossy, preview.settings['n']], ['{"id":9007199254740995,"n":1}', ['/id'], 'one']);
  assert.equal(preview.changesText, '[{"path":"/id","before":9007199254740993,"after":9007199254740995}]');
  assert.deepEqual(preview.changesLossy, ['/0/before', '/0/after']);
});

test('refusals', async () => {
  const [dave, erin] = [await as('dave'), await as('erin')];
  const role = 'Insufficient permissions: only OWNER and ADMINISTRATOR roles can read organization settings history';
  const unknown = '01KDXZT9JE0000000000000000';
  for (const call of [() => dave.history.list().next(), () => dave.history.get(unknown), () => dave.history.restore(unknown)]) {
    const e = await failure(call());
    assert.deepEqual([e.status, e.message], [403, role]);
  }
  for (const call of [() => erin.history.get(unknown), () => erin.history.restore(unknown)]) {
    const e = await failure(call());
    assert.deepEqual([e.status, e.message], [404, 'Organization settings revision not found']);
  }
  const e = await failure(erin.history.list({ pageSize: 101 }).next());
  assert.deepEqual([e.status, e.error], [400, 'limit is not a number from 1 to 100']);
  const { settings, seen } = await against([stored]);
  for (const revision of ['', '..', 'a/b', 'a?b', '"', undefined as any]) {
    assert.equal((await failure(settings.history.get(revision))).kind, 'request');
    assert.equal((await failure(settings.history.restore(revision))).kind, 'request');
    assert.equal((await failure(settings.history.list({ before: revision ?? 'a b' }).next())).kind, 'request');
  }
  assert.equal(seen.length, 0);
});

const page = answer(200, { success: true, history: [{ revision: '1' }] });
const state = answer(200, { success: true, revision: '1', settings: {}, changes: [] });

test('a restoration is repeated as an update is, and what writes nothing whenever it may help', async () => {
  for (const reply of [cut, half, busy, gatewayBusy]) {
    const calls: [(s: OrganizationSettings) => Promise<unknown>, typeof stored][] = [
      [(s) => s.history.restore('"1"'), stored],
      [(s) => s.history.get('1'), state],
      [(s) => s.history.list().next(), page],
      [(s) => s.preview.update({ settings: {} }), state],
      [(s) => s.preview.partialUpdate({}), state],
      [(s) => s.preview.delete({ keys: ['a.b'] }), state], // not repeated as a write
    ];
    for (const [call, success] of calls) {
      const { settings, seen } = await against([reply, success]);
      await call(settings);
      assert.equal(seen.length, 2);
    }
  }
  const { settings } = await against([cut, changed]);
  assert.equal((await failure(settings.history.restore('1', { ifMatch: '"1"' }))).maybeStored, true);
  assert.equal((await failure((await against([cut, changed])).settings.preview.update({ settings: {} }, { ifMatch: '"1"' }))).maybeStored, false);
  assert.equal((await failure((await against([cut], { maxRetries: 0 })).settings.preview.update({ settings: {} }))).maybeStored, false);
});

test('an answer that is none of the service is an error', async () => {
  for (const body of ['<html>', '{}', '{"success":true}', '{"success":true,"history":{},"settings":1}']) {
    const { history, preview } = (await against([answer(200, body)])).settings;
    for (const call of [() => history.list().next(), () => history.get('1'), () => history.restore('1'), () => preview.update({ settings: {} })]) {
      assert.equal((await failure(call())).kind, 'response');
    }
  }
});

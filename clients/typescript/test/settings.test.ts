import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { FlashbackClient, FlashbackError, type OrganizationSettings } from '@flashback/client';
import { startStack, type Stack } from './stack.js';

let stack: Stack;
before(async () => {
  stack = await startStack();
});

async function as(user: string): Promise<OrganizationSettings> {
  return new FlashbackClient({ accessToken: await stack.token(user), baseUrl: stack.url }).settings.organization;
}

/** Returns what a call fails with. */
async function failure(call: Promise<unknown>): Promise<FlashbackError> {
  const error: unknown = await call.then(
    () => assert.fail('the call has succeeded'),
    (reason) => reason,
  );
  assert.ok(error instanceof FlashbackError, String(error));
  return error;
}

test('a document from its first write on', async () => {
  const alice = await as('alice');
  const never = await alice.get();
  assert.deepEqual(never.settings, {});
  assert.equal(never.etag, null);
  assert.match(never.requestId!, /./);

  const settings = { theme: 'dark', 'a.b': 1, a: { b: 2, c: [null, { ä: '😀' }] }, ['__proto__']: 0 };
  const created = await alice.update({ settings }, { ifMatch: never.etag });
  assert.deepEqual([created.success, created.message], [true, 'Organization settings updated successfully']);
  assert.match(created.etag!, /^"[0-9A-Z]{26}"$/);
  const late = await failure(alice.update({ settings: {} }, { ifMatch: never.etag }));
  assert.deepEqual([late.status, late.message, late.etag], [412, 'Organization settings have changed', created.etag]);

  const read = await alice.get();
  assert.deepEqual(read.settings, settings);
  assert.equal(read.etag, created.etag);
  const again = await alice.get({ ifNoneMatch: read.etag });
  assert.deepEqual([again.notModified, again.etag, again.settings], [true, read.etag, undefined]);
  assert.deepEqual((await alice.get({ ifNoneMatch: '"other"' })).settings, settings);

  const changed = await alice.partialUpdate({ theme: null, a: { c: 3 } }, { ifMatch: read.etag });
  assert.equal(changed.message, 'Organization settings partially updated successfully');
  const stale = await failure(alice.delete({ keys: ['a'] }, { ifMatch: read.etag }));
  assert.deepEqual([stale.kind, stale.status, stale.etag, stale.maybeStored], ['response', 412, changed.etag, false]);

  assert.equal((await alice.delete({ keys: ['a.b'] })).message, 'Organization settings keys deleted successfully');
  assert.deepEqual((await alice.get()).settings, { a: { b: 2, c: 3 }, ['__proto__']: 0 });
  await alice.delete({ keys: ['a.b'] }); // the same request now means the path: why it is not repeated blindly
  assert.deepEqual((await alice.get()).settings, { a: { c: 3 }, ['__proto__']: 0 });
});

test('refusals', async () => {
  const [carol, dave, bob] = [await as('carol'), await as('dave'), await as('bob')];
  const role = 'Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings';
  const expect = async (call: Promise<unknown>, status: number, message: string, error?: string): Promise<void> => {
    const e = await failure(call);
    assert.deepEqual([e.kind, e.status, e.message, e.error], ['response', status, message, error]);
    assert.match(e.requestId!, /./);
  };
  await expect(dave.update({ settings: {} }), 403, role);
  await expect(bob.get(), 404, 'User not associated with any organization');
  await expect(carol.update({} as any), 400, 'Failed to update organization settings', '"settings" is missing at byte 2');
  await expect(carol.delete({ keys: [] }), 400, 'Keys array is required and must not be empty', '0 keys are given, 1 to 1000 are allowed');
  await expect(carol.partialUpdate([] as any), 400, 'Failed to partially update organization settings', 'an object is needed, this is an array at byte 0');
  const large = { settings: { a: 'x'.repeat(400_000) } };
  await expect(carol.update(large), 413, 'Failed to update organization settings', 'document has 400008 bytes without insignificant white space, the limit is 400000');
  const stranger = new FlashbackClient({ accessToken: 'a.b.c', baseUrl: stack.url }).settings.organization;
  await expect(stranger.get(), 401, 'Invalid access token');
});

test('a token function renews a refused token', async () => {
  const asked: boolean[] = [];
  const client = new FlashbackClient({
    baseUrl: `${stack.url}/`,
    accessToken: async ({ refresh }) => {
      asked.push(refresh);
      return refresh ? `${await stack.token('carol')}\n` : 'expired';
    },
  });
  assert.equal((await client.settings.organization.get()).success, true);
  assert.deepEqual(asked, [false, true]);
});

test('concurrent editors lose nothing', async () => {
  const erin = await as('erin');
  const edit = async (name: string): Promise<void> => {
    for (;;) {
      const { settings, etag } = await erin.get();
      try {
        await erin.update({ settings: { ...settings, [name]: true } }, { ifMatch: etag });
        return;
      } catch (e) {
        if (!(e instanceof FlashbackError && e.status === 412)) throw e;
      }
    }
  };
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(names.map(edit));
  assert.deepEqual(Object.keys((await erin.get()).settings).sort(), names);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FlashbackClient } from '@flashback/client';
import { against, answer, busy, failure } from './against.js';
import { scratch, startStack } from './stack.js';

const text = '{\n  "properties": {"theme": {"enum": ["dark", "light"]}}\n}\n';

interface AppSettings {
  theme?: 'dark' | 'light';
  limits?: { files: number };
}

test('a deployment with a schema', async () => {
  const file = join(scratch(), 'settings.schema.json');
  writeFileSync(file, text);
  const stack = await startStack('', ['-schema', file]);
  const { organization } = new FlashbackClient({ accessToken: await stack.token('alice'), baseUrl: stack.url }).settings;
  const read = await organization.schema();
  assert.deepEqual([read.schema, read.text], [JSON.parse(text), text]);
  assert.match(read.etag!, /^"[0-9a-f]{64}"$/);

  await organization.update<AppSettings>({ settings: { theme: 'dark', limits: { files: 1 } } });
  // @ts-expect-error: a type of one's own finds the mistake before the service does
  const e = await failure(organization.update<AppSettings>({ settings: { theme: 'blue' } }));
  assert.deepEqual([e.status, e.error, e.maybeStored], [400, '/theme: must be one of "dark", "light"', false]);
  assert.deepEqual((await organization.get()).settings, { theme: 'dark', limits: { files: 1 } });
  assert.equal((await failure(organization.preview.partialUpdate({ theme: 1 }))).error, e.error);
});

test('no schema, and an answer that is none', async () => {
  const none = { success: false, message: 'Organization settings schema is not available' };
  const e = await failure((await against([busy, answer(404, none)])).settings.schema());
  assert.deepEqual([e.status, e.message], [404, none.message]);
  assert.equal((await failure((await against([answer(200, '<html>')])).settings.schema())).kind, 'response');
});

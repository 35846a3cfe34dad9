import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { FlashbackClient, FlashbackError, rawJson, type OrganizationSettings } from '@flashback/client';
import { against, answer, failure, stored } from './against.js';
import { startStack } from './stack.js';

let alice: OrganizationSettings; // of the real service
before(async () => {
  const stack = await startStack();
  alice = new FlashbackClient({ accessToken: await stack.token('alice'), baseUrl: stack.url }).settings.organization;
});

class Money {
  constructor(
    readonly amount: number,
    readonly currency = 'EUR',
  ) {}
  get [Symbol.toStringTag]() {
    return 'Money';
  }
  double(): number {
    return 2 * this.amount;
  }
}

test('what JSON writes as something else is refused, with its place, before anything is sent', async () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = { circle };
  let deep: unknown = 0;
  for (let i = 0; i < 5_000; i++) deep = [deep];
  const endless = (): unknown => ({ get more() { return endless(); } });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  class Secret {
    readonly #value = 1;
    value = () => this.#value;
  }
  const rows: [unknown, RegExp][] = [
    [Promise.resolve({ a: 1 }), /a Promise: await it/],
    [Object.assign(Promise.resolve(), { a: 1 }), /a Promise: await it/],
    [runInNewContext('Promise.resolve()'), /a Promise/],
    [Object.assign(Object.create({ then() {} }), { sql: 'select' }), /await it/],
    [new Map([['a', 1]]), /a Map/],
    [new (class Settings extends Map { a = 1; })(), /a Map/],
    [runInNewContext('new Map()'), /a Map/],
    [new Set([1]), /a Set/],
    [new WeakMap(), /a WeakMap/],
    [new Headers({ a: 'b' }), /a Headers/],
    [new FormData(), /a FormData/],
    [new URLSearchParams('a=b'), /a URLSearchParams/],
    [new Blob(['a']), /a Blob/],
    [new Response('a'), /a Response/],
    [new AbortController(), /an AbortController/],
    [/a/, /a RegExp/],
    [new Error('a'), /an Error/],
    [Object.assign(new TypeError('a'), { code: 1 }), /an Error/],
    [new (class extends Error { code = 1; get [Symbol.toStringTag]() { return 'Tagged'; } })(), /a Tagged/],
    [new Uint8Array(2), /an? Uint8Array/],
    [new Float64Array(0), /a Float64Array/],
    [new ArrayBuffer(2), /an ArrayBuffer/],
    [new DataView(new ArrayBuffer(2)), /a DataView/],
    [() => {}, /a function/],
    [class {}, /a function/],
    [Symbol('a'), /Symbol\(a\)/],
    [new Date(NaN), /an invalid Date/],
    [new Number(NaN), /a Number/],
    [new String('a'), /a String/],
    [new Boolean(false), /a Boolean/],
    [Object(1n), /a BigInt/],
    [NaN, /NaN/],
    [-Infinity, /-Infinity/],
    [10n, /a BigInt: send .*rawJson/],
    [{ toJSON: () => null }, /toJSON returns null/],
    [{ toJSON: () => undefined }, /toJSON returns undefined/],
    [{ toJSON: async () => 1 }, /a Promise/],
    [{ toJSON: () => new Date(0) }, /a Date/],
    [{ toJSON() { throw new Error('no'); } }, /toJSON throws: Error: no/],
    [new (class Empty {})(), /an Empty without members of its own/],
    [Object.create({ inherited: 1 }), /without members of its own/],
    [new Secret(), /a function/],
    [Object.defineProperty(new (class Hidden {})(), 'a', { value: 1 }), /a Hidden without members/],
    [{ [Symbol('s')]: 1 }, /a member named Symbol\(s\)/],
    [{ method() {} }, /a function/],
    [[undefined], /undefined/],
    [[1, , 2], /undefined/],
    [new Array(3), /undefined/],
    [new Array(2 ** 32 - 1), /undefined/],
    [/a(?<n>b)/.exec('ab'), /an array with a member named "index"/],
    [{ get a() { throw new Error('no'); } }, /cannot be read: Error: no/],
    [proxy, /cannot be read/],
    [circle, /contains itself/],
    [deep, /nested deeper/],
    [endless(), /nested deeper/],
    ['\ud800', /surrogate/],
    [{ 'a\udc00': 1 }, /surrogate/],
  ];
  const { settings, seen } = await against([stored]);
  for (const [value, what] of rows) {
    for (const [call, place] of [
      [settings.partialUpdate({ 'a/b': [{ '~': value }] }), '/a~1b/0/~0'],
      [settings.update({ settings: { x: value } }), '/settings/x'],
      [settings.update({ settings: value as object }), '/settings'],
      [settings.partialUpdate(value as object), ''],
    ] as const) {
      const e = await failure(call);
      assert.equal(e.kind, 'request', String(what));
      assert.match(e.message, what);
      assert.ok(e.pointer?.startsWith(place), `${what}: ${e.pointer}`);
      assert.ok(e.error?.startsWith(place || (e.pointer === '' ? 'the body is ' : e.pointer!)), e.error);
    }
  }
  assert.equal((await failure(settings.update(undefined as any))).kind, 'request');
  assert.equal((await failure(settings.partialUpdate({ a: { b: new Date(NaN) } }))).pointer, '/a/b');
  assert.match((await failure(settings.delete({ keys: [new Map() as any] }))).message, /\/keys\/0 is a Map/);
  assert.throws(() => rawJson('{"a":}'), (e: unknown) => e instanceof FlashbackError && e.kind === 'request' && /rawJson/.test(e.message));
  assert.equal(seen.length, 0);
});

test('everything else is sent as JSON.stringify writes it', async () => {
  const { settings, seen } = await against([stored]);
  const shared = { a: 1 };
  const values = [
    { a: 1, gone: undefined, null: null, list: [0, -0, 1e21, 5e-324, 0.1, true, '\u2028"\\\n😀', [], {}, [[]]] },
    Object.assign(Object.create(null), { b: 'x' }),
    new Money(3),
    { money: new Money(3), twice: [shared, shared], at: new Date(0), url: new URL('https://a.example/'), buffer: Buffer.from('ab') },
    runInNewContext('({ a: [1, {}, Object.create(null)], at: new Date(0) })'),
    JSON.parse('{"__proto__":{"a":1},"":0,"1":2}'),
    { get computed() { return 1; }, toJSON: 'a member' },
    { key: { toJSON: (key: string) => `was ${key}` }, list: [{ toJSON: (key: string) => `was ${key}` }] },
    new Proxy({ a: new Proxy([1], {}) }, {}),
    new (class Options { theme = undefined; })(),
    new (class List extends Array {})(),
    Object.defineProperty({ a: 1 }, 'hidden', { value: 1 }),
    {},
  ];
  for (const value of values) {
    await settings.partialUpdate(value);
    assert.equal(seen.at(-1)!.body, JSON.stringify(value));
    await alice.update({ settings: { value } });
    assert.deepEqual((await alice.get()).settings, { value: JSON.parse(JSON.stringify(value)) });
  }
});

test('what is sent is what was checked', async () => {
  const { settings, seen } = await against([stored]);
  let reads = 0;
  const moody = { get a() { return reads++ === 0 ? 1 : NaN; }, b: { toJSON: () => (reads++ === 1 ? 2 : null) } };
  await settings.partialUpdate(moody);
  assert.deepEqual([seen[0]!.body, reads], ['{"a":1,"b":2}', 2]);
});

test('numbers that JavaScript cannot hold are told, and are written back as they came', async () => {
  const text = '{"id":9007199254740993,"a":{"b/~":[1.0,1e400,0.1,100000000000000000000.5]},"ok":[9007199254740992,1E2,-0,0.10,1e-7,"9007199254740993"],"s\\"}":{"settings":[12345678901234567890]}}';
  await alice.update({ settings: rawJson(` ${text.replaceAll(',', ' ,\n')}`) });
  const read = await alice.get();
  assert.ok(!read.notModified);
  assert.equal(read.text, text);
  assert.deepEqual(read.lossy, ['/id', '/a/b~1~0/1', '/a/b~1~0/3', '/s"}/settings/0']);
  assert.equal(read.settings['id'], 9007199254740992); // why it has to be told

  await alice.update({ settings: rawJson(read.text) }, { ifMatch: read.etag });
  assert.equal((await alice.get()).text, text);
  await alice.partialUpdate({ id: rawJson('9007199254740995'), a: null });
  assert.match((await alice.get()).text!, /^\{"id":9007199254740995,"ok"/);
  await alice.update({ settings: { theme: 'dark', n: 2 ** 53 } });
  assert.deepEqual((await alice.get()).lossy, []);
});

test('a reviver makes the values', async () => {
  await alice.update({ settings: { id: rawJson('9007199254740993'), at: '2026-01-01T00:00:00Z' } });
  const { settings } = await alice.get({
    reviver: (name, value, context) => (name === 'at' ? new Date(value) : name === 'id' ? (context?.source ?? 'no source') : value),
  });
  assert.deepEqual([settings!['at'].getTime(), settings!['id']], [Date.UTC(2026), nodeAtLeast(22) ? '9007199254740993' : 'no source']);
  const e = await failure(alice.get({ reviver: () => { throw new Error('no'); } }));
  assert.deepEqual([e.kind, (e.cause as Error).message], ['request', 'no']);
});

const nodeAtLeast = (major: number): boolean => Number(process.versions.node.split('.')[0]) >= major;

test('whatever white space and order an answer has, the document is found', async () => {
  const { settings } = await against([answer(200, ' {"x":{"settings":1},\n"settings" : { "a" : [ 1e999 , { } ] } , "success":true,"z":[1e999]}')]);
  const read = await settings.get();
  assert.deepEqual([read.text, read.lossy], ['{ "a" : [ 1e999 , { } ] }', ['/a/0']]);
});

test('a native raw JSON value is one', { skip: 'rawJSON' in JSON ? false : 'this platform has none' }, async () => {
  const { settings, seen } = await against([stored]);
  await settings.partialUpdate({ a: (JSON as any).rawJSON('9007199254740993') });
  assert.equal(seen[0]!.body, '{"a":9007199254740993}');
});

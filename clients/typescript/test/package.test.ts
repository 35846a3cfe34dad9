import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { FlashbackClient } from '@flashback/client';
import { packageDir, projectDir, scratch, startStack, type Stack } from './stack.js';

let app: string; // a project that has installed the packed package and nothing else
let tarball: string;
let packed: string[];
let stack: Stack;
const npmCli = execFileSync('sh', ['-c', 'readlink -f "$(command -v npm)"'], { encoding: 'utf8' }).trim();
const tsc = join(packageDir, 'node_modules/typescript/bin/tsc');
const run = (command: string, ...args: string[]): string => execFileSync(command, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

before(async () => {
  stack = await startStack();
  app = scratch();
  const list = JSON.parse(run('npm', 'pack', packageDir, '--ignore-scripts', '--json'));
  const pack = Array.isArray(list) ? list[0] : Object.values(list)[0];
  tarball = join(app, pack.filename);
  packed = pack.files.map((f: { path: string }) => f.path);
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  run('npm', 'install', '--offline', '--no-audit', `./${pack.filename}`);
});

const document = {
  defaultStorageType: 'S3',
  maxFileSize: '10GB',
  retentionPolicy: { enabled: true, days: 365 },
  security: { requireMFA: true, sessionTimeout: 3600 },
};

/** Writes the published program with a token and the stack's address as program.ts, and returns a client that sees what it does. */
async function publishedProgram(): Promise<FlashbackClient> {
  const published = readFileSync(join(packageDir, 'test/published.ts'), 'utf8');
  const token = await stack.token('alice');
  const program = published.replace(`'your-access-token'`, `'${token}', baseUrl: '${stack.url}'`);
  assert.notEqual(program, published);
  for (const [name, text] of [['published.ts', published], ['program.ts', program]] as const) writeFileSync(join(app, name), text);
  return new FlashbackClient({ accessToken: token, baseUrl: stack.url });
}

test('the published program', async () => {
  const { organization } = (await publishedProgram()).settings;
  run(process.execPath, tsc, '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', '', '--lib', 'es2022,dom', 'published.ts', 'program.ts');
  run(process.execPath, 'program.js');
  assert.deepEqual((await organization.get()).settings, document);
});

/** Other runtimes, as the npm registry has them, and what they run a program with. */
const runtimes: Record<string, (file: string) => string[]> = {
  'deno@2.9.6': (file) => ['run', '--quiet', `--allow-net=${new URL(stack.url).host}`, file],
  'bun@1.4.5': (file) => ['run', file],
};

for (const [runtime, args] of Object.entries(runtimes)) {
  test(`the published program in ${runtime}`, async (t) => {
    try {
      run('npx', '--yes', runtime, '--version');
    } catch (error) {
      if (process.env['CI']) throw error;
      t.skip(`${runtime} cannot be installed here`);
      return;
    }
    const { organization } = (await publishedProgram()).settings;
    await organization.update({ settings: {} });
    run('npx', '--yes', runtime, ...args('program.ts'));
    assert.deepEqual((await organization.get()).settings, document);
  });
}

for (const runtime of ['node@20.19.0', 'node@22.12.0']) { // the first of each line in package.json
  test(`require in ${runtime}`, (t) => {
    try {
      run('npx', '--yes', runtime, '--version');
    } catch (error) {
      if (process.env['CI']) throw error;
      t.skip(`${runtime} cannot be installed here`);
      return;
    }
    const { engines } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
    assert.ok(engines.node.includes(runtime.slice('node@'.length)));
    writeFileSync(join(app, 'require.cjs'), `
      const { FlashbackClient, FlashbackError } = require('@flashback/client');
      try { new FlashbackClient() } catch (e) { console.log(process.version, e instanceof FlashbackError) }`);
    assert.equal(run('npx', '--yes', runtime, 'require.cjs'), `v${runtime.slice('node@'.length)} true\n`);
  });
}

test('the package is one that publint and attw find nothing wrong with', () => {
  const bin = (name: string): string => join(packageDir, 'node_modules/.bin', name);
  run(bin('publint'), '--strict', packageDir);
  run(bin('attw'), '--profile', 'esm-only', tarball); // require takes an ES module in every Node of "engines"
});

test('a release names the repository that it is made in', () => {
  const copy = join(scratch(), 'client');
  cpSync(packageDir, copy, { recursive: true, filter: (path) => !/node_modules|build$|dist$/.test(path) });
  const bin = scratch();
  for (const name of ['npx', 'npm']) { // nothing is installed or published: npm only sets fields
    writeFileSync(join(bin, name), `#!/bin/sh\nif [ "$1" = pkg ]; then exec '${process.execPath}' '${npmCli}' "$@"; fi\necho ${name} "$@"\n`, { mode: 0o755 });
  }
  const release = (tag: string): string =>
    execFileSync('sh', [join(copy, 'release.sh')], {
      encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, GITHUB_REF_NAME: tag, GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'owner/name' },
    });
  assert.throws(() => release('client-v0.0.1'), /the tag is client-v0.0.1/);
  assert.match(release('client-v1.0.0'), /^npx .* publish --provenance$/m);
  const { repository, bugs, homepage } = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'));
  assert.deepEqual(repository, { type: 'git', url: 'git+https://git.example/owner/name.git', directory: 'clients/typescript' });
  assert.deepEqual([bugs.url, homepage], ['https://git.example/owner/name/issues', 'https://git.example/owner/name/tree/client-v1.0.0/clients/typescript#readme']);
});

test('the README’s loop ends, and says why', async () => {
  let writes = 0;
  const { addRegion } = await programOf('addRegion', 'addRegion', async (_, init) =>
    init.method === 'GET'
      ? Response.json({ success: true, settings: {} }, { headers: { ETag: 'W/"1"' } })
      : Response.json({ success: false, message: `changed ${++writes}` }, { status: 412 }),
  );
  await assert.rejects(addRegion('eu'), /region eu not added: the settings changed in each of 10 rounds/);
  assert.equal(writes, 10);
});

test('the README’s sign-in is kept, heals after a failure and outlives an abort', async () => {
  const { client, sessions } = await programOf('client', 'signIn', async () => Response.json({ success: true, settings: {} }));
  const { organization } = client.settings;
  const controller = new AbortController();
  const [first, second] = [organization.get({ signal: controller.signal }), organization.get()];
  controller.abort();
  sessions[0].reject(new Error('no session'));
  await assert.rejects(first, { kind: 'aborted' });
  await assert.rejects(second, { kind: 'token' });
  const healed = [organization.get({ signal: AbortSignal.timeout(60_000) }), organization.get()];
  sessions[1].resolve('token');
  await Promise.all([...healed, organization.get()]);
  assert.equal(sessions.length, 2);
});

/** Runs the program of the README in which mark stands, and exports name of it, with fetch and a sign-in that the test ends. */
async function programOf(name: string, mark: string, fetch: (url: string, init: { method: string }) => Promise<Response>): Promise<any> {
  const key = `readme-${name}`;
  Object.assign(globalThis, { [key]: fetch });
  const options = `fetch: (globalThis as any)['${key}']`;
  const program = [...readme()].find((text) => text.includes(mark))!
    .replace(`'your-access-token'`, `'token', ${options}`)
    .replace('FlashbackClient({\n', `FlashbackClient({ ${options},\n`)
    .replace(/^declare function signIn.*$/m, `const sessions: any[] = [];
      const signIn = (_: AbortSignal) => new Promise<string>((resolve, reject) => sessions.push({ resolve, reject }));
      export { sessions };`);
  writeFileSync(join(app, `${name}.ts`), `${program}\nexport { ${name} };`);
  run(process.execPath, tsc, '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', '', '--lib', 'es2022,dom', `${name}.ts`);
  return import(join(app, `${name}.js`));
}

/** The TypeScript programs of the README. */
function* readme(): Generator<string> {
  for (const [, program] of readFileSync(join(packageDir, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)) yield program!;
}

test('the package holds what it needs and nothing else', () => {
  for (const path of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']) {
    assert.ok(packed.includes(path), `${path} is not packed`);
  }
  const known = /^(package\.json|README\.md|LICENSE|src\/[a-z]+\.ts|dist\/[a-z]+\.(js|d\.ts)(\.map)?)$/;
  assert.deepEqual(packed.filter((path) => !known.test(path)), []);
  assert.equal(run('npm', 'ls', '--all', '--parseable').trim().split('\n').length, 2); // the project and the package
  const licence = (dir: string): string => readFileSync(join(dir, 'LICENSE'), 'utf8');
  assert.equal(licence(packageDir), licence(projectDir));
  assert.doesNotMatch(readFileSync(join(packageDir, 'package-lock.json'), 'utf8'), /"resolved"/);
  assert.match(run(process.execPath, '-p', `require('@flashback/client/package.json').name`), /^@flashback\/client$/m);
});

test('the types serve whoever has fetch, be it of Node or of browsers', () => {
  mkdirSync(join(app, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types']) {
    cpSync(join(packageDir, 'node_modules', name), join(app, 'node_modules', name), { recursive: true });
  }
  writeFileSync(join(app, 'use.ts'), `
    import { FlashbackClient, FlashbackError, rawJson, type GetSettingsResponse, type JsonValue, type PartialUpdateSettingsRequest, type SettingsErrorResponse, type UpdateSettingsRequest } from '@flashback/client';
    const { organization } = new FlashbackClient({ accessToken: async ({ refresh, signal }) => String(refresh && signal.aborted), fetch }).settings;
    const { settings, etag }: GetSettingsResponse & { etag: string | null } = await organization.get();
    await organization.update({ settings }, { ifMatch: etag, signal: AbortSignal.timeout(1) });
    const read = await organization.get({ ifNoneMatch: etag });
    if (read.notModified) read.etag; else read.settings['theme'];
    // @ts-expect-error not known to be modified
    read.settings['theme'];
    // @ts-expect-error a document has to be wrapped
    organization.update({ theme: 'dark' });
    // @ts-expect-error keys are a list
    organization.delete({ keys: 'theme' });
    // @ts-expect-error there is no anonymous access
    new FlashbackClient({});

    // Of a document's types.
    interface Theme { name: string; colours?: { [name: string]: string }; since: Date | null }
    interface Tree { value: number; children: Tree[] }
    class Money { constructor(readonly amount: number) {} double() { return this.amount * 2 } }
    declare const any: Record<string, any>, unknown: Record<string, unknown>, theme: Theme, tree: Tree, json: { [name: string]: JsonValue };
    declare const request: UpdateSettingsRequest, patch: PartialUpdateSettingsRequest, frozen: readonly string[], anything: any[], link: URL;
    declare function load(): Promise<{ a: number }>;
    for (const settings of [any, unknown, theme, tree, json, rawJson('{}')]) {
      await organization.update({ settings });
      await organization.partialUpdate(settings);
    }
    await organization.update(request);
    await organization.partialUpdate(patch);
    await organization.update({ settings: { ...settings, theme, tree, frozen, anything, nested: { list: [unknown] }, link, at: new Date(), money: new Money(1), id: rawJson('1'), none: undefined, tuple: [1, 'a'] as const } });
    await organization.partialUpdate({ theme: null, a: { b: null } });
    // @ts-expect-error a promise
    organization.update({ settings: load() });
    // @ts-expect-error a promise
    organization.update(load());
    // @ts-expect-error a promise
    organization.partialUpdate(load());
    // @ts-expect-error a promise inside
    organization.update({ settings: { a: [{ b: load() }] } });
    // @ts-expect-error a Map
    organization.update({ settings: new Map([['a', 1]]) });
    // @ts-expect-error a Map
    organization.partialUpdate({ a: new Map() });
    // @ts-expect-error a Set
    organization.partialUpdate({ a: new Set() });
    // @ts-expect-error bytes
    organization.partialUpdate({ a: new Uint8Array(1) });
    // @ts-expect-error bytes
    organization.partialUpdate({ a: new ArrayBuffer(1) });
    // @ts-expect-error a pattern
    organization.partialUpdate({ a: /a/ });
    // @ts-expect-error a BigInt
    organization.partialUpdate({ a: 1n });
    // @ts-expect-error a symbol
    organization.partialUpdate({ a: Symbol() });
    // @ts-expect-error of undefined in an array JSON makes null
    organization.partialUpdate({ a: [1, undefined] });
    // @ts-expect-error toJSON returns a promise
    organization.partialUpdate({ a: { async toJSON() { return 1 } } });
    const e = new FlashbackError('response', 'm', { status: 412 });
    const refusal: SettingsErrorResponse = { success: false, message: e.message, ...(e.error && { error: e.error }) };
    refusal.error?.length;
  `);
  const files = ['use.ts'];
  for (const program of readme()) {
    files.push(`readme${files.length}.ts`);
    writeFileSync(join(app, files.at(-1)!), program);
  }
  assert.equal(files.length, 7);
  for (const environment of [['--types', 'node', '--lib', 'es2022'], ['--types', '', '--lib', 'es2022,dom'], ['--types', 'node', '--lib', 'es2022,dom']]) {
    for (const module of [['nodenext'], ['esnext', '--moduleResolution', 'bundler']]) {
      run(process.execPath, tsc, '--strict', '--exactOptionalPropertyTypes', '--noEmit', '--target', 'es2022', ...environment, '--module', ...module, ...files);
    }
  }
  writeFileSync(join(app, 'loose.ts'), `
    import { FlashbackClient } from '@flashback/client';
    interface Theme { name: string; tags: string[]; tree: Theme[] }
    const theme: Theme = { name: 'dark', tags: ['a'], tree: [] };
    new FlashbackClient({ accessToken: 'a' }).settings.organization.update({ settings: { theme, list: [theme] } });
  `);
  run(process.execPath, tsc, '--strict', 'false', '--noEmit', '--target', 'es2022', '--types', '', '--lib', 'es2022,dom', '--module', 'nodenext', 'loose.ts');
  cpSync(join(app, 'loose.ts'), join(app, 'loose.cts'));
  run(process.execPath, tsc, '--strict', '--noEmit', '--target', 'es2022', '--types', '', '--lib', 'es2022,dom', '--module', 'nodenext', 'loose.cts');
});

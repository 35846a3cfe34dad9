import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { FlashbackClient } from '@flashback/client';
import { packageDir, projectDir, scratch, startStack, type Stack } from './stack.js';

let app: string; // a project that has installed the packed package and nothing else
let packed: string[];
let stack: Stack;
const tsc = join(packageDir, 'node_modules/typescript/bin/tsc');
const run = (command: string, ...args: string[]): string => execFileSync(command, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

before(async () => {
  stack = await startStack();
  app = scratch();
  const list = JSON.parse(run('npm', 'pack', packageDir, '--ignore-scripts', '--json'));
  const pack = Array.isArray(list) ? list[0] : Object.values(list)[0];
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
    import { FlashbackClient, FlashbackError, type GetSettingsResponse, type SettingsErrorResponse } from '@flashback/client';
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
    const e = new FlashbackError('response', 'm', { status: 412 });
    const refusal: SettingsErrorResponse = { success: false, message: e.message, ...(e.error && { error: e.error }) };
    refusal.error?.length;
  `);
  const files = ['use.ts'];
  for (const [, program] of readFileSync(join(packageDir, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)) {
    files.push(`readme${files.length}.ts`);
    writeFileSync(join(app, files.at(-1)!), program!);
  }
  assert.equal(files.length, 4);
  for (const environment of [['--types', 'node', '--lib', 'es2022'], ['--types', '', '--lib', 'es2022,dom'], ['--types', 'node', '--lib', 'es2022,dom']]) {
    for (const module of [['nodenext'], ['esnext', '--moduleResolution', 'bundler']]) {
      run(process.execPath, tsc, '--strict', '--exactOptionalPropertyTypes', '--noEmit', '--target', 'es2022', ...environment, '--module', ...module, ...files);
    }
  }
});

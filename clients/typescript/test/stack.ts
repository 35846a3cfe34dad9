import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The package's folder, and the project's. Tests run from build/test. */
export const packageDir = fileURLToPath(new URL('../..', import.meta.url));
export const projectDir = fileURLToPath(new URL('../../../..', import.meta.url));

/** What is undone after the tests, the last one first. A hook's own after would run when the hook ends. */
const undo: (() => unknown)[] = [];
after(async () => {
  for (const step of undo.reverse()) await step();
});

/** Has step run after all tests of the file. */
export function atEnd(step: () => unknown): void {
  undo.push(step);
}

process.once('SIGTERM', () => process.exit(143)); // of a runner out of patience: exit handlers still run

/** Makes a folder that goes away after the tests. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'client-'));
  atEnd(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

export interface Stack {
  url: string;
  token(user: string): Promise<string>;
}

/** Starts the whole service on free ports, and ends it after the tests. */
export async function startStack(corsOrigins = ''): Promise<Stack> {
  const program = join(scratch(), 'local');
  execFileSync('go', ['build', '-o', program, './infra/local'], { cwd: projectDir, stdio: 'inherit' });
  const ports = ['addr', 'issuer-addr', 'dynamodb-addr', 'docs-addr'].flatMap((name) => [`-${name}`, '127.0.0.1:0']);
  const child = spawn(program, [...ports, '-cors-origins', corsOrigins, '-log-level', 'error'], {
    cwd: projectDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill());
  atEnd(() => end(child));
  const text = await printed(child, /Try it:/);
  const url = /^ +API +(http\S+)/m.exec(text)![1]!;
  const tokens = /^ +tokens +(http\S+)/m.exec(text)![1]!;
  return { url, token: async (user) => (await (await fetch(`${tokens}/token?user=${user}`)).text()).trim() };
}

/** Returns what a program has printed when pattern is in it. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let errors = '';
    const limit = setTimeout(() => reject(new Error(`not ready within 240 s: ${text}${errors}`)), 240_000);
    child.stderr!.on('data', (data) => (errors += data));
    child.stdout!.on('data', (data) => {
      text += data;
      if (!pattern.test(text)) return;
      clearTimeout(limit);
      resolve(text);
    });
    child.on('exit', () => {
      clearTimeout(limit);
      reject(new Error(`the stack has ended: ${text}${errors}`));
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

/** Serves on a free port until the tests end, and returns the address. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

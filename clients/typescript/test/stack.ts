import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
export async function startStack(corsOrigins = '', flags: string[] = []): Promise<Stack> {
  const program = join(scratch(), 'local');
  execFileSync('go', ['build', '-o', program, './infra/local'], { cwd: projectDir, stdio: 'inherit' });
  // The command prints the addresses and ends when its input does, at the latest with this process.
  const command = ['sh', '-c', 'echo "$API_URL $ISSUER_URL"; cat'];
  const child = spawn(program, ['-cors-origins', corsOrigins, '-log', devNull, ...flags, '--', ...command], {
    cwd: projectDir,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  atEnd(() => {
    child.stdin.end();
    return ended;
  });
  for await (const line of createInterface(child.stdout)) {
    const [url, issuer] = line.split(' ');
    return { url: url!, token: async (user) => (await (await fetch(`${issuer}/token?user=${user}`)).text()).trim() };
  }
  throw new Error('the stack has not started');
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

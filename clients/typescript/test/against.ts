import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { FlashbackClient, FlashbackError, type FlashbackClientOptions } from '@flashback/client';
import { bodyOf, serve } from './stack.js';

export const token = 'secret.access-token_0123456789';

export type Reply = (response: ServerResponse, request: IncomingMessage) => void;

/** What a server does with one request. */
export const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response
      .writeHead(status, { 'Content-Type': 'application/json', 'Apigw-Requestid': 'id', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
export const cut: Reply = (_, request) => request.socket.destroy();
export const half: Reply = (response) => {
  response.writeHead(200, { 'Content-Length': '100' }).write('{"success"', () => response.destroy());
};
export const hang: Reply = () => {};
export const stored = answer(200, { success: true, message: 'stored' }, { ETag: '"1"' });
export const read = answer(200, { success: true, settings: {} }, { ETag: '"1"' });
export const busy = answer(503, { success: false, message: 'Service unavailable' }, { 'Retry-After': '0' });
export const gatewayBusy = answer(503, { message: 'Service Unavailable' });
export const changed = answer(412, { success: false, message: 'Organization settings have changed' }, { ETag: '"2"' });

/** A client of a server that replies so, one after the other and the last one for ever. */
export async function against(replies: Reply[], options: Partial<FlashbackClientOptions> = {}) {
  const seen: { method: string; body: string; at: number; headers: IncomingMessage['headers'] }[] = [];
  const baseUrl = await serve(async (request, response) => {
    const body = await bodyOf(request);
    seen.push({ method: request.method!, body, at: performance.now(), headers: request.headers });
    replies[Math.min(seen.length, replies.length) - 1]!(response, request);
  });
  const client = new FlashbackClient({ accessToken: token, baseUrl, ...options });
  return { client, settings: client.settings.organization, seen };
}

/** Returns what a call fails with, in which the token must not stand. */
export async function failure(call: Promise<unknown>): Promise<FlashbackError> {
  const error: unknown = await call.then(
    () => assert.fail('the call has succeeded'),
    (reason) => reason,
  );
  assert.ok(error instanceof FlashbackError, String(error));
  for (const text of [inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error), error.stack]) {
    assert.ok(!text!.includes(token), `the token is in the error: ${text}`);
  }
  return error;
}

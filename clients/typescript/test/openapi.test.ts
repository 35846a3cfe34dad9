import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageDir, projectDir, scratch } from './stack.js';

const api = parse(readFileSync(join(projectDir, 'infra/openapi.yaml'), 'utf8'));
const path = '/settings/organization';

/** The type of each operation's call, what it takes, and what it returns. */
const operations: Record<string, { call: string; request?: string; response: string; result?: string }> = {
  [`get ${path}`]: { call: `['get']`, response: 'GetSettingsResponse' },
  [`post ${path}`]: { call: `['update']`, request: 'UpdateSettingsRequest', response: 'UpdateSettingsResponse' },
  [`put ${path}`]: { call: `['partialUpdate']`, request: 'PartialUpdateSettingsRequest', response: 'PartialUpdateSettingsResponse' },
  [`delete ${path}`]: { call: `['delete']`, request: 'DeleteSettingsRequest', response: 'DeleteSettingsResponse' },
  [`get ${path}/schema`]: { call: `['schema']`, response: 'GetSettingsSchemaResponse' },
  [`get ${path}/history`]: { call: `['history']['list']`, response: 'ListSettingsHistoryResponse', result: `AsyncIterable<api.SettingsState>` },
  [`get ${path}/history/{revision}`]: { call: `['history']['get']`, response: 'GetSettingsRevisionResponse' },
  [`post ${path}/history/{revision}/restore`]: { call: `['history']['restore']`, response: 'RestoreSettingsResponse' },
  [`post ${path}/preview`]: { call: `['preview']['update']`, request: 'UpdateSettingsRequest', response: 'PreviewSettingsResponse' },
  [`put ${path}/preview`]: { call: `['preview']['partialUpdate']`, request: 'PartialUpdateSettingsRequest', response: 'PreviewSettingsResponse' },
  [`delete ${path}/preview`]: { call: `['preview']['delete']`, request: 'DeleteSettingsRequest', response: 'PreviewSettingsResponse' },
};

/** Writes a schema as a type. Texts that are fixed are of type string: clients of older releases must go on to compile. */
function typeOf(schema: any): string {
  if (schema.$ref) return typeOf(api.components.schemas[nameOf(schema)]);
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'boolean':
      return schema.const === undefined ? 'boolean' : String(schema.const);
    case 'array':
      return `${typeOf(schema.items)}[]`;
    case 'object': {
      if (!schema.properties) return 'Record<string, any>';
      const members = Object.entries(schema.properties).map(
        ([name, member]) => `${name}${schema.required?.includes(name) ? '' : '?'}: ${typeOf(member)}`,
      );
      return `{ ${members.join('; ')} }`;
    }
    case 'integer':
      return 'number';
    case undefined:
      return 'any';
  }
  throw new Error(`no type for ${JSON.stringify(schema)}`);
}

function fields(path: string): string[] {
  if (path.endsWith('/history')) return ['limit', 'before'];
  return path.endsWith('/schema') ? ['If-None-Match'] : ['If-Match', 'If-None-Match'];
}

const nameOf = (schema: any): string => schema.$ref.replace('#/components/schemas/', '');

test('the client’s types are those of the OpenAPI description', () => {
  const names = [...new Set(['SettingsErrorResponse', ...Object.values(operations).flatMap(({ request, response }) => (request ? [request, response] : [response]))])];
  const published = Object.keys(api.components.schemas).filter((name) => /(Request|Response)$/.test(name) && name !== 'GatewayErrorResponse');
  assert.deepEqual([...names].sort(), published.sort());
  const dir = scratch();
  const lines = names.map((name) => `same<api.${name}, ${typeOf(api.components.schemas[name])}>(true);`);
  for (const { call, request, response, result = `api.${response}` } of Object.values(operations)) {
    lines.push(`result<Awaited<ReturnType<api.OrganizationSettings${call}>>, ${result}>(true);`);
    if (!request) continue;
    lines.push(`result<Parameters<api.OrganizationSettings${call}>[0], api.${request}>(true);`);
    lines.push(`result<api.${request}, Parameters<api.OrganizationSettings${call}>[0]>(true);`);
  }
  writeFileSync(join(dir, 'types.ts'), [
    `import type * as api from ${JSON.stringify(join(packageDir, 'dist/index.js'))};`,
    'type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;',
    'type Flat<T> = T extends Record<string, any> ? { [K in keyof T]: T[K] } : T;',
    'declare function same<A, B>(equal: Same<Flat<A>, Flat<B>>): void;',
    'declare function result<A, B>(extends_: A extends B ? true : false): void;',
    ...lines,
  ].join('\n'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  const tsc = join(packageDir, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '--strict', '--exactOptionalPropertyTypes', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--types', '', '--lib', 'es2022,dom', 'types.ts'], { cwd: dir, encoding: 'utf8' });
  } catch (e) {
    assert.fail(`${(e as { stdout: string }).stdout}\n${lines.join('\n')}`);
  }
});

test('the client knows every operation, and the description what the client sends and reads', () => {
  const methods = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options'];
  const described = Object.keys(api.paths).flatMap((path) => Object.keys(api.paths[path]).filter((key) => methods.includes(key)).map((method) => `${method} ${path}`));
  assert.deepEqual(described.sort(), Object.keys(operations).sort());
  const resolved = (value: any): any => (value?.$ref ? value.$ref.slice(2).split('/').reduce((at: any, name: string) => at[name], api) : value);
  for (const [name, { request, response }] of Object.entries(operations)) {
    const [method, path] = name.split(' ') as [string, string];
    const operation = api.paths[path][method];
    const body = resolved(operation.requestBody)?.content['application/json'].schema;
    assert.equal(body && nameOf(body), request, name);
    const answer = resolved(operation.responses['200']);
    assert.equal(nameOf(answer.content['application/json'].schema), response, name);
    const sent = operation.parameters.map((p: any) => resolved(p).name);
    for (const field of fields(path)) assert.ok(sent.includes(field), `${name} ${field}`);
    assert.ok(answer.headers.ETag || path.endsWith('/history'), name);
  }
  assert.equal(api.servers[0].url, 'https://backend.flashback.tech');
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageDir, projectDir, scratch } from './stack.js';

const api = parse(readFileSync(join(projectDir, 'infra/openapi.yaml'), 'utf8'));
const path = '/settings/organization';

/** What the client calls each operation, and the name of its body's type. */
const operations: Record<string, { call: string; request?: string; response: string }> = {
  get: { call: 'get', response: 'GetSettingsResponse' },
  post: { call: 'update', request: 'UpdateSettingsRequest', response: 'UpdateSettingsResponse' },
  put: { call: 'partialUpdate', request: 'PartialUpdateSettingsRequest', response: 'PartialUpdateSettingsResponse' },
  delete: { call: 'delete', request: 'DeleteSettingsRequest', response: 'DeleteSettingsResponse' },
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
  }
  throw new Error(`no type for ${JSON.stringify(schema)}`);
}

const nameOf = (schema: any): string => schema.$ref.replace('#/components/schemas/', '');

test('the client’s types are those of the OpenAPI description', () => {
  const names = ['SettingsErrorResponse', ...Object.values(operations).flatMap(({ request, response }) => (request ? [request, response] : [response]))];
  const published = Object.keys(api.components.schemas).filter((name) => /(Request|Response)$/.test(name) && name !== 'GatewayErrorResponse');
  assert.deepEqual([...names].sort(), published.sort());
  const dir = scratch();
  const lines = names.map((name) => `same<api.${name}, ${typeOf(api.components.schemas[name])}>(true);`);
  for (const { call, request, response } of Object.values(operations)) {
    lines.push(`result<Awaited<ReturnType<api.OrganizationSettings['${call}']>>, api.${response}>(true);`);
    if (!request) continue;
    lines.push(`result<Parameters<api.OrganizationSettings['${call}']>[0], api.${request}>(true);`);
    lines.push(`result<api.${request}, Parameters<api.OrganizationSettings['${call}']>[0]>(true);`);
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
  assert.deepEqual(Object.keys(api.paths), [path]);
  const described = Object.keys(api.paths[path]).filter((key) => ['get', 'post', 'put', 'delete', 'patch', 'head', 'options'].includes(key));
  assert.deepEqual(described.sort(), Object.keys(operations).sort());
  for (const [method, { request, response }] of Object.entries(operations)) {
    const operation = api.paths[path][method];
    const body = operation.requestBody?.content['application/json'].schema;
    assert.equal(body && nameOf(body), request, method);
    assert.equal(nameOf(operation.responses['200'].content['application/json'].schema), response, method);
    const fields = operation.parameters.map((p: any) => api.components.parameters[p.$ref?.replace('#/components/parameters/', '')]?.name);
    for (const name of ['If-Match', 'If-None-Match']) assert.ok(fields.includes(name), `${method} ${name}`);
    assert.ok(operation.responses['200'].headers.ETag, method);
  }
  assert.equal(api.servers[0].url, 'https://backend.flashback.tech');
});

// Writes the page to dist: files for any web host.
//
//   node build.mjs [URL]
//
// With the URL of a deployed API, the page calls that API only. Without it, the page asks for an address.
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const api = process.argv[2] ? new URL(process.argv[2]) : undefined;

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
const { metafile } = await build({
  entryPoints: ['src/main.ts', 'src/page.css'],
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  metafile: true,
});
cpSync('src/icon.svg', 'dist/icon.svg');
const apis = api ? api.origin : 'https: http://127.0.0.1:* http://localhost:*';
writeFileSync('dist/index.html', readFileSync('src/index.html', 'utf8').replace('{{apis}}', apis));
if (api) writeFileSync('dist/stack.json', JSON.stringify({ gateway: api.href }));

const packages = new Set(Object.keys(metafile.inputs).map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]));
packages.delete(undefined);
const license = (name) => {
  for (const file of ['LICENSE', 'LICENSE.md']) {
    try {
      return `${name}\n\n${readFileSync(`node_modules/${name}/${file}`, 'utf8')}`;
    } catch {} // the next name
  }
  throw new Error(`${name} has no license file`);
};
writeFileSync('dist/licenses.txt', [...packages].sort().map(license).join('\n\n'));

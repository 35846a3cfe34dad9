// Writes the page: files for any web host.
//
//   node build.mjs [URL]
//
// Without a URL, the page asks for the address of the API. It is in dist, which make run serves. With the URL of a deployed
// API, the page calls that API only. It is in dist-deployed.
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const given = process.argv[2];
const api = URL.canParse(given) ? new URL(given) : undefined;
if (given && !/^(https:|http:\/\/(localhost|127\.0\.0\.1)(:|$))/.test(api?.origin)) {
  console.error(`URL=${given} is not the https address of an API, such as https://api.example.com (http only for localhost)`);
  process.exit(1);
}
const out = api ? 'dist-deployed' : 'dist';

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const { metafile } = await build({
  entryPoints: ['src/main.ts', 'src/page.css'],
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  metafile: true,
});
cpSync('src/icon.svg', `${out}/icon.svg`);
const apis = api ? api.origin : 'https: http://127.0.0.1:* http://localhost:*';
writeFileSync(`${out}/index.html`, readFileSync('src/index.html', 'utf8').replace('{{apis}}', apis));
if (api) writeFileSync(`${out}/stack.json`, JSON.stringify({ gateway: api.href }));

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
writeFileSync(`${out}/licenses.txt`, [...packages].sort().map(license).join('\n\n'));

const use = api
  ? `It calls ${api.origin} only; copy it to any web host.`
  : 'make run serves it, by default at http://127.0.0.1:3003/console/; one that runs already does too.';
console.log(`The console is in ${resolve(out)}. ${use}`);

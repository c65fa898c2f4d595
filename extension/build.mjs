// SPDX-License-Identifier: LGPL-2.0-or-later
// One source, two packages: `node build.mjs WASM-FOLDER OUT-FOLDER`. The same input makes the same bytes.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { zip } from './zip.mjs';

const [wasm, out] = process.argv.slice(2);
const here = import.meta.dirname;
const pages = ['reader', 'keys', 'welcome', 'write'];

const { background, chromium, firefox, ...shared } = JSON.parse(readFileSync(join(here, 'manifest.json')));
const manifests = {
  chromium: { ...shared, ...chromium, background: background.chromium },
  firefox: { ...shared, ...firefox, background: background.firefox },
};

for (const [browser, manifest] of Object.entries(manifests)) {
  const folder = join(out, browser);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    absWorkingDir: here,
    entryPoints: {
      background: 'src/background/main.ts',
      core: 'src/core/worker.ts',
      ...Object.fromEntries(pages.map(page => [page, `src/pages/${page}/main.tsx`])),
    },
    outdir: folder,
    bundle: true,
    format: 'esm',
    // What a reviewer of the package reads is what stands in the source.
    minifySyntax: true,
    target: ['chrome120', 'firefox142'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    alias: { 'plombe-wasm': join(wasm, 'plombe.js') },
    legalComments: 'inline',
    logLevel: 'warning',
  });
  cpSync(join(here, 'static'), folder, { recursive: true });
  cpSync(join(here, '_locales'), join(folder, '_locales'), { recursive: true });
  cpSync(join(wasm, 'plombe_bg.wasm'), join(folder, 'plombe_bg.wasm'));
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  const archive = zip(files.map(name => ({ name, bytes: readFileSync(join(folder, name)) })));
  writeFileSync(join(out, browser === 'firefox' ? 'plombe-firefox.xpi' : 'plombe-chromium.zip'), archive);
}

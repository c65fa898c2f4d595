// SPDX-License-Identifier: LGPL-2.0-or-later
// Runs one module in Node or in a real page of a browser: `node run.mjs node|chromium|firefox MODULE FACTS TARGET`.
//
// MODULE's default export gets what loads plombe-wasm, and the facts (JSON of a file); what it returns is printed as JSON.
// TARGET is the folder that `cargo xtask wasm` writes to.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [where, module, facts, target] = process.argv.slice(2);
const here = import.meta.dirname;
const programs = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' };

async function inNode() {
  const load = () => import(pathToFileURL(resolve(target, 'node/index.mjs')));
  const { default: run } = await import(pathToFileURL(join(here, module)));
  return run(load, JSON.parse(await readFile(facts)));
}

async function inPage() {
  const server = await serve();
  const { default: puppeteer } = await import('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: where === 'firefox' ? 'firefox' : 'chrome',
    executablePath: programs[where],
    args: where === 'firefox' ? [] : ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'],
    protocolTimeout: 600_000,
  });
  try {
    const page = await browser.newPage();
    page.on('pageerror', error => console.error(String(error)));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await page.evaluate(async module => {
      const load = async () => {
        const plombe = await import('/wasm/plombe.js');
        await plombe.default();
        return plombe;
      };
      const { default: run } = await import(`/web/${module}`);
      return run(load, await (await fetch('/facts')).json());
    }, module);
  } finally {
    await browser.close();
    server.close();
  }
}

// Nothing but what a test needs, on loopback, which counts as a secure context.
function serve() {
  const types = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
  const folders = { wasm: resolve(target, 'web'), web: here };
  const server = createServer(async (request, response) => {
    const [, folder, ...names] = new URL(request.url, 'http://127.0.0.1').pathname.split('/');
    try {
      if (folder === '') return response.setHeader('content-type', 'text/html').end('<!doctype html><title>plombe</title>');
      if (folder === 'facts') return response.end(await readFile(facts));
      const path = join(folders[folder], ...names);
      response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream').end(await readFile(path));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise(done => server.listen(0, '127.0.0.1', () => done(server)));
}

const result = await (where === 'node' ? inNode() : inPage());
console.log(JSON.stringify(result));

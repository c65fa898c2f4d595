// SPDX-License-Identifier: LGPL-2.0-or-later
// Chromium with the extension in it, without a screen, in a profile of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch(extension, { args = [], ...options } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'plombe-extension-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: false,
    acceptDownloads: true,
    viewport: { width: 1100, height: 850 },
    locale: 'en-US',
    ...options,
    args: [
      '--headless=new',
      ...quiet,
      `--disable-extensions-except=${extension}`,
      `--load-extension=${extension}`,
      ...args,
    ],
  });
  context.setDefaultTimeout(10_000);
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  const origin = worker.url().split('/').slice(0, 3).join('/');
  return {
    context,
    origin,
    worker,
    async open(page) {
      const tab = await context.newPage();
      await tab.goto(`${origin}/pages/${page}.html`);
      await tab.locator('h1').waitFor();
      return tab;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// Mails with a verdict written down for core: the reader shows the same. `node forged.mjs EXTENSION TABLE KEYS...`.
// TABLE is JSON: [{ file, name, verdicts, findings, closed }].
import { readFileSync } from 'node:fs';
import { launch } from './browser.mjs';
import { check, holds, same } from './check.mjs';
import { passphrase } from './people.mjs';

const [extension, table] = process.argv.slice(2);
const browser = await launch(extension);

/** Everybody's keys, as the tests of core hold them: certificates as contacts, secret keys unlocked. */
async function takeIn(page, files) {
  for (const file of files) {
    await page.getByLabel('Take in a file').setInputFiles(file);
    const asked = page.getByRole('button', { name: 'Lock and take in' });
    await asked.or(page.locator('.notices .notice')).first().waitFor();
    if (await asked.isVisible()) {
      await page.locator('form').filter({ has: asked }).getByLabel('Passphrase').fill(passphrase);
      await asked.click();
      await asked.waitFor({ state: 'detached' });
    }
  }
}

for (const { name, keys, mails } of JSON.parse(readFileSync(table))) {
  await check(name, async () => {
    const keysPage = await browser.open('keys');
    await takeIn(keysPage, keys);
    await keysPage.close();
    const page = await browser.open('reader');
    const wrong = [];
    for (const mail of mails) {
      const found = await shown(page, mail.file);
      const wanted = { verdicts: mail.verdicts, findings: mail.findings, closed: mail.closed };
      if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        wrong.push(`${mail.file}: found ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`);
      }
    }
    holds(mails.length > 0, 'no mails');
    same(wrong, [], 'verdicts');
    await page.close();
  });
}
await browser.close();

/** What a person sees, in the words of the table. */
async function shown(page, file) {
  const result = page.locator('#result');
  const count = async () => Number(await result.getAttribute('data-count'));
  const later = before => page.waitForFunction(n => document.querySelector('#result').dataset.count > n, before);
  let before = await count();
  await page.setInputFiles('input[type=file]', file);
  await later(before);
  while (await page.locator('#unlock-heading').count()) {
    before = await count();
    await page.getByLabel('Passphrase').fill(passphrase);
    await page.getByRole('button', { name: 'Unlock' }).click();
    await later(before);
  }
  return page.evaluate(() => {
    const all = (selector, read) => [...document.querySelectorAll(selector)].map(read);
    const findings = all('[data-finding]', item => {
      const path = item.querySelector('.tag')?.textContent.replace('Part ', '');
      return path ? `${path}: ${item.dataset.finding}` : item.dataset.finding;
    });
    return {
      verdicts: all('[data-part-verdict]', item => item.dataset.partVerdict),
      findings: [...new Set(findings)].sort(),
      closed: document.querySelector('[data-closed]')?.dataset.closed ?? null,
    };
  });
}

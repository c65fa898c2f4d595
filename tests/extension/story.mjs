// SPDX-License-Identifier: LGPL-2.0-or-later
// What Alice does: her first key, reading, writing, keeping. `node story.mjs EXTENSION PLOMBE SCREENSHOTS`.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { launch } from './browser.mjs';
import { check, holds, same } from './check.mjs';
import { alice, bob, gina, mailFromBob, passphrase, People } from './people.mjs';

const [extension, plombe, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });

const people = new People(plombe);
const browser = await launch(extension);
const { context } = browser;

/** Both themes, and what axe says about them. */
async function looks(page, name) {
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    await page.screenshot({ path: join(screenshots, `${name}-${theme}.png`), fullPage: true });
    await accessible(page, `${name}, ${theme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

async function accessible(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
  same(violations.map(({ id, nodes }) => [id, nodes.map(node => node.html)]), [], `axe on ${name}`);
}

async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), content: readFileSync(await download.path()) };
}

async function opened(page, name, content) {
  await page.setInputFiles('input[type=file]', { name, mimeType: 'message/rfc822', buffer: Buffer.from(content) });
  await page.locator('#result > *').first().waitFor();
}

async function unlock(page) {
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Unlock' }).click();
}

let certificate;
let backup;
let revocation;

await check('first_key', async () => {
  const page = await browser.open('welcome');
  await page.getByLabel('Your name').fill('Alice');
  await page.getByLabel('Your mail address').fill(alice);
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
  await page.getByLabel('The passphrase once more').fill(`${passphrase}!`);
  holds(await page.getByRole('button', { name: 'Make the key' }).isDisabled(), 'two different passphrases make a key');
  await page.getByLabel('The passphrase once more').fill(passphrase);
  await looks(page, 'welcome');
  await page.getByRole('button', { name: 'Make the key' }).click();
  revocation = await saved(page, page.getByRole('button', { name: 'Save revocation certificate' }));
  holds(String(revocation.content).includes('BEGIN PGP'), 'no revocation certificate');
  await looks(page, 'welcome-done');
  await page.close();
});

await check('keys_are_kept', async () => {
  const page = await browser.open('keys');
  certificate = await saved(page, page.getByRole('button', { name: 'Save certificate for others' }));
  backup = await saved(page, page.getByRole('button', { name: 'Save locked backup' }));
  holds(!String(certificate.content).includes('PRIVATE'), 'a certificate with a secret in it');
  // Another program opens the backup, with the passphrase and not without.
  const file = people.file('backup.asc', backup.content);
  people.plombe(['key', 'import', file], '', 'alice');
  const sealed = people.plombe(['encrypt', '--to', alice], 'to myself', 'alice');
  const decrypt = typed => people.plombe(['decrypt', '--passphrase-file', people.file('typed', typed)], sealed, 'alice');
  same(String(decrypt(passphrase)), 'to myself', 'the backup');
  let refused = false;
  try {
    decrypt('wrong');
  } catch {
    refused = true;
  }
  holds(refused, 'the backup opens with any passphrase');
  people.plombe(['key', 'import', people.file('alice.asc', certificate.content)]);
  people.gpg(['--import', people.file('alice.asc', certificate.content)]);
  // Bob's and Gina's certificates come in by file and by paste.
  const bobs = people.plombe(['key', 'export', bob]);
  await page.getByLabel('Take in a file').setInputFiles({ name: 'bob.asc', mimeType: '', buffer: bobs });
  await page.locator(`[data-contact="${bob}"]`).waitFor();
  await page.getByLabel('Or paste the text here').fill(String(people.gpg(['--armor', '--export', gina])));
  await page.getByRole('button', { name: 'Take in what was pasted' }).click();
  await page.locator(`[data-contact="${gina}"]`).waitFor();
  await looks(page, 'keys');
  await page.close();
});

await check('opens_sealed_mail', async () => {
  const page = await browser.open('reader');
  await looks(page, 'reader');
  const sealed = people.plombe(['mail', 'seal'], mailFromBob);
  holds(!String(sealed).includes('real'), 'the subject is outside');
  await opened(page, 'mail.eml', sealed);
  await looks(page, 'reader-locked');
  // A wrong passphrase opens nothing and says so.
  await page.getByLabel('Passphrase').fill('wrong');
  await page.getByRole('button', { name: 'Unlock' }).click();
  await page.getByText('The passphrase is wrong.').waitFor();
  await unlock(page);
  await page.locator('[data-verdict]').waitFor();
  same(await page.locator('[data-verdict]').getAttribute('data-verdict'), 'good', 'verdict');
  same(await page.locator('#subject').innerText(), 'the real sübject', 'subject');
  same(await page.locator('#verdict-heading').innerText(), 'Signed by the sender', 'the verdict in words');
  holds((await page.locator('.text').innerText()).includes('The secret of the goose.'), 'the text');
  holds((await page.locator('[data-field=from]').innerText()).includes('signed, readable'), 'From');
  const file = await saved(page, page.getByRole('button', { name: /^Save .*evil/ }));
  same(file.name, 'evil.html', 'the name of the file');
  same(String(file.content).trim(), '<script>alert(1)</script>', 'the file');
  await looks(page, 'reader-good');
  // Changed on the way: it stays closed.
  const changed = Buffer.from(sealed);
  const at = changed.length - 300;
  changed[at] = changed[at] === 65 ? 66 : 65;
  await opened(page, 'mail.eml', changed);
  await page.locator('[data-closed]').waitFor();
  same(await page.locator('.mail').count(), 0, 'parts of a changed mail');
  await looks(page, 'reader-closed');
  await page.close();
});

await check('opens_messages_of_gpg', async () => {
  const page = await browser.open('reader');
  const sign = ['--sign', '--local-user', gina];
  const sealed = people.gpg([...sign, '--encrypt', '--armor', '--recipient', alice], 'armored by gpg');
  await page.getByLabel('Or paste the text here').fill(String(sealed));
  await page.getByRole('button', { name: 'Open what was pasted' }).click();
  await unlock(page);
  const verdict = () => page.locator('[data-verdict]').getAttribute('data-verdict');
  same(await verdict(), 'good', 'armored');
  holds((await page.locator('.text').innerText()).includes('armored by gpg'), 'the text');
  const binary = people.gpg([...sign, '--encrypt', '--recipient', alice], Buffer.from([0, 1, 2, 255]));
  await opened(page, 'file.pgp', binary);
  await page.getByText('There is no text in it.').waitFor();
  same(await verdict(), 'good', 'binary');
  const file = await saved(page, page.getByRole('button', { name: /^Save message.bin/ }));
  same([...file.content], [0, 1, 2, 255], 'the file');
  await opened(page, 'clear.asc', people.gpg(['--clear-sign', '--local-user', gina], 'clear text\n'));
  await page.getByText('clear text').first().waitFor();
  same(await verdict(), 'good', 'clear-signed');
  // The encrypted part of a mail, as a webmail saves it, is a mail again.
  const part = /-----BEGIN PGP MESSAGE[^]*END PGP MESSAGE-----/.exec(String(people.plombe(['mail', 'seal'], mailFromBob)))[0];
  await opened(page, 'encrypted.asc', part);
  await page.getByText('the real sübject').waitFor();
  same(await verdict(), 'good', 'a part by itself');
  await opened(page, 'alice.asc', certificate.content);
  await page.getByText('This is a key, not a mail.').waitFor();
  await page.close();
});

await check('writes_for_each', async () => {
  const page = await browser.open('write');
  await page.getByLabel('To', { exact: true }).fill(`Bob <${bob}>, nobody@example.test`);
  await page.getByLabel('Hidden copy to (Bcc)').fill(gina);
  await page.locator('[data-recipient="nobody@example.test"][data-outcome=none]').waitFor();
  await page.locator(`[data-recipient="${bob}"][data-outcome=use]`).waitFor();
  await page.getByLabel('Subject').fill('Grüße');
  await page.getByLabel('Text', { exact: true }).fill('written in the browser');
  await page.getByLabel('Attach files').setInputFiles({ name: 'a.bin', mimeType: 'a/b', buffer: Buffer.from([0, 255]) });
  await looks(page, 'write');
  const seal = page.getByRole('button', { name: 'Sign and seal' });
  await seal.click();
  await unlock(page);
  await page.getByText('Somebody has no certificate that can be used').waitFor();
  same(await page.locator('[data-copy]').count(), 0, 'copies although somebody has no certificate');
  await page.getByLabel('To', { exact: true }).fill(`Bob <${bob}>`);
  await seal.click();
  await page.locator('[data-copy]').first().waitFor();
  await looks(page, 'write-sealed');
  const visible = await saved(page, page.locator('[data-copy=all] button'));
  const hidden = await saved(page, page.locator('[data-copy=bcc] button'));
  for (const [who, mail] of [['visible', visible], ['hidden', hidden]]) {
    const source = String(mail.content);
    holds(!/Grüße|Gr=C3|browser/.test(source), `the ${who} copy shows what it should hide`);
    holds(!source.includes(gina), `the ${who} copy names the hidden recipient`);
  }
  const read = people.plombe(['mail', 'open', '--json'], visible.content);
  holds(String(read).includes('written in the browser'), 'Bob does not read it');
  holds(/Subject: =\?utf-8/i.test(String(read)), 'Bob does not see the subject');
  let refused = false;
  try {
    people.plombe(['mail', 'open'], hidden.content);
  } catch {
    refused = true;
  }
  holds(refused, 'Bob reads the hidden copy');
  const armor = source => /-----BEGIN PGP MESSAGE[^]*END PGP MESSAGE-----/.exec(String(source))[0];
  holds(String(people.gpg(['--decrypt'], armor(hidden.content))).includes('written in the browser'), 'Gina does not read hers');
  await page.getByText('The text alone, for pasting').click();
  const alone = await page.locator('#armored').inputValue();
  same(String(people.plombe(['decrypt'], alone)).trim(), 'written in the browser', 'the armored text');
  await page.close();
});

await check('a_changed_certificate_waits', async () => {
  // Somebody makes another certificate for Bob. It comes in, and neither signs for Bob nor is sealed for.
  people.plombe(['key', 'generate', bob, '--no-passphrase'], '', 'mallory');
  const page = await browser.open('keys');
  const forged = people.plombe(['key', 'export', bob], '', 'mallory');
  await page.getByLabel('Take in a file').setInputFiles({ name: 'bob.asc', mimeType: '', buffer: forged });
  const contact = page.locator(`[data-contact="${bob}"]`);
  await contact.getByText('nobody vouches for this one').waitFor();
  people.plombe(['key', 'import', people.file('alice.asc', certificate.content)], '', 'mallory');
  const reader = await browser.open('reader');
  await opened(reader, 'mail.eml', people.plombe(['mail', 'seal'], mailFromBob, 'mallory'));
  await unlock(reader);
  await reader.locator('[data-verdict]').waitFor();
  same(await reader.locator('[data-verdict]').getAttribute('data-verdict'), 'unknown-signer', 'forged Bob');
  await looks(reader, 'reader-unknown');
  await reader.close();
  // A person may decide otherwise, and then it does.
  const row = contact.locator('li').filter({ hasText: 'nobody vouches for this one' });
  const mallorys = row.getByRole('button', { name: /^This one is right/ });
  await mallorys.click();
  await contact.getByText('You said that it is right.').waitFor();
  await contact.getByText('You said that it is not theirs.').or(contact.getByText('nobody vouches')).first().waitFor();
  await looks(page, 'contacts-decided');
  await page.close();
});

await check('secrets_stay', async () => {
  const page = await browser.open('keys');
  const local = await browser.worker.evaluate(() => chrome.storage.local.get(null));
  same(local, {}, 'storage.local');
  const session = await browser.worker.evaluate(() => chrome.storage.session.get(null));
  same(session, {}, 'storage.session');
  const records = await page.evaluate(async () => {
    const database = await new Promise(resolve => {
      indexedDB.open('plombe').onsuccess = event => resolve(event.target.result);
    });
    const all = name =>
      new Promise(resolve => {
        database.transaction(name).objectStore(name).getAll().onsuccess = event => resolve(event.target.result);
      });
    const [key] = await all('wrapping');
    const exported = await crypto.subtle.exportKey('raw', key).then(() => true, () => false);
    const latin = bytes => new TextDecoder('latin1').decode(bytes);
    return { exported, text: (await all('records')).map(record => latin(record.data)).join(''), extractable: key.extractable };
  });
  same([records.exported, records.extractable], [false, false], 'the key around the records');
  holds(records.text.length > 1000, 'nothing is kept');
  for (const word of ['PGP', 'example.test', passphrase]) holds(!records.text.includes(word), `${word} lies open`);
  same(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0], 'web storage');
  await page.close();
});

await check('background_may_stop', async () => {
  const page = await browser.open('reader');
  const sealed = people.plombe(['mail', 'seal'], mailFromBob);
  await opened(page, 'mail.eml', sealed);
  await unlock(page);
  await page.locator('[data-verdict]').waitFor();
  const session = await context.newCDPSession(page);
  const states = [];
  session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => states.push(...versions.map(one => one.runningStatus)));
  await session.send('ServiceWorker.enable');
  const stop = async () => {
    states.length = 0;
    await session.send('ServiceWorker.stopAllWorkers');
    while (!states.includes('stopped')) await new Promise(resolve => setTimeout(resolve, 20));
  };
  // In the middle: the mail is being opened while the background goes.
  const opening = opened(page, 'mail.eml', sealed);
  await stop();
  await opening;
  await page.locator('[data-verdict]').waitFor();
  same(await page.locator('[data-verdict]').getAttribute('data-verdict'), 'unknown-signer', 'after the stop');
  // It wakes for a message, refuses what is not in the table, and a token is good once.
  const answers = await page.evaluate(async () => {
    const token = 'ab'.repeat(16);
    await chrome.storage.session.set({ [`selection-${token}`]: 'hello' });
    const ask = (kind, value) =>
      Promise.race([
        chrome.runtime.sendMessage({ kind, ask: value }).catch(() => 'refused'),
        new Promise(resolve => setTimeout(resolve, 3000, 'silent')),
      ]);
    return [
      await ask('selection/take', { token }),
      await ask('selection/take', { token }),
      await ask('selection/take', { token: '../x' }),
      await ask('keys/backup', { token }),
      await ask('toString', {}),
    ];
  });
  same(answers.slice(0, 2), [{ text: 'hello' }, { text: null }], 'a token');
  for (const answer of answers.slice(2)) holds(answer == null || typeof answer === 'string', `answered ${JSON.stringify(answer)}`);
  const handed = await browser.open('keys');
  const token = 'cd'.repeat(16);
  const signed = String(people.gpg(['--clear-sign', '--local-user', gina], 'selected on a page\n'));
  await handed.evaluate(([name, text]) => chrome.storage.session.set({ [name]: text }), [`selection-${token}`, signed]);
  await handed.goto(`${browser.origin}/pages/reader.html#${token}`);
  await handed.getByText('selected on a page').waitFor();
  same(handed.url(), `${browser.origin}/pages/reader.html`, 'the token stays in the address');
  await handed.close();
  await page.close();
});

await check('keyboard', async () => {
  const page = await browser.open('reader');
  const order = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => document.activeElement.textContent || document.activeElement.id || document.activeElement.type));
  }
  same(order.slice(0, 3), ['Read', 'Write', 'Keys and contacts'], 'tab order');
  same([order[3].length > 0, order[4]], [true, 'pasted'], 'tab order');
  await page.keyboard.type(String(people.gpg(['--clear-sign', '--local-user', gina], 'by keyboard\n')));
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('[data-verdict=good]').waitFor();
  same(await page.evaluate(() => document.activeElement.id), 'result', 'focus goes to what appeared');
  await page.close();
});

await check('right_to_left', async () => {
  for (const name of ['welcome', 'reader', 'write', 'keys']) {
    const page = await browser.open(name);
    await page.evaluate(() => {
      document.documentElement.dir = 'rtl';
    });
    for (const width of [1100, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      holds(overflow <= 0, `${name} overflows by ${overflow} at ${width}`);
    }
    await page.screenshot({ path: join(screenshots, `${name}-rtl-narrow.png`), fullPage: true });
    await accessible(page, `${name}, right to left`);
    await page.close();
  }
});

await check('deleting_asks', async () => {
  const page = await browser.open('keys');
  await page.getByRole('button', { name: 'Delete key' }).click();
  await looks(page, 'keys-delete');
  await page.getByRole('button', { name: 'Cancel' }).click();
  same(await page.locator('[data-key]').count(), 1, 'keys after a cancel');
  await page.getByRole('button', { name: 'Delete key' }).click();
  await page.getByRole('button', { name: 'Delete it for good' }).click();
  await page.getByText('You have no key yet.').waitFor();
  // The backup brings it back.
  await page.getByLabel('Take in a file').setInputFiles({ name: 'backup.asc', mimeType: '', buffer: backup.content });
  await page.locator('[data-key]').waitFor();
  // A secret key without passphrase is kept under one only.
  const bare = people.plombe(['key', 'export', '--secret', bob]);
  await page.getByLabel('Take in a file').setInputFiles({ name: 'bare.asc', mimeType: '', buffer: bare });
  await page.getByText('This secret key has no passphrase.').waitFor();
  same(await page.locator('[data-key]').count(), 1, 'keys before a passphrase');
  await page.locator('form').filter({ hasText: 'Lock and take in' }).getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Lock and take in' }).click();
  await page.locator('[data-key]').nth(1).waitFor();
  await page.close();
});

await browser.close();

await check('languages', async () => {
  for (const [language, heading] of [['fr', 'Lire'], ['de', 'Lesen']]) {
    // Chromium has its own languages in another package, so the extension is left with one.
    const only = join(people.folder, language);
    cpSync(extension, only, { recursive: true });
    for (const name of readdirSync(join(only, '_locales'))) {
      if (name !== language) rmSync(join(only, '_locales', name), { recursive: true });
    }
    const manifest = JSON.parse(readFileSync(join(only, 'manifest.json')));
    writeFileSync(join(only, 'manifest.json'), JSON.stringify({ ...manifest, default_locale: language }));
    const other = await launch(only);
    const page = await other.open('reader');
    same(await page.locator('h1').innerText(), heading, language);
    same(await page.evaluate(() => document.documentElement.lang), language, 'the language of the page');
    await page.screenshot({ path: join(screenshots, `reader-${language}.png`), fullPage: true });
    await other.close();
  }
});

people.close();

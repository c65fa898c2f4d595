// SPDX-License-Identifier: LGPL-2.0-or-later
// Hostile mails cause no request and no look-up. `node hostile.mjs EXTENSION`.
//
// Each trick is shown twice: with an address on this machine, where a server listens, and with a name of its own, which
// Chromium's net log would show. The same tricks on an unprotected page show that server and log see them.
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from './browser.mjs';
import { check, holds, same } from './check.mjs';
import { hostileMails, mails, tricks } from './tricks.mjs';

const [extension] = process.argv.slice(2);
const log = join(tmpdir(), `plombe-net-log-${process.pid}.json`);

/** Numbers of the tricks that reached the server, by who showed them. */
const reached = { reader: new Set(), frame: new Set(), control: new Set() };
const pages = new Map();
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  const [, who, number] = /^\/(reader|frame|control)\/(\d+)/.exec(request.url) ?? [];
  if (who) reached[who].add(Number(number));
  const page = pages.get(request.url);
  response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(page ?? '');
});
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const served = who => number => `${origin}/${who}/${number}`;
const named = who => number => `http://t${number}.${who}.trick.test/a`;

/** Until nothing has come for a while. */
async function quiet(page) {
  for (let before = -1, idle = 0; idle < 3; before = requests) {
    await page.waitForTimeout(400);
    idle = before === requests ? idle + 1 : 0;
  }
}

async function read(page, mail) {
  const before = Number(await page.locator('#result').getAttribute('data-count'));
  await page.setInputFiles('input[type=file]', { name: 'a.eml', mimeType: '', buffer: Buffer.from(mail, 'latin1') });
  await page.waitForFunction(count => document.querySelector('#result').dataset.count > count, before);
  const buttons = page.getByRole('button', { name: 'Show the sender’s formatting' });
  const many = await buttons.count();
  // All at once, as somebody would who clicks through them.
  await page.evaluate(() => {
    for (const button of document.querySelectorAll('button[aria-pressed=false]')) button.click();
  });
  await page.waitForFunction(count => document.querySelectorAll('iframe').length === count, many);
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 100)));
  return many;
}

/** Attributes of what would be shown that name the outside, and elements that are not on anybody's list. */
const remains = page =>
  page.evaluate(() => {
    const found = [];
    for (const frame of document.querySelectorAll('iframe')) {
      const shown = new DOMParser().parseFromString(frame.srcdoc, 'text/html');
      for (const element of shown.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
          if (/127\.0\.0\.1|trick\.test/.test(value) || name.startsWith('on')) found.push(element.outerHTML);
        }
      }
      const strange = shown.querySelector('body link, body meta, body base, script, iframe, object, embed, form, input, svg, math, template, head style ~ style, body style');
      if (strange) found.push(strange.outerHTML);
    }
    return found;
  });

const browser = await launch(extension, { args: [`--log-net-log=${log}`, '--net-log-capture-mode=IncludeSensitive'] });

await check('hostile_mail_is_taken_apart', async () => {
  holds(tricks.length + mails.length >= 200, `only ${tricks.length + mails.length} tricks`);
  const page = await browser.open('reader');
  let frames = 0;
  const left = [];
  for (const address of [served('reader'), named('reader')]) {
    for (const mail of hostileMails(address)) {
      frames += await read(page, mail);
      left.push(...(await remains(page)));
    }
  }
  holds(frames >= 2 * tricks.length, `only ${frames} parts were shown`);
  same(left, [], 'what is left of them');
  // A person clicks on everything that there is, and goes through it with the keyboard.
  const link = a => `From: m@example.test\r\nContent-Type: text/html\r\n\r\n<a href="${a}" style="display:block;height:400px">x</a>`;
  await read(page, link(served('reader')(0)));
  await page.locator('iframe').click({ position: { x: 20, y: 20 } });
  for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  same(page.url(), `${browser.origin}/pages/reader.html`, 'the page');
  await page.close();
});

await check('the_frame_is_shown_alone', async () => {
  // Without the sanitiser: the sandbox and the policy that the frame inherits.
  const page = await browser.open('reader');
  const all = tricks.map((trick, index) => trick(served('frame')(index)));
  await page.evaluate(documents => {
    for (const html of documents) {
      const frame = document.createElement('iframe');
      frame.setAttribute('sandbox', '');
      frame.srcdoc = `<!doctype html><meta http-equiv="x-dns-prefetch-control" content="off">${html}`;
      document.body.append(frame);
    }
    return new Promise(resolve => setTimeout(resolve, 1500));
  }, all);
  await page.close();
});

await check('the_control_page_is_caught', async () => {
  const page = await browser.context.newPage();
  for (const address of [served('control'), named('control')]) {
    const documents = tricks.map((trick, index) => trick(address(index)));
    pages.set('/control-page', `<!doctype html>${documents.map((_, index) => `<iframe loading="eager" src="/page/${index}"></iframe>`).join('')}`);
    documents.forEach((html, index) => pages.set(`/page/${index}`, `<!doctype html>${html}`));
    await page.goto(`${origin}/control-page`, { waitUntil: 'domcontentloaded' });
    await quiet(page);
  }
  await page.close();
});

await browser.close();
server.close();
const seen = readFileSync(log, 'utf8');
rmSync(log);
const lookedUp = who => new Set(Array.from(seen.matchAll(new RegExp(`t(\\d+)\\.${who}\\.trick\\.test`, 'g')), ([, number]) => Number(number)));

await check('hostile_mail_reaches_nobody', async () => {
  const [control, controlNames] = [reached.control.size, lookedUp('control').size];
  console.error(`${tricks.length} tricks and ${mails.length} mails; unprotected: ${control} requests, ${controlNames} names`);
  holds(control >= 100, `the server caught only ${control} on the control page`);
  holds(controlNames >= 100, `the log caught only ${controlNames} on the control page`);
  same([...reached.reader], [], 'requests');
  same([...lookedUp('reader')], [], 'names');
});

await check('the_frame_holds_alone', async () => {
  same([...reached.frame], [], 'requests from a frame whose content was not sanitised');
});

// SPDX-License-Identifier: LGPL-2.0-or-later
// What a person does in a browser: opens URL, logs in as USER at the provider of provider.mjs, consents, and is sent back to
// a program on this machine. Usage: node browser.mjs URL USER [stay]
// Prints the address that the provider sends it to; does not go there with `stay`. With `leave`, it goes there, waits for a line on
// standard input, and logs out at the provider.
const [start, user, stay] = process.argv.slice(2);
const cookies = new Map();
let url = new URL(start);
let form;
const between = (page, before) => {
  const from = page.indexOf(before);
  if (from < 0) throw new Error(`no ${before} in ${page}`);
  return page.slice(from + before.length).split('"')[0];
};
for (let step = 0; url.pathname !== '/callback'; step++) {
  if (step > 12) throw new Error(`the provider does not send the browser back; it is at ${url}`);
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const type = 'application/x-www-form-urlencoded';
  const answer = await fetch(url, {
    method: form ? 'POST' : 'GET', body: form, redirect: 'manual', headers: { cookie, 'content-type': type },
  });
  form = undefined;
  for (const set of answer.headers.getSetCookie()) {
    const [name, value] = set.split(';')[0].split('=');
    if (value) cookies.set(name, value); else cookies.delete(name);
  }
  const location = answer.headers.get('location');
  if (location) {
    url = new URL(location, url);
    continue;
  }
  const page = await answer.text();
  const prompt = between(page, 'name="prompt" value="');
  url = new URL(between(page, 'action="'));
  form = new URLSearchParams(prompt === 'login' ? { prompt, login: user, password: 'any' } : { prompt }).toString();
}
if (stay !== 'stay') await fetch(url);
console.log(url.href);
if (stay === 'leave') {
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const headers = () => ({
    cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    'content-type': 'application/x-www-form-urlencoded',
  });
  const page = await (await fetch(new URL('/session/end', start), { headers: headers() })).text();
  const body = new URLSearchParams({ xsrf: between(page, 'name="xsrf" value="'), logout: 'yes' }).toString();
  const answer = await fetch(between(page, 'action="'), { method: 'POST', body, redirect: 'manual', headers: headers() });
  console.log(`left with ${answer.status}`);
  process.exit(0);
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// Runs one WebAuthn ceremony for a program on this computer. What is asked stands in the fragment, which no server sees; the
// answer goes to a port of 127.0.0.1 and nowhere else: a link that somebody sends brings them nothing, as long as nobody tells
// them the address of a page that did not load.
// What is signed is the hash of the question, made here, and what is shown comes out of the question: whoever writes the link
// cannot have a passkey shown for something else than the page says.
'use strict';

const PURPOSES = {
  'new-passkey': 'A new passkey is to be made for your account.',
  'this-device': 'The computer that asks is to become one of your devices, with the use of your keys.',
  'devices': 'Your devices, passkeys or your recovery code are to be changed.',
  'import': 'A key is to be put into the keystore.',
  'delegation': 'Somebody else is to get the use of a key of yours.',
  'certification': 'Your certificate is to be changed, or to vouch for somebody.',
  'key-use': 'A key is to be used, a backup of one to be replaced, or the log to be read.',
  'administration': 'People, their roles or their access are to be changed.',
};

const LABEL = 'plombe keystore passkey question v1';
const LENGTHS = [LABEL.length, 16, 16, 16, null, 8, 16, null, null];

const ask = new URLSearchParams(location.hash.slice(1));
// Neither in the history, nor there when the page is loaded again.
history.replaceState(null, '', location.pathname);

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const words = (part) => new TextDecoder('utf-8', { fatal: true }).decode(part);
const credentials = () => (ask.get('credentials') || '').split(',').filter(Boolean)
  .map((id) => ({ type: 'public-key', id: bytes(id) }));

// The question's parts, each behind its length in four bytes. Throws when it is none.
function read(question) {
  const view = new DataView(question.buffer);
  const parts = [];
  for (let at = 0; at < question.length;) {
    const length = view.getUint32(at);
    at += 4;
    if (length > question.length - at) throw new RangeError();
    parts.push(question.subarray(at, at + length));
    at += length;
  }
  const sound = parts.length === LENGTHS.length
    && parts.every((part, i) => LENGTHS[i] === null || part.length === LENGTHS[i]);
  if (!sound || words(parts[0]) !== LABEL || !Object.hasOwn(PURPOSES, words(parts[4]))) throw new RangeError();
  return {
    whole: question, principal: parts[1], purpose: words(parts[4]), account: words(parts[7]), device: words(parts[8]),
  };
}

const challenge = (question) => crypto.subtle.digest('SHA-256', question.whole);

const TIMEOUT = 240000;

async function create(question) {
  const made = await navigator.credentials.create({ publicKey: {
    rp: { id: location.hostname, name: 'Plombe keystore' },
    user: { id: question.principal, name: question.account, displayName: question.account },
    challenge: await challenge(question),
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: credentials(),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    attestation: 'none',
    timeout: TIMEOUT,
  } });
  const answer = made.response;
  return {
    client_data: text(answer.clientDataJSON),
    authenticator_data: text(answer.getAuthenticatorData()),
    public_key: text(answer.getPublicKey()),
    algorithm: String(answer.getPublicKeyAlgorithm()),
  };
}

async function get(question) {
  const shown = await navigator.credentials.get({ publicKey: {
    rpId: location.hostname,
    challenge: await challenge(question),
    allowCredentials: credentials(),
    userVerification: 'required',
    timeout: TIMEOUT,
  } });
  return {
    credential: text(shown.rawId),
    client_data: text(shown.response.clientDataJSON),
    authenticator_data: text(shown.response.authenticatorData),
    signature: text(shown.response.signature),
  };
}

function back(answer) {
  const port = Number(ask.get('port'));
  const to = new URLSearchParams({ ...answer, state: ask.get('state') });
  location.replace(`http://127.0.0.1:${port}/passkey?${to}`);
}

const purpose = document.getElementById('purpose');
const go = document.getElementById('go');
const port = Number(ask.get('port'));
let question = null;
try {
  question = read(bytes(ask.get('question') || ''));
} catch (error) {
  console.warn('this link asks for nothing that is known here', error.name);
}
if (question && ask.get('state') && Number.isInteger(port) && port > 1023 && port < 65536) {
  purpose.textContent = PURPOSES[question.purpose];
  document.getElementById('account').textContent = question.account;
  document.getElementById('device').textContent = question.device;
  document.getElementById('who').hidden = false;
  go.disabled = false;
  go.focus();
}
go.addEventListener('click', async () => {
  go.disabled = true;
  purpose.textContent = 'Your authenticator asks you now.';
  try {
    back(question.purpose === 'new-passkey' ? await create(question) : await get(question));
  } catch (error) {
    back({ error: error.name });
  }
});

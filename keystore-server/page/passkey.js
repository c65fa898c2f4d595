// SPDX-License-Identifier: LGPL-2.0-or-later
// Runs one WebAuthn ceremony for a program on this computer. What is asked stands in the fragment, which no server sees; the
// answer goes to a port of 127.0.0.1 and nowhere else: a link that somebody sends brings them nothing, as long as nobody tells
// them the address of a page that did not load.
'use strict';

const PURPOSES = {
  'new-passkey': 'A new passkey is to be made for your account.',
  'this-device': 'The computer that asks is to become one of your devices, with the use of your keys.',
  'devices': 'Your devices, passkeys or your recovery code are to be changed.',
  'import': 'A key is to be put into the keystore.',
  'delegation': 'Somebody else is to get the use of a key of yours.',
  'certification': 'Your certificate is to be changed, or to vouch for somebody.',
  'key-use': 'A key is to be used, or the log to be read: your organisation wants your passkey for that.',
  'administration': 'People, their roles or their access are to be changed.',
};

const ask = new URLSearchParams(location.hash.slice(1));
// Neither in the history, nor there when the page is loaded again.
history.replaceState(null, '', location.pathname);

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const credentials = () => (ask.get('credentials') || '').split(',').filter(Boolean)
  .map((id) => ({ type: 'public-key', id: bytes(id) }));

const TIMEOUT = 240000;

async function create() {
  const made = await navigator.credentials.create({ publicKey: {
    rp: { id: location.hostname, name: 'Plombe keystore' },
    user: { id: bytes(ask.get('user')), name: ask.get('name'), displayName: ask.get('name') },
    challenge: bytes(ask.get('challenge')),
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

async function get() {
  const shown = await navigator.credentials.get({ publicKey: {
    rpId: location.hostname,
    challenge: bytes(ask.get('challenge')),
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
const is_sound = Object.hasOwn(PURPOSES, ask.get('purpose')) && ask.get('challenge') && ask.get('state')
  && Number.isInteger(port) && port > 1023 && port < 65536;
if (is_sound) {
  purpose.textContent = PURPOSES[ask.get('purpose')];
  go.disabled = false;
  go.focus();
}
go.addEventListener('click', async () => {
  go.disabled = true;
  purpose.textContent = 'Your authenticator asks you now.';
  try {
    back(ask.get('purpose') === 'new-passkey' ? await create() : await get());
  } catch (error) {
    back({ error: error.name });
  }
});

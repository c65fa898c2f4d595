// SPDX-License-Identifier: LGPL-2.0-or-later
// A key and a first message for `cold.mjs`, made by OpenPGP.js, which both libraries read.

import { base64 } from './base64.mjs';

export default async function first(_, { v6 }) {
  const openpgp = await import('openpgp');
  const config = v6 ? { v6Keys: true, aeadProtect: true } : {};
  const kind = v6 ? { type: 'curve25519' } : { type: 'ecc', curve: 'curve25519Legacy' };
  const { privateKey } = await openpgp.generateKey({
    ...kind, userIDs: [{ email: 'bob@example.test' }], format: 'object', config, date: new Date(Date.now() - 60_000),
  });
  const message = await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: new Uint8Array(10_000) }),
    encryptionKeys: privateKey.toPublic(), format: 'binary', config,
  });
  return { key: base64(privateKey.write()), message: base64(message) };
}

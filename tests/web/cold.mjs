// SPDX-License-Identifier: LGPL-2.0-or-later
// From nothing to the first opened message, in a browser that has just started: library fetched, compiled, key read.

import { bytes } from './base64.mjs';

export default async function cold(load, { library, key, message }) {
  const begun = performance.now();
  if (library === 'plombe') {
    const plombe = await load();
    const keys = new plombe.Keys();
    keys.add(plombe.LockedKey.parseAll(bytes(key))[0].unlock());
    await plombe.openMessage(bytes(message), keys, new plombe.Certificates(), { now: Date.now() });
  } else {
    const openpgp = await import('/web/node_modules/openpgp/dist/openpgp.min.mjs');
    await openpgp.decrypt({
      message: await openpgp.readMessage({ binaryMessage: bytes(message) }),
      decryptionKeys: await openpgp.readPrivateKey({ binaryKey: bytes(key) }),
      format: 'binary',
    });
  }
  return performance.now() - begun;
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// plombe-wasm and OpenPGP.js in one page: both seal for the same key, open the same message and check each other.

const openpgp = await import('/web/node_modules/openpgp/dist/openpgp.min.mjs');

const PROFILES = [
  ['v4', { type: 'ecc', curve: 'curve25519Legacy' }, {}],
  ['v6', { type: 'curve25519' }, { v6Keys: true, aeadProtect: true }],
];

export default async function bench(load, { sizes }) {
  const plombe = await load();
  const rows = [];
  for (const [profile, kind, config] of PROFILES) {
    const theirs = await people(profile, kind, config);
    const ours = handles(plombe, theirs);
    for (const { name, size, rounds } of sizes) {
      const data = random(size);
      const programs = [plombeActs(plombe, ours, data), openpgpActs(theirs, config, data)];
      const sealed = [await programs[0].encrypt(), await programs[1].encrypt()];
      const signed = [await programs[0].sign(), await programs[1].sign()];
      // Each reads what the other wrote.
      for (const [i, program] of programs.entries()) {
        const [content, holds] = [await program.decrypt(sealed[1 - i]), await program.verify(signed[1 - i])];
        if (content.length !== size || content[size - 1] !== data[size - 1] || !holds) throw new Error(`${profile}, ${name}`);
      }
      const containers = sealed.map(container);
      if (containers[0] !== containers[1]) throw new Error(`not the same: ${containers.join(' and ')}`);
      for (const [act, input] of [['encrypt'], ['decrypt', sealed[1]], ['sign'], ['verify', signed[1]]]) {
        const times = [[], []];
        for (let round = 0; round < rounds; round++) {
          for (const i of round % 2 ? [0, 1] : [1, 0]) {
            const begun = performance.now();
            await programs[i][act](input);
            times[i].push(performance.now() - begun);
          }
        }
        const how = act === 'sign' || act === 'verify' ? 'SHA-512, Ed25519' : containers[0];
        rows.push({ what: `${act} ${name}, ${profile}`, how, plombe: median(times[0]), openpgp: median(times[1]) });
      }
    }
  }
  return rows;
}

async function people(profile, kind, config) {
  const { privateKey } = await openpgp.generateKey({
    ...kind, userIDs: [{ email: 'bob@example.test' }], format: 'object', config, date: new Date(Date.now() - 60_000),
  });
  return { secret: privateKey, certificate: privateKey.toPublic() };
}

function handles(plombe, { secret }) {
  const [keys, certificates] = [new plombe.Keys(), new plombe.Certificates()];
  const locked = plombe.LockedKey.parseAll(secret.write())[0];
  keys.add(locked.unlock());
  certificates.add(locked.certificate());
  return { keys, certificates, nobody: new plombe.Keys() };
}

function plombeActs(plombe, { keys, certificates, nobody }, data) {
  const now = Date.now();
  return {
    encrypt: async () => (await plombe.sealMessage(data, certificates, nobody, { now })).message,
    decrypt: async message => (await plombe.openMessage(message, keys, certificates, { now })).content,
    sign: () => plombe.signDetached(data, keys, { now }),
    verify: async signature => (await plombe.verifyDetached(signature, data, certificates, { now })).verdict === 'good',
  };
}

function openpgpActs({ secret, certificate }, config, data) {
  const format = 'binary';
  const message = () => openpgp.createMessage({ binary: data });
  return {
    encrypt: async () => openpgp.encrypt({ message: await message(), encryptionKeys: certificate, format, config }),
    decrypt: async bytes => {
      const sealed = await openpgp.readMessage({ binaryMessage: bytes });
      return (await openpgp.decrypt({ message: sealed, decryptionKeys: secret, format, config })).data;
    },
    sign: async () => openpgp.sign({ message: await message(), signingKeys: secret, detached: true, format, config }),
    verify: async bytes => {
      const signature = await openpgp.readSignature({ binarySignature: bytes });
      const verified = await openpgp.verify({ message: await message(), signature, verificationKeys: certificate, format, config });
      return verified.signatures[0].verified;
    },
  };
}

// What the first container in a message says of itself.
function container(message) {
  let at = 0;
  while ((message[at] & 0x3f) !== 18) {
    const length = message[at + 1];
    at += length < 192 ? 2 + length : 3 + ((length - 192) << 8) + message[at + 2] + 192;
  }
  const length = message[at + 1];
  const body = at + (length < 192 || (length >= 224 && length < 255) ? 2 : length < 224 ? 3 : 6);
  const [version, , aead, chunk] = message.subarray(body, body + 4);
  if (version === 1) return 'SEIPDv1, AES-256-CFB';
  return `SEIPDv2, AES-256-${['', 'EAX', 'OCB', 'GCM'][aead]}, ${2 ** (chunk + 6) / 1024} KiB chunks`;
}

function random(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)));
  return bytes;
}

function median(times) {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[sorted.length >> 1];
}

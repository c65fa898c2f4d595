// SPDX-License-Identifier: LGPL-2.0-or-later
// OpenPGP.js as a peer: one JSON question a line on standard input, one JSON answer a line on standard output.
// Bytes travel as base64. An answer with "error" means that it did not work, wrong signatures included.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import * as openpgp from "openpgp";

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const base64 = (data) => Buffer.from(data).toString("base64");
const text = (base64) => Buffer.from(base64, "base64").toString("utf8");

// Armored or binary, as the other program likes it.
const isArmored = (data) => Buffer.from(data.subarray(0, 10)).toString("latin1").startsWith("-----BEGIN");
const reading = (data, armored, binary) => (isArmored(data) ? { [armored]: Buffer.from(data).toString("utf8") } : { [binary]: data });

const privateKey = (data) => openpgp.readPrivateKey(reading(bytes(data), "armoredKey", "binaryKey"));
const publicKey = (data) => openpgp.readKey(reading(bytes(data), "armoredKey", "binaryKey"));
const message = (data) => openpgp.readMessage(reading(bytes(data), "armoredMessage", "binaryMessage"));

const kinds = {
  // The curve's old identifier: the new one is unknown to everything made before RFC 9580.
  rfc4880: { type: "ecc", curve: "curve25519Legacy" },
  rfc9580: { type: "curve25519", config: { v6Keys: true, aeadProtect: true } },
};

async function allGood(signatures) {
  if (signatures.length === 0) throw new Error("there is no signature");
  for (const signature of signatures) await signature.verified;
}

const answers = {
  about: async () => {
    const manifest = new URL("node_modules/openpgp/package.json", import.meta.url);
    return { version: JSON.parse(readFileSync(manifest, "utf8")).version, pqc: false };
  },

  generate: async ({ profile, userId }) => {
    const [, name, email] = /^(.*) <(.*)>$/.exec(userId);
    const { privateKey, publicKey } = await openpgp.generateKey({ ...kinds[profile], userIDs: [{ name, email }] });
    return { tsk: base64(privateKey), certificate: base64(publicKey) };
  },

  encrypt: async ({ data, signer, recipient, password }) => ({
    data: base64(
      await openpgp.encrypt({
        message: await openpgp.createMessage({ binary: bytes(data) }),
        encryptionKeys: recipient && (await publicKey(recipient)),
        passwords: password,
        signingKeys: signer && (await privateKey(signer)),
      }),
    ),
  }),

  decrypt: async ({ message: sealed, signer, recipient, password }) => {
    const opened = await openpgp.decrypt({
      message: await message(sealed),
      format: "binary",
      decryptionKeys: recipient && (await privateKey(recipient)),
      passwords: password,
      verificationKeys: signer && (await publicKey(signer)),
    });
    if (signer) await allGood(opened.signatures);
    return { data: base64(opened.data) };
  },

  sign: async ({ form, data, signer }) => {
    const signingKeys = await privateKey(signer);
    if (form === "cleartext") {
      const cleartext = await openpgp.createCleartextMessage({ text: text(data) });
      return { data: base64(await openpgp.sign({ message: cleartext, signingKeys })) };
    }
    const binary = await openpgp.createMessage({ binary: bytes(data) });
    return { data: base64(await openpgp.sign({ message: binary, signingKeys, detached: form === "detached" })) };
  },

  verify: async ({ form, data, message: signed, signature, signer }) => {
    const verificationKeys = await publicKey(signer);
    if (form === "cleartext") {
      const cleartext = await openpgp.readCleartextMessage({ cleartextMessage: text(signed) });
      const verified = await openpgp.verify({ message: cleartext, verificationKeys });
      await allGood(verified.signatures);
      return { data: base64(verified.data) };
    }
    const asked = { verificationKeys, format: "binary" };
    if (form === "detached") {
      asked.message = await openpgp.createMessage({ binary: bytes(data) });
      asked.signature = await openpgp.readSignature(reading(bytes(signature), "armoredSignature", "binarySignature"));
    } else {
      asked.message = await message(signed);
    }
    const verified = await openpgp.verify(asked);
    await allGood(verified.signatures);
    return { data: base64(verified.data) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await answers[question.do](question);
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

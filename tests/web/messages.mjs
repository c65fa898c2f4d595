// SPDX-License-Identifier: LGPL-2.0-or-later
// A story in which everything happens that can happen to a message. Returns what went wrong, and messages for native
// Plombe to open.

import { base64, bytes } from './base64.mjs';

export default async function messages(load, { now, bob, sealed }) {
  const plombe = await load();
  const wrong = [];
  const check = (holds, what) => holds || wrong.push(what);
  const same = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);
  const options = { now };
  const none = { keys: new plombe.Keys(), certificates: new plombe.Certificates() };
  const refused = async (what, code, act) => {
    try {
      await act();
      check(false, `${what} was not refused`);
    } catch (error) {
      check(error instanceof Error && error.code === code, `${what}: ${error.code} instead of ${code}: ${error}`);
      return error;
    }
  };

  // What native Plombe sealed for Bob, in each container, signed by himself.
  const locked = plombe.LockedKey.parseAll(bytes(bob))[0];
  await refused('a key without its passphrase', 'passphrase-needed', () => locked.unlock());
  await refused('a wrong passphrase', 'wrong-passphrase', () => locked.unlock('guess'));
  const bobs = new plombe.Keys();
  bobs.add(locked.unlock('horse'));
  const known = new plombe.Certificates();
  known.add(locked.certificate());
  for (const { name, message, content } of sealed) {
    const opened = await plombe.openMessage(bytes(message), bobs, known, options);
    check(same(opened.content, bytes(content)), `${name}: another content`);
    check(opened.verdict.verdict === 'good', `${name}: ${opened.verdict.verdict}`);
    await refused(`${name} without a key`, 'no-matching-key', () =>
      plombe.openMessage(bytes(message), none.keys, known, options));
    const flipped = bytes(message);
    flipped[flipped.length - 60] ^= 1;
    await refused(`${name}, flipped`, 'unreadable', () => plombe.openMessage(flipped, bobs, known, options));
  }

  const forNative = [];
  for (const profile of ['rfc4880', 'rfc9580']) {
    const alice = plombe.generateKey(profile, 'Alice', 'alice@example.test', undefined, now - 60_000).key;
    check(alice.certificate().addresses(now)[0] === 'alice@example.test', `${profile}: no address`);
    check(alice.certificate().describe(now).trouble === null, `${profile}: a fresh certificate in trouble`);
    const hers = new plombe.Keys();
    hers.add(alice);
    const everybody = new plombe.Certificates();
    everybody.add(locked.certificate());
    everybody.add(alice.certificate());
    for (const container of ['seipdv1', 'seipdv2']) {
      for (const size of [0, 1, 15, 16, 4_090, 10_000, (1 << 18) - 8, (1 << 20) + 5]) {
        const what = `${profile}, ${container}, ${size}`;
        const content = Uint8Array.from({ length: size }, (_, i) => i % 251);
        const { message, report } =
          await plombe.sealMessage(content, everybody, hers, { now, container, armor: size === 10_000 });
        check(report.container === container && report.recipients.length === 2, `${what}: the report`);
        const opened = await plombe.openMessage(message, hers, everybody, { now, hashContent: true });
        check(same(opened.content, content), `${what}: another content`);
        check(opened.verdict.verdict === 'good' && opened.verdict.covered.length === size, `${what}: the verdict`);
        const stranger = await plombe.openMessage(message, hers, none.certificates, options);
        check(stranger.verdict.verdict === 'unknown-signer', `${what}: ${stranger.verdict.verdict}`);
        for (const at of [message.length - 1, message.length - 30, message.length >> 1]) {
          const damaged = message.slice();
          damaged[at] ^= 4;
          await plombe.openMessage(damaged, hers, everybody, options).then(
            opened => check(size === 10_000 && same(opened.content, content), `${what}: opened although damaged at ${at}`),
            () => undefined,
          );
        }
        forNative.push({ what, message: base64(message), content: base64(content), alice: base64(alice.certificate().toBytes()) });
      }
    }

    // Signatures.
    const data = new TextEncoder().encode('pay 100\n');
    const signature = await plombe.signDetached(data, hers, { now, armor: true });
    const verdict = await plombe.verifyDetached(signature, data, everybody, options);
    check(verdict.verdict === 'good' && verdict.signer.certificate === alice.fingerprint, `${profile}: a good signature`);
    const forged = await plombe.verifyDetached(signature, new TextEncoder().encode('pay 900\n'), everybody, options);
    check(forged.verdict === 'bad', `${profile}: a forged text is ${forged.verdict}`);
    for (const message of [await plombe.signInline(data, hers, options), await plombe.signCleartext('pay 100\n', hers, options)]) {
      const opened = await plombe.verifyInline(message, everybody, options);
      check(opened.verdict.verdict === 'good' && new TextDecoder().decode(opened.content).startsWith('pay 100'), `${profile}: inline`);
    }
    const cleartext = new TextDecoder().decode(await plombe.signCleartext('pay 100\n', hers, options));
    const error = await refused('a forged cleartext', 'bad-signature', () =>
      plombe.verifyInline(new TextEncoder().encode(cleartext.replace('100', '900')), everybody, options));
    check(error?.verdict?.verdict === 'bad', 'a bad signature says why');

    // A mail.
    const mail = new TextEncoder().encode(
      'From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: harvest\r\n\r\nThe barn burned.\r\n');
    const [copy] = await plombe.sealMail(mail, everybody, hers, options);
    const text = new TextDecoder().decode(copy.mail);
    check(!text.includes('harvest') && !text.includes('barn'), `${profile}: the mail can be read on its way`);
    const opened = await plombe.openMail(copy.mail, bobs, everybody, options);
    check(opened.subject === 'harvest' && opened.verdict.verdict === 'good', `${profile}: the mail`);
    check(opened.parts()[0].text.includes('The barn burned.'), `${profile}: its text`);

    // At rest.
    const again = plombe.LockedKey.parseAll(new TextEncoder().encode(alice.lock('horse').toArmored()))[0];
    check(again.isLocked && again.unlock('horse').fingerprint === alice.fingerprint, `${profile}: locked and unlocked`);
    await refused('no passphrase at all', 'bad-argument', () => alice.lock(''));
  }
  await refused('nobody to seal for', 'no-recipient', () => plombe.sealMessage(new Uint8Array(1), none.certificates, none.keys, options));
  await refused('something else', 'not-sealed', () => plombe.openMessage(new Uint8Array(9), bobs, known, options));
  return { wrong, forNative };
}

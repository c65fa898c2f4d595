// SPDX-License-Identifier: LGPL-2.0-or-later
// Opens every mail as its reader would and returns what is said of it, as JSON text, in the order that the mails came in.

import { bytes } from './base64.mjs';

export default async function verdicts(load, { now, sets }) {
  const plombe = await load();
  const said = [];
  for (const { keys: files, mails } of sets) {
    const [keys, certificates] = [new plombe.Keys(), new plombe.Certificates()];
    for (const file of files.map(bytes)) {
      const found = new plombe.Certificates(file);
      for (let i = 0; i < found.length; i++) certificates.add(found.at(i));
      for (const locked of unlockable(plombe, file)) keys.add(locked.unlock());
    }
    for (const mail of mails.map(bytes)) said.push(await outcome(plombe, mail, keys, certificates, now));
    keys.free();
  }
  return said;
}

// Files that hold certificates only are none of ours.
function unlockable(plombe, file) {
  try {
    return plombe.LockedKey.parseAll(file);
  } catch (error) {
    if (error.code === 'no-secret-key') return [];
    throw error;
  }
}

async function outcome(plombe, mail, keys, certificates, now) {
  const options = { now, hashContent: true };
  try {
    const opened = await plombe.openMail(mail, keys, certificates, options);
    return JSON.stringify(opened.inspect());
  } catch (error) {
    if (error.code === 'no-matching-key' || error.code === 'wrong-password') {
      return JSON.stringify(await plombe.inspectMail(mail, keys, certificates, options));
    }
    return JSON.stringify({ closed: error.code, verdict: error.verdict ?? null });
  }
}

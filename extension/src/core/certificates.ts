// SPDX-License-Identifier: LGPL-2.0-or-later
// Certificates that are kept, one's own and other people's, and the pins that say which of them count.
import { Certificate, Certificates, Contacts } from 'plombe-wasm';
import * as database from '../keys/database';
import type { CertificateView } from './calls';

const encoder = new TextEncoder();

/** What is kept on a shelf, by fingerprint. */
async function shelf(name: 'tsk' | 'certificate'): Promise<Map<string, Certificate>> {
  const found = new Map<string, Certificate>();
  for (const fingerprint of await database.names(name)) {
    const armored = await database.get(name, fingerprint);
    // A TSK yields its public part.
    if (armored) found.set(fingerprint, new Certificate(encoder.encode(armored)));
  }
  return found;
}

/** Everything that certificates are chosen from. */
export type Known = {
  own: Certificates;
  kept: Certificates;
  all: Map<string, Certificate>;
  ownByFingerprint: Map<string, Certificate>;
  contacts: Contacts;
};

export async function known(): Promise<Known> {
  const [own, kept] = [await shelf('tsk'), await shelf('certificate')];
  return {
    own: handles(own.values()),
    kept: handles(kept.values()),
    all: new Map([...kept, ...own]),
    ownByFingerprint: own,
    contacts: new Contacts(await database.get('pins', 'all')),
  };
}

export function handles(list: Iterable<Certificate>): Certificates {
  const all = new Certificates();
  for (const one of list) all.add(one);
  return all;
}

export const keepPins = (contacts: Contacts) => database.put('pins', 'all', contacts.toJson());

export function view(certificate: Certificate): CertificateView {
  const now = Date.now();
  const { fingerprint, version, created, expires, trouble_code, user_ids } = certificate.describe(now);
  return {
    fingerprint,
    version,
    created,
    expires,
    trouble_code,
    user_ids,
    addresses: certificate.addresses(now),
  };
}

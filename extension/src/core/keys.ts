// SPDX-License-Identifier: LGPL-2.0-or-later
// One's own keys: kept locked, unlocked in this Worker's wasm memory only, locked again after a while without use.
import { Certificate, Certificates, generateKey, type Key, Keys, LockedKey } from 'plombe-wasm';
import * as database from '../keys/database';
import type { Calls, Imported, KeyView } from './calls';
import { view } from './certificates';

type Names = Extract<keyof Calls, `keys/${string}`>;
type Operations = { [K in Names]: (ask: Calls[K]['ask']) => Promise<Calls[K]['answer']> };

const idleMilliseconds = 15 * 60 * 1000;
const encoder = new TextEncoder();

const unlocked = new Map<string, Key>();
let locking: ReturnType<typeof setTimeout> | undefined;

/** A failure that core does not know. */
export function refused(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Every unlocked key, for opening. */
export function usable(): Keys {
  touch();
  const keys = new Keys();
  for (const key of unlocked.values()) keys.add(key);
  return keys;
}

/** The unlocked key of a certificate, for signing. */
export function signing(fingerprint: string): Key {
  touch();
  const key = unlocked.get(fingerprint);
  if (!key) throw refused('key-locked');
  return key;
}

export async function list(): Promise<KeyView[]> {
  const revocations = new Set(await database.names('revocation'));
  const views: KeyView[] = [];
  for (const fingerprint of await database.names('tsk')) {
    const certificate = new Certificate(encoder.encode(await armored(fingerprint)));
    const hasRevocation = revocations.has(fingerprint);
    views.push({ ...view(certificate), unlocked: unlocked.has(fingerprint), hasRevocation });
  }
  return views;
}

export const keys: Operations = {
  'keys/list': () => list(),

  'keys/generate': async ({ name, address, passphrase }) => {
    const generated = generateKey('rfc4880', name || null, address, null, Date.now());
    const { key, revocation } = generated;
    await keep(key.lock(passphrase));
    await database.alone(() => database.put('revocation', key.fingerprint, revocation));
    remember(key);
    return { fingerprint: key.fingerprint, revocation };
  },

  'keys/import': async ({ content, passphrase }) => {
    const imported: Imported = { secret: [], certificates: [], revoked: [] };
    const secret = secretKeys(content);
    for (const locked of secret) {
      await importSecret(locked, passphrase);
      imported.secret.push(locked.fingerprint);
    }
    const certificates = publicCertificates(content);
    if (!secret.length && !certificates) {
      imported.revoked.push(...(await applyRevocation(content)));
      return imported;
    }
    for (let i = 0; certificates && i < certificates.length; i++) {
      const certificate = certificates.at(i);
      if (!certificate || imported.secret.includes(certificate.fingerprint)) continue;
      await importCertificate(certificate);
      imported.certificates.push(certificate.fingerprint);
    }
    return imported;
  },

  'keys/unlock': async ({ fingerprint, passphrase }) => {
    const [locked] = LockedKey.parseAll(encoder.encode(await armored(fingerprint)));
    if (!locked) throw refused('no-secret-key');
    remember(locked.unlock(passphrase));
    return null;
  },

  'keys/lock': async () => {
    lockAll();
    return null;
  },

  'keys/backup': ({ fingerprint }) => armored(fingerprint),

  'keys/certificate': async ({ fingerprint }) =>
    new Certificate(encoder.encode(await armored(fingerprint))).toArmored(),

  'keys/revocation': ({ fingerprint }) => database.get('revocation', fingerprint),

  'keys/delete': async ({ fingerprint }) => {
    unlocked.get(fingerprint)?.free();
    unlocked.delete(fingerprint);
    await database.alone(async () => {
      await database.remove('tsk', fingerprint);
      await database.remove('revocation', fingerprint);
    });
    return null;
  },
};

async function armored(fingerprint: string): Promise<string> {
  const found = await database.get('tsk', fingerprint);
  if (!found) throw refused('no-such-key');
  return found;
}

async function keep(locked: LockedKey): Promise<void> {
  await database.alone(() => database.put('tsk', locked.fingerprint, locked.toArmored()));
}

/** Nothing is kept whose secret is not under a passphrase: one that comes without gets the one that was typed. */
async function importSecret(locked: LockedKey, passphrase: string | null): Promise<void> {
  if (await database.get('tsk', locked.fingerprint)) throw refused('already-there');
  if (locked.isLocked) return keep(locked);
  if (!passphrase) throw refused('passphrase-for-import');
  await keep(locked.unlock(null).lock(passphrase));
}

function secretKeys(content: Uint8Array): LockedKey[] {
  try {
    return LockedKey.parseAll(content);
  } catch (error) {
    // Certificates alone, or a revocation; whatever else it is, the next reader says so.
    const code = (error as { code?: string }).code;
    if (code === 'no-secret-key' || code === 'malformed-certificate') return [];
    throw error;
  }
}

function publicCertificates(content: Uint8Array): Certificates | null {
  try {
    return new Certificates(content);
  } catch (error) {
    if ((error as { code?: string }).code === 'malformed-certificate') return null;
    throw error;
  }
}

async function importCertificate(certificate: Certificate): Promise<void> {
  await database.alone(async () => {
    const { fingerprint } = certificate;
    const before = await database.get('certificate', fingerprint);
    const merged = before ? new Certificate(encoder.encode(before)).merge(certificate) : certificate;
    await database.put('certificate', fingerprint, merged.toArmored());
  });
}

/** A bare revocation certificate ends the kept certificate that it belongs to. */
async function applyRevocation(content: Uint8Array): Promise<string[]> {
  return database.alone(async () => {
    for (const fingerprint of await database.names('certificate')) {
      const kept = new Certificate(encoder.encode((await database.get('certificate', fingerprint)) ?? ''));
      try {
        await database.put('certificate', fingerprint, kept.applyRevocation(content).toArmored());
        return [fingerprint];
      } catch (error) {
        if ((error as { code?: string }).code !== 'not-its-revocation') throw error;
      }
    }
    throw refused('not-its-revocation');
  });
}

function remember(key: Key): void {
  unlocked.get(key.fingerprint)?.free();
  unlocked.set(key.fingerprint, key);
  touch();
}

/** Each use puts the end off. */
function touch(): void {
  clearTimeout(locking);
  locking = setTimeout(lockAll, idleMilliseconds);
}

function lockAll(): void {
  for (const key of unlocked.values()) key.free();
  unlocked.clear();
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// Other people's certificates, by address: what is pinned, and what waits for a decision.
import * as database from '../keys/database';
import type { Calls, ContactView } from './calls';
import { keepPins, known, view } from './certificates';

type Names = Extract<keyof Calls, `contacts/${string}`>;
type Operations = { [K in Names]: (ask: Calls[K]['ask']) => Promise<Calls[K]['answer']> };

export const contacts: Operations = {
  'contacts/list': async () => {
    const { own, kept, all, contacts } = await known();
    const now = Date.now();
    const addresses = new Set<string>();
    for (let i = 0; i < kept.length; i++) {
      for (const id of kept.at(i)?.describe(now).user_ids ?? []) if (id.address) addresses.add(id.address);
    }
    for (const pin of contacts.pins()) addresses.add(pin.address);
    return [...addresses].sort().map((address): ContactView => {
      const choice = contacts.choose(address, own, kept, now);
      const certificates = choice.explanations.flatMap(line => all.get(line.fingerprint) ?? []);
      return { ...choice, certificates: certificates.map(view) };
    });
  },

  'contacts/trust': async ({ address, fingerprint }) => {
    await decide(pins => pins.trust(address, fingerprint, Date.now()));
    return null;
  },

  'contacts/reject': async ({ address, fingerprint }) => {
    await decide(pins => pins.reject(address, fingerprint, Date.now()));
    return null;
  },

  'contacts/delete': async ({ fingerprint }) => {
    await database.alone(() => database.remove('certificate', fingerprint));
    return null;
  },
};

async function decide(change: (pins: Awaited<ReturnType<typeof known>>['contacts']) => void): Promise<void> {
  await database.alone(async () => {
    const { contacts } = await known();
    change(contacts);
    await keepPins(contacts);
  });
}

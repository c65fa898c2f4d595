// SPDX-License-Identifier: LGPL-2.0-or-later
// A new mail: who gets what, and the sealed copies.
import {
  Certificates,
  Keys,
  NewMail,
  parseMailboxes,
  Recipients,
  sealMailFor,
  sealMessage,
} from 'plombe-wasm';
import * as database from '../keys/database';
import type { Calls, Draft, Field, PlanView, SealedView } from './calls';
import { type Known, keepPins, known } from './certificates';
import { refused, signing } from './keys';

type Names = 'mail/plan' | 'mail/seal';
type Operations = { [K in Names]: (ask: Calls[K]['ask']) => Promise<Calls[K]['answer']> };

const fieldNames: Field[] = ['to', 'cc', 'bcc'];

export const write: Operations = {
  'mail/plan': async draft => plan(draft, await known()),

  'mail/seal': async draft => {
    const signer = signing(draft.from);
    return database.alone(async () => {
      const everything = await known();
      const { recipients, notAddresses } = plan(draft, everything);
      if (notAddresses.length) throw refused('bad-address');
      if (!recipients.length) throw refused('no-recipient');
      const { certificates, visible, taken } = take(recipients, everything);
      // A conflict is kept in mind whether or not anything is sealed.
      await keepPins(everything.contacts);
      if (!taken) throw refused('no-certificate');
      const now = Date.now();
      const copies = await sealMailFor(plainMail(draft, author(draft, everything)), certificates, signer, {
        now,
      });
      return {
        copies: copies as SealedView[],
        armored: visible.length ? await armored(draft.text, visible, signer) : null,
      };
    });
  },
};

function plan(draft: Draft, { own, kept, contacts }: Known): PlanView {
  const recipients: PlanView['recipients'] = [];
  const notAddresses: string[] = [];
  for (const field of fieldNames) {
    const boxes = parseMailboxes(draft[field]);
    if (draft[field].trim() && !boxes.length) notAddresses.push(draft[field].trim());
    for (const { name, address } of boxes) {
      try {
        recipients.push({ ...contacts.choose(address, own, kept, Date.now()), field, name });
      } catch {
        notAddresses.push(address);
      }
    }
  }
  return { recipients, notAddresses };
}

/** All or nobody: half a mailing is worse than none. */
function take(recipients: PlanView['recipients'], { own, kept, contacts }: Known) {
  const certificates = new Recipients();
  const visible = [];
  let taken = true;
  for (const { address, field } of recipients) {
    const certificate = contacts.take(address, own, kept, Date.now());
    if (!certificate) {
      taken = false;
      continue;
    }
    certificates.add(address, certificate);
    if (field !== 'bcc') visible.push(certificate);
  }
  return { certificates, visible, taken };
}

function author(draft: Draft, { ownByFingerprint }: Known): string {
  const certificate = ownByFingerprint.get(draft.from);
  const userId = certificate?.describe(Date.now()).user_ids.find(id => id.address && id.trouble == null);
  if (!userId) throw refused('no-author');
  return userId.text;
}

function plainMail(draft: Calls['mail/seal']['ask'], from: string): Uint8Array {
  using mail = new NewMail(from, draft.subject, draft.text);
  for (const field of fieldNames) mail.address(field, draft[field]);
  for (const { name, mediaType, content } of draft.files) mail.attach(name, mediaType, content);
  return mail.toPlainMail();
}

/** The text alone, for programs that take no mails. Whoever gets a hidden copy is not among its readers. */
async function armored(
  text: string,
  visible: Parameters<Certificates['add']>[0][],
  signer: ReturnType<typeof signing>,
) {
  const recipients = new Certificates();
  for (const one of [...visible, signer.certificate()]) recipients.add(one);
  const signers = new Keys();
  signers.add(signer);
  const options = { now: Date.now(), armor: true, text: true };
  const { message } = await sealMessage(new TextEncoder().encode(text), recipients, signers, options);
  return new TextDecoder().decode(message);
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// Opens what a person gave us: a mail, or a bare OpenPGP message.
import {
  type Certificates,
  inspectMail,
  mailAround,
  messageRecipients,
  openMail,
  openMessage,
  type Verdict,
  verifyInline,
} from 'plombe-wasm';
import type { Calls, ClosedView, KeyView, OpenedView, PartView } from './calls';
import { type Known, known } from './certificates';
import { list, usable } from './keys';

type Operations = { 'mail/open': (ask: Calls['mail/open']['ask']) => Promise<Calls['mail/open']['answer']> };
type Thrown = { code?: string; verdict?: Verdict };
type Content = Uint8Array<ArrayBuffer>;

/** Fields that a reader sees above a mail. */
const shown = ['from', 'sender', 'reply-to', 'to', 'cc', 'date'];

export const open: Operations = {
  'mail/open': async ({ content, errant }) => {
    const kind = kindOf(content);
    if (kind === 'certificate' || kind === 'secret-key') return { state: kind };
    const everything = await known();
    const { own, kept, contacts } = everything;
    const signers = contacts.signers(own, kept, Date.now());
    try {
      if (kind === 'mail') return await mailView(content, signers, everything, errant);
      const view = await messageView(content, kind, signers, everything);
      // The encrypted part of a mail, saved by itself: it says what it is in its first line.
      const isPart =
        view.encrypted && /^(?:content-type|mime-version):/im.test(firstBlock(view.parts[0]?.text));
      return isPart ? await mailView(mailAround(content) as Content, signers, everything, errant) : view;
    } catch (error) {
      const { code, verdict } = error as Thrown;
      if (!code) throw error;
      const locked = code === 'no-matching-key' ? await keysFor(content, kind, everything) : [];
      return { state: 'closed', code, verdict: verdict ?? null, locked } satisfies ClosedView;
    }
  },
};

type Kind = 'mail' | 'sealed' | 'signed' | 'certificate' | 'secret-key';

/** By how it begins: a mail begins with a header field, everything else with armor or a packet. */
function kindOf(content: Content): Kind {
  const start = new TextDecoder().decode(content.subarray(0, 200)).trimStart();
  const armor = /^-----BEGIN PGP ([A-Z ]+)-----/.exec(start)?.[1];
  if (armor === 'PUBLIC KEY BLOCK') return 'certificate';
  if (armor === 'PRIVATE KEY BLOCK') return 'secret-key';
  if (armor === 'SIGNED MESSAGE') return 'signed';
  const binary = (content[0] ?? 0) >= 0x80 && !start.startsWith('\ufeff');
  if (!armor && !binary) return 'mail';
  try {
    messageRecipients(content);
    return 'sealed';
  } catch (error) {
    return (error as Thrown).code === 'not-sealed' ? 'signed' : 'sealed';
  }
}

async function mailView(
  content: Content,
  signers: Certificates,
  { ownByFingerprint }: Known,
  errant: string | null,
) {
  const options = { now: Date.now(), readers: [...ownByFingerprint.keys()], ...(errant ? { errant } : {}) };
  using mail = await openMail(content, usable(), signers, options);
  return {
    state: 'opened',
    isMail: true,
    verdict: mail.verdict,
    encrypted: mail.wasEncrypted,
    subject: mail.subject ?? null,
    fields: mail.fields.filter(field => shown.includes(field.name.toLowerCase())),
    parts: mail.parts() as PartView[],
    findings: mail.inspect().findings,
  } satisfies OpenedView;
}

async function messageView(content: Content, kind: Kind, signers: Certificates, { ownByFingerprint }: Known) {
  const options = { now: Date.now(), readers: [...ownByFingerprint.keys()] };
  const opened =
    kind === 'sealed'
      ? await openMessage(content, usable(), signers, options)
      : await verifyInline(content, signers, options);
  const bytes = opened.content as Content;
  const text = asText(bytes);
  const part: PartView = {
    path: '',
    mediaType: text === null ? 'application/octet-stream' : 'text/plain',
    // The name in a message is not signed, and nobody asked what it may do to a file system.
    fileName: text === null ? 'message.bin' : null,
    isAttachment: text === null,
    verdict: opened.verdict,
    content: bytes,
    text,
    dangerousHtml: null,
  };
  return {
    state: 'opened',
    isMail: false,
    verdict: opened.verdict,
    encrypted: kind === 'sealed',
    subject: null,
    fields: [],
    parts: [part],
    findings: [],
  } satisfies OpenedView;
}

/** What stands before the first empty line. */
function firstBlock(text: string | null | undefined): string {
  return text?.split(/\r?\n\r?\n/, 1)[0] ?? '';
}

function asText(bytes: Content): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Locked keys that the message names; for a hidden recipient, all of them. */
async function keysFor(content: Content, kind: Kind, everything: Known) {
  const keys = (await list()).filter(key => !key.unlocked);
  const wanted = await recipients(content, kind, everything);
  const named = (key: KeyView) => {
    const certificate = everything.ownByFingerprint.get(key.fingerprint);
    return wanted.some(handle => handle == null || certificate?.matches(handle));
  };
  return keys.filter(named);
}

async function recipients(content: Content, kind: Kind, { own, kept, contacts }: Known) {
  if (kind !== 'mail') return messageRecipients(content).recipients;
  const signers = contacts.signers(own, kept, Date.now());
  const { layers } = await inspectMail(content, usable(), signers, { now: Date.now() });
  return layers.flatMap(layer => layer.recipients ?? []);
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// What a page asks of the Worker that runs plombe-wasm: one table. Key bytes are never in it; what leaves is locked.
import type {
  CertificateDescription,
  ContactChoice,
  Finding,
  MailboxDescription,
  MailField,
  SealedReport,
  Verdict,
} from 'plombe-wasm';

/** A certificate of one's own or of somebody else's. */
export type CertificateView = Pick<
  CertificateDescription,
  'fingerprint' | 'version' | 'created' | 'expires' | 'trouble_code' | 'user_ids'
> & { addresses: string[] };

/** One's own key. */
export type KeyView = CertificateView & { unlocked: boolean; hasRevocation: boolean };

/** Somebody, as far as one address goes. */
export type ContactView = ContactChoice & { certificates: CertificateView[] };

/** One part of a mail or message beside its verdict. */
export type PartView = {
  path: string;
  mediaType: string;
  fileName: string | null;
  isAttachment: boolean;
  verdict: Verdict;
  content: Uint8Array<ArrayBuffer>;
  text: string | null;
  dangerousHtml: string | null;
};

/** What a reader may see. */
export type OpenedView = {
  state: 'opened';
  isMail: boolean;
  verdict: Verdict;
  encrypted: boolean;
  subject: string | null;
  fields: MailField[];
  parts: PartView[];
  findings: Finding[];
};

/** Why there is nothing to see. */
export type ClosedView = {
  state: 'closed';
  code: string;
  verdict: Verdict | null;
  /** Keys that would open it once they are unlocked. */
  locked: KeyView[];
};

/** A certificate that was dropped where a mail was expected, or nothing of ours. */
export type OtherView = { state: 'certificate' | 'secret-key' };

export type Field = 'to' | 'cc' | 'bcc';

/** A mail that is being written. */
export type Draft = { from: string; subject: string; text: string } & { [field in Field]: string };

/** One mail to hand to the transport, and whom it goes to. */
export type SealedView = {
  mail: Uint8Array<ArrayBuffer>;
  envelopeTo: string[];
  bcc: boolean;
  report: SealedReport;
};

/** What became of a file of keys. */
export type Imported = { secret: string[]; certificates: string[]; revoked: string[] };

type File = { name: string; mediaType: string; content: Uint8Array<ArrayBuffer> };

export type Calls = {
  'keys/list': { ask: null; answer: KeyView[] };
  'keys/generate': {
    ask: { name: string; address: string; passphrase: string };
    answer: { fingerprint: string; revocation: string };
  };
  'keys/import': { ask: { content: Uint8Array<ArrayBuffer>; passphrase: string | null }; answer: Imported };
  'keys/unlock': { ask: { fingerprint: string; passphrase: string }; answer: null };
  'keys/lock': { ask: null; answer: null };
  'keys/backup': { ask: { fingerprint: string }; answer: string };
  'keys/certificate': { ask: { fingerprint: string }; answer: string };
  'keys/revocation': { ask: { fingerprint: string }; answer: string | null };
  'keys/delete': { ask: { fingerprint: string }; answer: null };
  'contacts/list': { ask: null; answer: ContactView[] };
  'contacts/trust': { ask: { address: string; fingerprint: string }; answer: null };
  'contacts/reject': { ask: { address: string; fingerprint: string }; answer: null };
  'contacts/delete': { ask: { fingerprint: string }; answer: null };
  'mail/open': {
    ask: { content: Uint8Array<ArrayBuffer>; errant: string | null };
    answer: OpenedView | ClosedView | OtherView;
  };
  'mail/plan': { ask: Draft; answer: PlanView };
  'mail/seal': {
    ask: Draft & { files: File[] };
    answer: { copies: SealedView[]; armored: string | null };
  };
};

/** Who gets what, before anything is sealed. */
export type PlanView = {
  recipients: (ContactChoice & { field: Field; name: MailboxDescription['name'] })[];
  /** Typed, and not addresses. */
  notAddresses: string[];
};

/** A failure on its way back. `text` is core's English sentence. */
export type Failure = { code: string; text: string; verdict: Verdict | null };

export type Asked = { [K in keyof Calls]: { id: number; kind: K; ask: Calls[K]['ask'] } }[keyof Calls];
export type Answered = { id: number } & ({ answer: unknown } | { failure: Failure });

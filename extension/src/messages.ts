// SPDX-License-Identifier: LGPL-2.0-or-later
// What pages and the background say to each other: one table, typed once, checked where it arrives.

export type Messages = {
  /** A page redeems the token that the background put into its address, once. */
  'selection/take': { ask: { token: string }; answer: { text: string | null } };
};

type Kind = keyof Messages;

/** A message as it arrives, before it was looked at. */
export type Unverified = { kind?: unknown; ask?: unknown } | null | undefined;

const checks: { [K in Kind]: (ask: Record<string, unknown>) => Messages[K]['ask'] | null } = {
  'selection/take': ({ token }) =>
    typeof token === 'string' && /^[0-9a-f]{32}$/.test(token) ? { token } : null,
};

/** A message that is one of the table, from a page of this extension; otherwise nothing. */
export function verified(message: Unverified, sender: chrome.runtime.MessageSender) {
  const ours = sender.id === chrome.runtime.id && sender.url?.startsWith(chrome.runtime.getURL('')) === true;
  if (!ours || typeof message !== 'object' || message === null) return null;
  const { kind, ask } = message;
  if (typeof kind !== 'string' || !Object.hasOwn(checks, kind) || typeof ask !== 'object' || ask === null) {
    return null;
  }
  const checked = checks[kind as Kind](ask as Record<string, unknown>);
  return checked && { kind: kind as Kind, ask: checked };
}

/** Asks the background. */
export function send<K extends Kind>(kind: K, ask: Messages[K]['ask']): Promise<Messages[K]['answer']> {
  return chrome.runtime.sendMessage({ kind, ask });
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// A selection on its way from a web page to the reader, under a token that is good once.

/** What storage.session takes with room to spare. */
const longest = 4 << 20;

export async function keepSelection(text: string): Promise<string> {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const token = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
  await chrome.storage.session.set({ [`selection-${token}`]: text.slice(0, longest) });
  return token;
}

export async function takeSelection(token: string): Promise<string | null> {
  const name = `selection-${token}`;
  const text: unknown = (await chrome.storage.session.get(name))[name];
  await chrome.storage.session.remove(name);
  return typeof text === 'string' ? text : null;
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// Bytes in JSON, in Node and in pages.

export const bytes = base64 => Uint8Array.from(atob(base64), character => character.charCodeAt(0));

export function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

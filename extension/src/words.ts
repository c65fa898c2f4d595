// SPDX-License-Identifier: LGPL-2.0-or-later
// The catalogue: every text that a person reads, in the browser's language.
import type english from '../_locales/en/messages.json';

/** A text of the catalogue. */
export type Word = keyof typeof english;

/** The text, with what stands for `$1`, `$2`, … */
export function say(word: Word, ...values: (string | number)[]): string {
  return chrome.i18n.getMessage(word, values.map(String));
}

/** The text for a code of core's (`signer-expired`), or for one that is newer than the catalogue. */
export function sayCode(group: 'verdict' | 'code' | 'finding' | 'error' | 'problem', code: string): string {
  return chrome.i18n.getMessage(`${group}_${code.replaceAll('-', '_')}`) || say(`${group}_other`, code);
}

/** A moment, for people. */
export function moment(time: number | string): string {
  const options = { dateStyle: 'long', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat(say('language'), options).format(new Date(time));
}

/** A day, for people. */
export function day(time: number): string {
  return new Intl.DateTimeFormat(say('language'), { dateStyle: 'long' }).format(new Date(time));
}

/** A number of bytes, for people. */
export function size(bytes: number): string {
  const [unit, divisor] =
    bytes < 1000
      ? (['byte', 1] as const)
      : bytes < 1e6
        ? (['kilobyte', 1e3] as const)
        : (['megabyte', 1e6] as const);
  const options = { style: 'unit', unit, maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(say('language'), options).format(bytes / divisor);
}

/** A fingerprint in groups that can be read aloud. */
export function groups(fingerprint: string): string {
  return fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// One line per check, for people and for the test that started us.
export async function check(name, act) {
  const begun = Date.now();
  try {
    await act();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.log(`failed: ${name}: ${String(error.stack ?? error).replaceAll('\n', '\n    ')}`);
  }
  console.error(`${name}: ${Date.now() - begun} ms`);
}

export function same(found, wanted, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: found ${a}, expected ${b}`);
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

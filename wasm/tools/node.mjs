// SPDX-License-Identifier: LGPL-2.0-or-later
// plombe-wasm for Node: the same module as in a page, compiled before anything is called.
import { readFileSync } from 'node:fs';
import { initSync } from './plombe.js';

initSync({ module: readFileSync(new URL('./plombe_bg.wasm', import.meta.url)) });
export * from './plombe.js';

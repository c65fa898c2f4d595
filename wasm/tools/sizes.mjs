// SPDX-License-Identifier: LGPL-2.0-or-later
// Prints how large a file is, and how large on its way: `node sizes.mjs FILE`.
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const bytes = readFileSync(process.argv[2]);
const gzip = gzipSync(bytes, { level: 9 }).length;
const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
const kib = size => `${Math.round(size / 1024)} KiB`;
console.log(`    ${kib(bytes.length)}, gzip ${kib(gzip)}, brotli ${kib(brotli)}`);
// What a page has to fetch before the first mail should not be more than this.
const most = 1 << 20;
if (brotli > most) console.log(`    more than ${kib(most)} on its way`);

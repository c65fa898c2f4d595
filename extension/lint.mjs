// SPDX-License-Identifier: LGPL-2.0-or-later
// What Mozilla's linter says about the Firefox package: no error, and no warning but the explained ones.
// `node lint.mjs FOLDER`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Warning and the files that it may be about, with the reason. */
const explained = {
  // preact's dangerouslySetInnerHTML, which nothing here uses; and DOMPurify's own parsing, in a document without scripts.
  UNSAFE_VAR_ASSIGNMENT: ['keys.js', 'reader.js', 'welcome.js', 'write.js'],
};

const [folder] = process.argv.slice(2);
const program = join(import.meta.dirname, 'node_modules/.bin/web-ext');
const ran = spawnSync(program, ['lint', '--output', 'json', '--source-dir', folder], { encoding: 'utf8' });
const { errors, warnings, notices } = JSON.parse(ran.stdout);
const unexplained = warnings.filter(({ code, file }) => !explained[code]?.includes(file));
for (const { code, message, file, line } of [...errors, ...unexplained]) {
  console.error(`${file ?? 'manifest.json'}:${line ?? 0}: ${code}: ${message}`);
}
console.log(
  `    ${errors.length} errors, ${warnings.length} warnings (${unexplained.length} unexplained), ${notices.length} notices`,
);
process.exit(errors.length + unexplained.length ? 1 : 0);

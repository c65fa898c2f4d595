// SPDX-License-Identifier: LGPL-2.0-or-later
// Every catalogue has every text, with the same places in it; every text that the source asks for is there, and no other.
// `node words.mjs TYPES`, the types being those that plombe-wasm's build wrote.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const languages = readdirSync(join(here, '_locales'));
const catalogues = Object.fromEntries(
  languages.map(name => [name, JSON.parse(readFileSync(join(here, '_locales', name, 'messages.json')))]),
);
const wrong = [];
const places = text => (text.match(/\$\d/g) ?? []).sort().join();
for (const [language, texts] of Object.entries(catalogues)) {
  for (const [word, { message }] of Object.entries(catalogues.en)) {
    const other = texts[word]?.message;
    if (!other?.trim()) wrong.push(`${language} lacks ${word}`);
    else if (places(other) !== places(message))
      wrong.push(`${language}: ${word} has other places than English`);
  }
  for (const word of Object.keys(texts))
    if (!catalogues.en[word]) wrong.push(`${language} alone has ${word}`);
}

const files = readdirSync(join(here, 'src'), { recursive: true }).filter(name => /\.tsx?$/.test(name));
const source = [...files.map(name => `src/${name}`), 'manifest.json']
  .map(name => readFileSync(join(here, name), 'utf8'))
  .join('\n')
  .replaceAll('__MSG_', '')
  .replaceAll('__', ' ');
const asked = new Set(source.match(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)*\b/g));
// Codes are put together while it runs; core's generated types say which there are.
const types = readFileSync(process.argv[2], 'utf8');
const codes = name => [
  ...(new RegExp(`type ${name} = ([^;]+);`).exec(types)?.[1] ?? '').matchAll(/"([a-z-]+)"/g),
];
const grouped = { verdict: 'VerdictKind', code: 'Code', finding: 'FindingCode' };
for (const [group, type] of Object.entries(grouped)) {
  const all = codes(type);
  if (!all.length) wrong.push(`no ${type} in the generated types`);
  for (const [, code] of all) {
    const word = `${group}_${code.replaceAll('-', '_')}`;
    if (!catalogues.en[word]) wrong.push(`no text for ${code}: ${word}`);
  }
}
for (const word of Object.keys(catalogues.en)) {
  if (!asked.has(word) && !/^(verdict|code|finding|problem|error)_/.test(word))
    wrong.push(`nothing asks for ${word}`);
}
for (const line of wrong) console.error(line);
console.log(`    ${Object.keys(catalogues.en).length} texts in ${languages.join(', ')}`);
process.exit(wrong.length || languages.length < 3 ? 1 : 0);

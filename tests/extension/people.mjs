// SPDX-License-Identifier: LGPL-2.0-or-later
// Alice has the extension. Bob has plombe on the command line, Gina has gpg.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const alice = 'alice@example.test';
export const bob = 'bob@example.test';
export const gina = 'gina@example.test';
export const passphrase = 'correct horse battery staple';

export class People {
  folder = mkdtempSync(join(tmpdir(), 'plombe-people-'));
  #plombe;

  constructor(plombe) {
    this.#plombe = plombe;
    this.plombe(['key', 'generate', bob, '--no-passphrase']);
    this.gpg(['--quick-generate-key', `Gina <${gina}>`, 'ed25519', 'default', 'never']);
    const fingerprint = /^fpr:+(\w+):/m.exec(String(this.gpg(['--with-colons', '--list-keys', gina])))[1];
    this.gpg(['--quick-add-key', fingerprint, 'cv25519', 'encr', 'never']);
  }

  plombe(args, input = '', home = 'bob') {
    return this.#run(this.#plombe, args, input, { PLOMBE_HOME: join(this.folder, home) });
  }

  gpg(args, input = '') {
    const silent = ['--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', '--trust-model', 'always'];
    return this.#run('gpg', [...silent, ...args], input, { GNUPGHOME: this.folder });
  }

  /** A file with this content. */
  file(name, content) {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  close() {
    try {
      this.#run('gpgconf', ['--kill', 'all'], '', { GNUPGHOME: this.folder });
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  #run(program, args, input, environment) {
    const env = { PATH: process.env.PATH, HOME: this.folder, ...environment };
    return execFileSync(program, args, { input, env, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 26 });
  }
}

/** What Bob writes. */
export const mailFromBob = [
  `From: Bob <${bob}>`,
  `To: Alice <${alice}>`,
  'Subject: =?utf-8?q?the_real_s=C3=BCbject?=',
  'Date: Fri, 20 Nov 2026 10:00:00 +0000',
  'Message-ID: <1@example.test>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="b"',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  'The secret of the goose.',
  '',
  '--b',
  'Content-Type: text/html; name="../../.evil.html"',
  'Content-Disposition: attachment; filename="../../.evil.html"',
  '',
  '<script>alert(1)</script>',
  '--b--',
  '',
].join('\r\n');

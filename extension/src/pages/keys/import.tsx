// SPDX-License-Identifier: LGPL-2.0-or-later
import { useState } from 'preact/hooks';
import { CoreError, call } from '../../core/client';
import { bytesOf, FileField, Form, TextField } from '../../view/form';
import { NoticeLine, useTask } from '../../view/page';
import { say } from '../../words';

type Content = Uint8Array<ArrayBuffer>;

/** Takes in certificates, secret keys, backups and revocations. A secret key without passphrase gets one here. */
export function Import({ onImported }: { onImported: () => Promise<void> }) {
  const [pasted, setPasted] = useState('');
  const [bare, setBare] = useState<Content | null>(null);
  const [passphrase, setPassphrase] = useState('');
  const { notice, busy, run } = useTask();
  const take = (content: Content, typed: string | null = null) =>
    run(async () => {
      try {
        const { secret, certificates, revoked } = await call('keys/import', { content, passphrase: typed });
        setBare(null);
        setPasted('');
        setPassphrase('');
        await onImported();
        return say('imported', secret.length, certificates.length, revoked.length);
      } catch (error) {
        if (error instanceof CoreError && error.code === 'passphrase-for-import') return setBare(content);
        throw error;
      }
    });
  return (
    <section class="card" aria-labelledby="import-heading">
      <h2 id="import-heading">{say('import_heading')}</h2>
      <p>{say('import_text')}</p>
      <FileField
        label={say('import_file')}
        accept=".asc,.pgp,.gpg,.key,.txt"
        onFiles={([file]) => file && void bytesOf(file).then(content => take(content))}
      />
      <div class="field">
        <label for="import-pasted">{say('paste_here')}</label>
        <textarea
          id="import-pasted"
          rows={3}
          spellcheck={false}
          value={pasted}
          onInput={event => setPasted(event.currentTarget.value)}
        />
      </div>
      <button
        type="button"
        disabled={busy || !pasted.trim()}
        onClick={() => void take(new TextEncoder().encode(pasted))}
      >
        {say('import_pasted')}
      </button>
      {bare && (
        <Form onSubmit={() => void take(bare, passphrase)}>
          <p class="notice">{say('bare_key')}</p>
          <TextField
            label={say('passphrase')}
            type="password"
            autocomplete="new-password"
            required
            minLength={12}
            value={passphrase}
            onInput={setPassphrase}
          />
          <button type="submit" class="main" disabled={busy}>
            {say('import_locked')}
          </button>
        </Form>
      )}
      <NoticeLine notice={notice} />
    </section>
  );
}

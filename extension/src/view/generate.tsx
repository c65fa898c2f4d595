// SPDX-License-Identifier: LGPL-2.0-or-later
// Makes a key: name, address, passphrase. The welcome page and the keys page share it.
import { useState } from 'preact/hooks';
import { call } from '../core/client';
import { say } from '../words';
import { Form, TextField } from './form';
import { NoticeLine, save, useTask } from './page';

const shortest = 12;

export function Generate({ onGenerated }: { onGenerated: () => void }) {
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [revocation, setRevocation] = useState<{ text: string; address: string } | null>(null);
  const { notice, busy, run } = useTask();
  const generate = () =>
    run(async () => {
      const made = await call('keys/generate', { name, address, passphrase });
      setPassphrase('');
      setAgain('');
      setRevocation({ text: made.revocation, address });
      onGenerated();
      return say('generated', address);
    });
  const differs = again !== '' && passphrase !== again;
  return (
    <>
      <Form onSubmit={() => void generate()}>
        <TextField label={say('name')} value={name} onInput={setName} autocomplete="name" />
        <TextField
          label={say('address')}
          type="email"
          required
          value={address}
          onInput={setAddress}
          autocomplete="email"
        />
        <TextField
          label={say('passphrase')}
          hint={say('passphrase_hint', shortest)}
          type="password"
          autocomplete="new-password"
          required
          minLength={shortest}
          value={passphrase}
          onInput={setPassphrase}
        />
        <TextField
          label={say('passphrase_again')}
          hint={differs ? say('passphrases_differ') : undefined}
          type="password"
          autocomplete="new-password"
          required
          value={again}
          onInput={setAgain}
          aria-invalid={differs}
        />
        <button type="submit" class="main" disabled={busy || differs}>
          {say('generate_button')}
        </button>
      </Form>
      {busy && <p role="status">{say('working')}</p>}
      <NoticeLine notice={notice} />
      {revocation && (
        <p>
          {say('revocation_text')}{' '}
          <button
            type="button"
            onClick={() =>
              save(`revocation-${revocation.address}.asc`, revocation.text, 'application/pgp-keys')
            }
          >
            {say('save_revocation')}
          </button>
        </p>
      )}
    </>
  );
}

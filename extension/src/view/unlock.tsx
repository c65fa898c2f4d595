// SPDX-License-Identifier: LGPL-2.0-or-later
// Asks for the passphrase of a key, in a page of the extension and nowhere else.
import { useState } from 'preact/hooks';
import type { KeyView } from '../core/calls';
import { call } from '../core/client';
import { groups, say } from '../words';
import { Form, TextField } from './form';
import { NoticeLine, useTask } from './page';

export function Unlock({ keys, onUnlocked }: { keys: KeyView[]; onUnlocked: () => void }) {
  const [fingerprint, setFingerprint] = useState(keys[0]?.fingerprint ?? '');
  const [passphrase, setPassphrase] = useState('');
  const { notice, busy, run } = useTask();
  const unlock = () =>
    run(async () => {
      const typed = passphrase;
      setPassphrase('');
      await call('keys/unlock', { fingerprint, passphrase: typed });
      onUnlocked();
    });
  return (
    <section class="card" aria-labelledby="unlock-heading">
      <h2 id="unlock-heading">{say('unlock_heading')}</h2>
      <p>{say('unlock_text')}</p>
      <Form onSubmit={unlock}>
        {keys.length > 1 ? (
          <div class="field">
            <label for="unlock-key">{say('unlock_key')}</label>
            <select
              id="unlock-key"
              value={fingerprint}
              onChange={event => setFingerprint(event.currentTarget.value)}
            >
              {keys.map(key => (
                <option key={key.fingerprint} value={key.fingerprint}>
                  {keyName(key)}
                </option>
              ))}
            </select>
          </div>
        ) : (
          <p>
            {say('unlock_key')} <bdi>{keys[0] && keyName(keys[0])}</bdi>
          </p>
        )}
        <TextField
          label={say('passphrase')}
          type="password"
          autocomplete="off"
          required
          value={passphrase}
          onInput={setPassphrase}
        />
        <button type="submit" class="main" disabled={busy}>
          {say('unlock_button')}
        </button>
      </Form>
      <NoticeLine notice={notice} />
    </section>
  );
}

/** The address, or else the fingerprint. */
export function keyName({ addresses, fingerprint }: KeyView): string {
  return addresses[0] ?? groups(fingerprint);
}

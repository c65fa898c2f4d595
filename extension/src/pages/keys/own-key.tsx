// SPDX-License-Identifier: LGPL-2.0-or-later
import { useState } from 'preact/hooks';
import type { KeyView } from '../../core/calls';
import { call } from '../../core/client';
import { NoticeLine, save, useTask } from '../../view/page';
import { keyName } from '../../view/unlock';
import { day, groups, say, sayCode } from '../../words';

const pgpKeys = 'application/pgp-keys';

export function OwnKey({ own, onChange }: { own: KeyView; onChange: () => Promise<void> }) {
  const { fingerprint, user_ids, created, expires, trouble_code } = own;
  const [deleting, setDeleting] = useState(false);
  const { notice, busy, run } = useTask();
  const name = keyName(own);
  const certificate = () => call('keys/certificate', { fingerprint });
  const backup = () =>
    run(async () => {
      save(`backup-${name}.asc`, await call('keys/backup', { fingerprint }), pgpKeys);
      return say('backup_saved');
    });
  const revocation = () =>
    run(async () => {
      save(`revocation-${name}.asc`, (await call('keys/revocation', { fingerprint })) ?? '', pgpKeys);
    });
  const remove = () =>
    run(async () => {
      await call('keys/delete', { fingerprint });
      await onChange();
    });
  return (
    <section class="card" aria-label={name} data-key={fingerprint}>
      <h3>
        <bdi>{user_ids[0]?.text ?? groups(fingerprint)}</bdi>
      </h3>
      <p class="code">
        <bdi dir="ltr">{groups(fingerprint)}</bdi>
      </p>
      <p>
        {say('created_on', day(created))}{' '}
        {expires == null ? say('never_expires') : say('expires_on', day(expires))}
      </p>
      {trouble_code != null && <p class="notice wrong">{sayCode('problem', trouble_code)}</p>}
      <div class="buttons">
        <button
          type="button"
          disabled={busy}
          onClick={() => run(async () => save(`${name}.asc`, await certificate(), pgpKeys))}
        >
          {say('save_certificate')}
        </button>
        <button type="button" disabled={busy} onClick={backup}>
          {say('save_backup')}
        </button>
        {own.hasRevocation && (
          <button type="button" disabled={busy} onClick={revocation}>
            {say('save_revocation')}
          </button>
        )}
        <button type="button" aria-expanded={deleting} onClick={() => setDeleting(!deleting)}>
          {say('delete_key')}
        </button>
      </div>
      {deleting && (
        <fieldset class="notice wrong" aria-label={say('delete_key')}>
          <p>{say('delete_warning', name)}</p>
          <div class="buttons">
            <button type="button" disabled={busy} onClick={remove}>
              {say('delete_really')}
            </button>
            <button type="button" onClick={() => setDeleting(false)}>
              {say('cancel')}
            </button>
          </div>
        </fieldset>
      )}
      <NoticeLine notice={notice} />
    </section>
  );
}

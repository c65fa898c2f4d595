// SPDX-License-Identifier: LGPL-2.0-or-later
import type { ContactView } from '../../core/calls';
import { call } from '../../core/client';
import { NoticeLine, useTask } from '../../view/page';
import { groups, say, sayCode, type Word } from '../../words';

const states: Record<ContactView['outcome'], Word> = {
  use: 'contact_use',
  conflict: 'contact_conflict',
  none: 'contact_none',
};

export function Contact({ contact, onChange }: { contact: ContactView; onChange: () => Promise<void> }) {
  const { address, outcome, confirmed, firstUse, explanations, certificates } = contact;
  const { notice, busy, run } = useTask();
  const decide = (kind: 'contacts/trust' | 'contacts/reject', fingerprint: string) =>
    run(async () => {
      await call(kind, { address, fingerprint });
      await onChange();
    });
  const remove = (fingerprint: string) =>
    run(async () => {
      await call('contacts/delete', { fingerprint });
      await onChange();
    });
  const settled = confirmed ? 'contact_confirmed' : firstUse ? 'contact_not_used' : 'contact_first_use';
  return (
    <section
      class={`card contact ${outcome}`}
      aria-label={address}
      data-contact={address}
      data-outcome={outcome}
    >
      <h3>
        <bdi>{address}</bdi>
      </h3>
      <p>
        <strong>{say(states[outcome])}</strong> {outcome === 'use' && say(settled)}
        {outcome === 'conflict' && say('conflict_advice')}
      </p>
      <ul>
        {explanations.map(({ fingerprint, problem }) => {
          const about = certificates.find(one => one.fingerprint === fingerprint);
          return (
            <li key={fingerprint}>
              <span class="code" dir="ltr">
                {groups(fingerprint)}
              </span>{' '}
              {about?.user_ids.map(id => (
                <bdi key={id.text}>{id.text} </bdi>
              ))}
              <span class="tag">{problem == null ? say('problem_none') : sayCode('problem', problem)}</span>
              <div class="buttons">
                <button type="button" disabled={busy} onClick={() => decide('contacts/trust', fingerprint)}>
                  {say('trust', fingerprint.slice(-8))}
                </button>
                <button type="button" disabled={busy} onClick={() => decide('contacts/reject', fingerprint)}>
                  {say('reject', fingerprint.slice(-8))}
                </button>
                <button type="button" disabled={busy} onClick={() => remove(fingerprint)}>
                  {say('remove_certificate', fingerprint.slice(-8))}
                </button>
              </div>
            </li>
          );
        })}
      </ul>
      <NoticeLine notice={notice} />
    </section>
  );
}

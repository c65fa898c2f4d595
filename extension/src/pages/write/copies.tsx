// SPDX-License-Identifier: LGPL-2.0-or-later
import { useState } from 'preact/hooks';
import type { Calls } from '../../core/calls';
import { save } from '../../view/page';
import { say } from '../../words';

/** What was sealed: one mail for everybody in To and Cc, and one for each hidden recipient. */
export function Copies({ sealed: { copies, armored } }: { sealed: Calls['mail/seal']['answer'] }) {
  const [copied, setCopied] = useState(false);
  return (
    <section class="card" aria-labelledby="copies-heading">
      <h2 id="copies-heading">{say('copies_heading')}</h2>
      <p>{say('copies_text')}</p>
      <ul>
        {copies.map(({ mail, envelopeTo, bcc }, index) => {
          const whom = envelopeTo.join(', ');
          return (
            <li key={whom} data-copy={bcc ? 'bcc' : 'all'}>
              {say(bcc ? 'copy_hidden' : 'copy_visible')} <bdi>{whom}</bdi>{' '}
              <button type="button" onClick={() => save(`sealed-${index + 1}.eml`, mail, 'message/rfc822')}>
                {say('save_copy', index + 1)}
              </button>
            </li>
          );
        })}
      </ul>
      {armored && (
        <details>
          <summary>{say('armored_heading')}</summary>
          <p>{say('armored_text')}</p>
          <textarea
            id="armored"
            readOnly
            rows={6}
            value={armored}
            aria-label={say('armored_heading')}
            dir="ltr"
          />
          <button
            type="button"
            onClick={() => void navigator.clipboard.writeText(armored).then(() => setCopied(true))}
          >
            {say('copy_text')}
          </button>
          <p role="status">{copied && say('copied')}</p>
        </details>
      )}
    </section>
  );
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// The first page that a person sees: a key in under a minute.
import { useState } from 'preact/hooks';
import { Generate } from '../../view/generate';
import { show } from '../../view/page';
import { say } from '../../words';

function Welcome() {
  const [done, setDone] = useState(false);
  return (
    <>
      <p>{say('welcome_text')}</p>
      <section class="card" aria-labelledby="first-key">
        <h2 id="first-key">{say('first_key')}</h2>
        <Generate onGenerated={() => setDone(true)} />
      </section>
      {done ? (
        <section class="card" aria-labelledby="next">
          <h2 id="next">{say('next_heading')}</h2>
          <ul>
            <li>
              <a href="/pages/keys.html">{say('next_backup')}</a>
            </li>
            <li>
              <a href="/pages/write.html">{say('next_write')}</a>
            </li>
            <li>
              <a href="/pages/reader.html">{say('next_read')}</a>
            </li>
          </ul>
        </section>
      ) : (
        <p>
          <a href="/pages/keys.html">{say('have_a_key')}</a>
        </p>
      )}
    </>
  );
}

show('welcome', <Welcome />);

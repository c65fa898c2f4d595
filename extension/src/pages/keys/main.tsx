// SPDX-License-Identifier: LGPL-2.0-or-later
// One's own keys, and other people's certificates.
import { useEffect, useState } from 'preact/hooks';
import type { ContactView, KeyView } from '../../core/calls';
import { call } from '../../core/client';
import { Generate } from '../../view/generate';
import { errorText, NoticeLine, show } from '../../view/page';
import { say } from '../../words';
import { Contact } from './contact';
import { Import } from './import';
import { OwnKey } from './own-key';

function KeysPage() {
  const [keys, setKeys] = useState<KeyView[] | null>(null);
  const [contacts, setContacts] = useState<ContactView[]>([]);
  const [failure, setFailure] = useState<string | null>(null);
  const reload = async () => {
    try {
      setKeys(await call('keys/list', null));
      setContacts(await call('contacts/list', null));
    } catch (error) {
      setFailure(errorText(error));
    }
  };
  useEffect(() => void reload(), []);
  const others = contacts.filter(({ address }) => !keys?.some(key => key.addresses.includes(address)));
  return (
    <>
      <NoticeLine notice={failure ? { tone: 'wrong', text: failure } : null} />
      <section aria-labelledby="own-heading">
        <h2 id="own-heading">{say('own_heading')}</h2>
        {keys?.length === 0 && <p>{say('no_keys')}</p>}
        {keys?.map(key => (
          <OwnKey key={key.fingerprint} own={key} onChange={reload} />
        ))}
      </section>
      <section aria-labelledby="contacts-heading">
        <h2 id="contacts-heading">{say('contacts_heading')}</h2>
        {others.length === 0 && <p>{say('no_contacts')}</p>}
        {others.map(contact => (
          <Contact key={contact.address} contact={contact} onChange={reload} />
        ))}
      </section>
      <Import onImported={reload} />
      <details class="card">
        <summary>{say('generate_heading')}</summary>
        <Generate onGenerated={reload} />
      </details>
    </>
  );
}

show('keys', <KeysPage />);

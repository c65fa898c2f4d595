// SPDX-License-Identifier: LGPL-2.0-or-later
// Writes a mail: who gets what is shown before anything is sealed.
import { useEffect, useState } from 'preact/hooks';
import type { Calls, Draft, KeyView, PlanView } from '../../core/calls';
import { call } from '../../core/client';
import { bytesOf, FileField, Form, TextField } from '../../view/form';
import { NoticeLine, show, useTask } from '../../view/page';
import { keyName, Unlock } from '../../view/unlock';
import { say, size } from '../../words';
import { Copies } from './copies';
import { Plan } from './plan';

const empty: Draft = { from: '', to: '', cc: '', bcc: '', subject: '', text: '' };

function Write() {
  const [keys, setKeys] = useState<KeyView[] | null>(null);
  const [draft, setDraft] = useState(empty);
  const [files, setFiles] = useState<File[]>([]);
  const [plan, setPlan] = useState<PlanView | null>(null);
  const [locked, setLocked] = useState<KeyView | null>(null);
  const [sealed, setSealed] = useState<Calls['mail/seal']['answer'] | null>(null);
  const { notice, busy, run } = useTask();
  const change = (field: keyof Draft) => (value: string) => {
    setSealed(null);
    setDraft(before => ({ ...before, [field]: value }));
  };

  useEffect(() => {
    void run(async () => {
      const found = await call('keys/list', null);
      setKeys(found);
      setDraft(before => ({ ...before, from: found[0]?.fingerprint ?? '' }));
    });
  }, []);
  const { to, cc, bcc } = draft;
  useEffect(() => {
    const soon = setTimeout(() => void call('mail/plan', draft).then(setPlan, () => setPlan(null)), 250);
    return () => clearTimeout(soon);
  }, [to, cc, bcc]);

  const seal = () =>
    run(async () => {
      const own = (await call('keys/list', null)).find(key => key.fingerprint === draft.from);
      if (own && !own.unlocked) return setLocked(own);
      setLocked(null);
      const attached = await Promise.all(
        files.map(async file => ({ name: file.name, mediaType: file.type, content: await bytesOf(file) })),
      );
      try {
        setSealed(await call('mail/seal', { ...draft, files: attached }));
        return say('sealed');
      } finally {
        setPlan(await call('mail/plan', draft));
      }
    });

  if (keys?.length === 0) {
    return (
      <p class="notice">
        {say('write_needs_key')} <a href="/pages/welcome.html">{say('first_key')}</a>
      </p>
    );
  }
  return (
    <>
      <Form onSubmit={() => void seal()}>
        <div class="field">
          <label for="from">{say('field_from')}</label>
          <select id="from" value={draft.from} onChange={event => change('from')(event.currentTarget.value)}>
            {keys?.map(key => (
              <option key={key.fingerprint} value={key.fingerprint}>
                {keyName(key)}
              </option>
            ))}
          </select>
        </div>
        <TextField label={say('field_to')} value={to} onInput={change('to')} hint={say('addresses_hint')} />
        <TextField label={say('field_cc')} value={cc} onInput={change('cc')} />
        <TextField label={say('field_bcc')} value={bcc} onInput={change('bcc')} hint={say('bcc_hint')} />
        <Plan plan={plan} />
        <TextField
          label={say('field_subject')}
          value={draft.subject}
          onInput={change('subject')}
          hint={say('subject_hint')}
          spellcheck
        />
        <div class="field">
          <label for="text">{say('text')}</label>
          <textarea
            id="text"
            rows={10}
            dir="auto"
            value={draft.text}
            onInput={event => change('text')(event.currentTarget.value)}
          />
        </div>
        <FileField
          label={say('attach')}
          multiple
          onFiles={more => {
            setSealed(null);
            setFiles(before => [...before, ...more]);
          }}
        />
        {files.length > 0 && (
          <ul class="files">
            {files.map((file, index) => (
              <li key={`${file.name}-${index}`}>
                <bdi>{file.name}</bdi> <span class="tag">{size(file.size)}</span>{' '}
                <button type="button" onClick={() => setFiles(files.filter(one => one !== file))}>
                  {say('detach', file.name)}
                </button>
              </li>
            ))}
          </ul>
        )}
        <button type="submit" class="main" disabled={busy}>
          {say('seal_button')}
        </button>
      </Form>
      {busy && <p role="status">{say('working')}</p>}
      <NoticeLine notice={notice} />
      {locked && <Unlock key={locked.fingerprint} keys={[locked]} onUnlocked={() => void seal()} />}
      {sealed && <Copies sealed={sealed} />}
    </>
  );
}

show('write', <Write />);

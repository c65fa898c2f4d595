// SPDX-License-Identifier: LGPL-2.0-or-later
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Calls } from '../../core/calls';
import { call } from '../../core/client';
import { bytesOf, FileField } from '../../view/form';
import { MailView } from '../../view/mail';
import { NoticeLine, useTask } from '../../view/page';
import { Unlock } from '../../view/unlock';
import { VerdictPanel } from '../../view/verdict';
import { say, sayCode } from '../../words';

type Content = Uint8Array<ArrayBuffer>;
type Shown = { content: Content; errant: string | null; view: Calls['mail/open']['answer']; count: number };

export function Reader({ handedOver }: { handedOver: Content | null }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [pasted, setPasted] = useState('');
  const { notice, busy, run } = useTask();
  const result = useRef<HTMLDivElement>(null);
  const count = useRef(0);

  const open = (content: Content, errant: string | null = null) =>
    run(async () => {
      setShown(null);
      const view = await call('mail/open', { content, errant });
      count.current += 1;
      setShown({ content, errant, view, count: count.current });
    });
  const openFile = async (file: File | undefined) => file && open(await bytesOf(file));

  useEffect(() => {
    if (handedOver) void open(handedOver);
  }, [handedOver]);
  // Whoever cannot see that something appeared is taken there.
  useEffect(() => {
    if (shown) result.current?.focus();
  }, [shown]);
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      void openFile(event.dataTransfer?.files[0]);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('drop', drop);
    };
  });

  return (
    <>
      <section class="card" aria-label={say('page_reader')}>
        <p>{say('reader_text')}</p>
        <FileField
          label={say('open_file')}
          accept=".eml,.asc,.pgp,.gpg,.txt"
          onFiles={([file]) => void openFile(file)}
        />
        <div class="field">
          <label for="pasted">{say('paste_here')}</label>
          <textarea
            id="pasted"
            rows={3}
            spellcheck={false}
            value={pasted}
            onInput={event => setPasted(event.currentTarget.value)}
          />
        </div>
        <button
          type="button"
          class="main"
          disabled={busy || !pasted.trim()}
          onClick={() => void open(new TextEncoder().encode(pasted))}
        >
          {say('open_pasted')}
        </button>
      </section>
      <NoticeLine notice={notice} />
      {busy && <p role="status">{say('working')}</p>}
      <div ref={result} tabIndex={-1} id="result" data-count={shown?.count}>
        {shown && <Result key={shown.count} shown={shown} onOpen={open} />}
      </div>
    </>
  );
}

type ResultProps = { shown: Shown; onOpen: (content: Content, errant?: string | null) => Promise<void> };

function Result({ shown: { content, errant, view }, onOpen }: ResultProps) {
  switch (view.state) {
    case 'certificate':
    case 'secret-key':
      return (
        <p class="notice">
          {say('is_a_key')} <a href="/pages/keys.html">{say('page_keys')}</a>
        </p>
      );
    case 'closed':
      if (view.locked.length)
        return <Unlock keys={view.locked} onUnlocked={() => void onOpen(content, errant)} />;
      return (
        <>
          {view.verdict && <VerdictPanel verdict={view.verdict} encrypted={null} />}
          <p class="notice wrong" data-closed={view.code}>
            <strong>{say('closed')}</strong> {sayCode('error', view.code)}
          </p>
        </>
      );
    case 'opened':
      return (
        <>
          {errant && (
            <p class="notice">
              {say('errant_shown', errant)}{' '}
              <button type="button" onClick={() => void onOpen(content)}>
                {say('back_to_mail')}
              </button>
            </p>
          )}
          <MailView opened={view} onErrant={errant ? null : path => void onOpen(content, path)} />
        </>
      );
  }
}

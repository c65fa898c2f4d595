// SPDX-License-Identifier: LGPL-2.0-or-later
// What every page of the extension has: a heading, the way to the others, and messages that are read aloud.
import { type ComponentChildren, render } from 'preact';
import { useState } from 'preact/hooks';
import { CoreError } from '../core/client';
import { say, sayCode, type Word } from '../words';

const pages = ['reader', 'write', 'keys'] as const;

type PageName = (typeof pages)[number] | 'welcome';

const titles: Record<PageName, Word> = {
  reader: 'page_reader',
  write: 'page_write',
  keys: 'page_keys',
  welcome: 'page_welcome',
};

/** Fills the document. */
export function show(page: PageName, content: ComponentChildren): void {
  document.documentElement.lang = say('language');
  document.documentElement.dir = chrome.i18n.getMessage('@@bidi_dir');
  document.title = `${say(titles[page])} – Plombe`;
  render(
    <>
      <header class="bar">
        <span class="brand" translate={false}>
          <img src="/icons/seal.svg" alt="" width="28" height="28" /> Plombe
        </span>
        <nav aria-label={say('navigation')}>
          {pages.map(name => (
            <a key={name} href={`/pages/${name}.html`} aria-current={name === page ? 'page' : undefined}>
              {say(titles[name])}
            </a>
          ))}
        </nav>
      </header>
      <main>
        <h1>{say(titles[page])}</h1>
        {content}
      </main>
    </>,
    document.body,
  );
}

/** Something that a person has to know: read aloud when it appears. */
export type Notice = { tone: 'good' | 'wrong'; text: string };

export function NoticeLine({ notice }: { notice: Notice | null }) {
  return (
    <div role="status" class="notices">
      {notice && (
        <p class={`notice ${notice.tone}`}>
          <strong>{say(notice.tone === 'good' ? 'notice_done' : 'notice_failed')}</strong> {notice.text}
        </p>
      )}
    </div>
  );
}

/** Does something that may fail and may take a while; says how it went. */
export function useTask() {
  const [notice, setNotice] = useState<Notice | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setNotice(null);
    try {
      const text = await act();
      if (typeof text === 'string') setNotice({ tone: 'good', text });
    } catch (error) {
      setNotice({ tone: 'wrong', text: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return { notice, busy, run };
}

export function errorText(error: unknown): string {
  return error instanceof CoreError ? sayCode('error', error.code) : say('error_internal');
}

/** Hands a file to the browser's own download, which asks or does as the person has set it. */
export function save(name: string, content: BlobPart, mediaType: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: mediaType }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has read it once the download has begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

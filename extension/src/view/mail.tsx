// SPDX-License-Identifier: LGPL-2.0-or-later
// An opened mail or message: verdict, header, findings, parts, files.
import type { Finding, MailField } from 'plombe-wasm';
import { useMemo, useState } from 'preact/hooks';
import type { OpenedView, PartView } from '../core/calls';
import { moment, say, sayCode, size, type Word } from '../words';
import { frameDocument } from './html';
import { save } from './page';
import { VerdictPanel } from './verdict';

type Props = { opened: OpenedView; onErrant: ((path: string) => void) | null };

export function MailView({ opened, onErrant }: Props) {
  const { verdict, encrypted, parts, findings } = opened;
  const texts = parts.filter(
    part => !part.isAttachment && (part.text !== null || part.dangerousHtml !== null),
  );
  const files = parts.filter(part => !texts.includes(part));
  return (
    <article class="mail">
      <VerdictPanel verdict={verdict} encrypted={encrypted} />
      {opened.isMail && <Header opened={opened} />}
      <Findings findings={findings} onErrant={onErrant} />
      {texts.map(part => (
        <TextPart key={part.path} part={part} findings={findings} />
      ))}
      {!texts.length && <p>{say('no_text')}</p>}
      {files.length > 0 && <Files files={files} />}
      <Coverage parts={parts} />
    </article>
  );
}

const fieldWords: Record<string, Word> = {
  from: 'field_from',
  sender: 'field_sender',
  'reply-to': 'field_reply_to',
  to: 'field_to',
  cc: 'field_cc',
  date: 'field_date',
};

const protections: Record<MailField['protection'], Word> = {
  'signed-and-encrypted': 'protection_signed_and_encrypted',
  'encrypted-only': 'protection_encrypted_only',
  'signed-only': 'protection_signed_only',
  unprotected: 'protection_unprotected',
};

function Header({ opened: { subject, fields, verdict } }: { opened: OpenedView }) {
  const from = fields.find(field => field.name.toLowerCase() === 'from');
  const signed = from && ['signed-and-encrypted', 'signed-only'].includes(from.protection);
  return (
    <section class="card" aria-labelledby="subject">
      <h2 id="subject">
        <bdi>{subject || say('no_subject')}</bdi>
      </h2>
      <dl class="fields">
        {fields.map((field, index) => (
          <div key={`${field.name}-${index}`} data-field={field.name.toLowerCase()}>
            <dt>{say(fieldWords[field.name.toLowerCase()] ?? 'field_other')}</dt>
            <dd>
              <bdi>{field.value}</bdi> <span class="tag">{say(protections[field.protection])}</span>
            </dd>
          </div>
        ))}
      </dl>
      {from && verdict.signer && (
        <p class="comparison">{say(signed ? 'from_is_signer' : 'from_is_only_claimed')}</p>
      )}
    </section>
  );
}

function Findings({ findings, onErrant }: { findings: Finding[]; onErrant: Props['onErrant'] }) {
  if (!findings.length) return null;
  return (
    <section class="card findings" aria-labelledby="findings-heading">
      <h2 id="findings-heading">{say('findings_heading')}</h2>
      <ul>
        {findings.map((finding, index) => (
          <li key={`${finding.code}-${index}`} data-finding={finding.code}>
            {sayCode('finding', finding.code)}{' '}
            {finding.path && <span class="tag">{say('part_path', finding.path)}</span>}{' '}
            {finding.code === 'errant-layer' && onErrant && finding.path && (
              <button type="button" onClick={() => onErrant(finding.path ?? '')}>
                {say('open_errant', finding.path)}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Safe text first. The sender's formatting is shown on request: it is theirs, and text is what was looked at. */
function TextPart({ part, findings }: { part: PartView; findings: Finding[] }) {
  const [formatted, setFormatted] = useState(false);
  const doubtful = findings.some(
    ({ code, path }) => path === part.path && (code === 'hidden-content' || code === 'conditional-content'),
  );
  const html = part.dangerousHtml;
  const document = useMemo(
    () => (formatted && html !== null ? frameDocument(html, !doubtful, say('formatted_title')) : null),
    [formatted, html, doubtful],
  );
  return (
    <section class="card part" aria-label={part.path ? say('part_path', part.path) : say('message_text')}>
      {html !== null && (
        <p>
          <button type="button" aria-pressed={formatted} onClick={() => setFormatted(!formatted)}>
            {say('show_formatted')}
          </button>
        </p>
      )}
      {document === null ? (
        <pre class="text" dir="auto">
          {part.text}
        </pre>
      ) : (
        <>
          <p class="hint">{say(doubtful ? 'formatted_without_styles' : 'formatted_hint')}</p>
          <iframe sandbox="" referrerpolicy="no-referrer" title={say('formatted_title')} srcdoc={document} />
        </>
      )}
    </section>
  );
}

function Files({ files }: { files: PartView[] }) {
  return (
    <section class="card" aria-labelledby="files-heading">
      <h2 id="files-heading">{say('files_heading')}</h2>
      <p class="hint">{say('files_hint')}</p>
      <ul class="files">
        {files.map(part => {
          const name = part.fileName ?? 'attachment';
          return (
            <li key={part.path}>
              <bdi>{name}</bdi> <span class="tag">{size(part.content.length)}</span>{' '}
              {/* Never under the sender's type: a browser may open what it takes for a page. */}
              <button type="button" onClick={() => save(name, part.content, 'application/octet-stream')}>
                {say('save_file', name)}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Coverage({ parts }: { parts: PartView[] }) {
  return (
    <details class="card">
      <summary>{say('coverage_heading')}</summary>
      <ul>
        {parts.map(({ path, mediaType, verdict: { verdict, covered, signer } }) => (
          <li key={path} data-part-verdict={verdict}>
            {path ? say('part_path', path) : say('message_text')} (<bdi>{mediaType}</bdi>):{' '}
            {sayCode('verdict', verdict)}
            {covered && (
              <>
                {' '}
                <span>{say('covered_bytes', covered.length)}</span>{' '}
                <span class="code" dir="ltr">
                  SHA-256 {covered.sha256}
                </span>
              </>
            )}
            {signer?.signed_at && <> {moment(signer.signed_at)}</>}
          </li>
        ))}
      </ul>
    </details>
  );
}

// SPDX-License-Identifier: LGPL-2.0-or-later
// A verdict in words and in shape. Colour comes on top and says nothing that is not said otherwise.
import type { Verdict, VerdictKind } from 'plombe-wasm';
import { groups, moment, say, sayCode } from '../words';

/** One outline per answer, so that they differ in black and white, too. */
const shapes: Record<VerdictKind, { outline: string; sign: string }> = {
  good: { outline: 'M16 2a14 14 0 1 0 0 28a14 14 0 1 0 0-28z', sign: 'M9 16l5 5 9-10' },
  'sender-mismatch': { outline: 'M16 2L31 29H1z', sign: 'M16 12v8M16 24v.5' },
  'unknown-signer': { outline: 'M16 1l15 15-15 15L1 16z', sign: 'M12 13a4 4 0 1 1 4 4v2M16 23v.5' },
  'invalid-signer': { outline: 'M16 2l14 5v9c0 8-6 12-14 15C8 28 2 24 2 16V7z', sign: 'M16 9v9M16 23v.5' },
  unsigned: { outline: 'M3 3h26v26H3z', sign: 'M10 16h12' },
  bad: { outline: 'M10 2h12l8 8v12l-8 8H10l-8-8V10z', sign: 'M11 11l10 10M21 11L11 21' },
};

export function VerdictPanel({ verdict, encrypted }: { verdict: Verdict; encrypted: boolean | null }) {
  const { outline, sign } = shapes[verdict.verdict];
  const { signer } = verdict;
  return (
    <section
      class={`verdict ${verdict.verdict}`}
      aria-labelledby="verdict-heading"
      data-verdict={verdict.verdict}
    >
      <svg viewBox="0 0 32 32" width="48" height="48" aria-hidden="true">
        <path class="outline" d={outline} />
        <path class="sign" d={sign} />
      </svg>
      <div>
        <h2 id="verdict-heading">{sayCode('verdict', verdict.verdict)}</h2>
        <p>{sayCode('code', verdict.code)}</p>
        {encrypted !== null && <p>{say(encrypted ? 'was_encrypted' : 'was_not_encrypted')}</p>}
        {signer && (
          <dl>
            <dt>{say('signer')}</dt>
            <dd>
              {signer.addresses.length ? (
                signer.addresses.map(address => (
                  <div key={address}>
                    <bdi>{address}</bdi>
                  </div>
                ))
              ) : (
                <span>{say('signer_without_address')}</span>
              )}
            </dd>
            {signer.signed_at && (
              <>
                <dt>{say('signed_at')}</dt>
                <dd>{moment(signer.signed_at)}</dd>
              </>
            )}
            <dt>{say(signer.certificate ? 'fingerprint' : 'signing_key')}</dt>
            <dd class="code">
              <bdi dir="ltr">{groups(signer.certificate ?? signer.key)}</bdi>
            </dd>
          </dl>
        )}
      </div>
    </section>
  );
}

// SPDX-License-Identifier: LGPL-2.0-or-later
import type { PlanView } from '../../core/calls';
import { groups, say, sayCode, type Word } from '../../words';

type Recipient = PlanView['recipients'][number];

const fields: Record<Recipient['field'], Word> = { to: 'field_to', cc: 'field_cc', bcc: 'field_bcc' };

/** Per person: which certificate, from where, and what they will get. */
export function Plan({ plan }: { plan: PlanView | null }) {
  if (!plan || (!plan.recipients.length && !plan.notAddresses.length)) return null;
  return (
    <section class="card" aria-labelledby="plan-heading" id="plan">
      <h2 id="plan-heading">{say('plan_heading')}</h2>
      <ul class="plan" aria-live="polite">
        {plan.recipients.map((one, index) => (
          <li key={`${one.address}-${index}`} data-recipient={one.address} data-outcome={one.outcome}>
            <bdi>{one.address}</bdi> <span class="tag">{say(fields[one.field])}</span>{' '}
            <Fate recipient={one} />
          </li>
        ))}
        {plan.notAddresses.map(text => (
          <li key={text} data-outcome="bad">
            <bdi>{text}</bdi> <strong>{say('not_an_address')}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Fate({ recipient }: { recipient: Recipient }) {
  const { outcome, fingerprint, firstUse, confirmed, readsSeipdv2, explanations, field } = recipient;
  if (outcome === 'conflict') {
    return (
      <>
        <strong>{say('plan_conflict')}</strong> <a href="/pages/keys.html">{say('decide')}</a>
      </>
    );
  }
  if (outcome === 'none' || fingerprint == null) {
    const why = explanations[0]?.problem;
    return <strong>{why == null ? say('plan_none') : sayCode('problem', why)}</strong>;
  }
  const source = explanations.find(line => line.fingerprint === fingerprint)?.sources[0];
  const trust =
    source === 'own'
      ? 'plan_own'
      : confirmed
        ? 'plan_confirmed'
        : firstUse
          ? 'plan_first_use'
          : 'plan_pinned';
  return (
    <>
      <span>{say(field === 'bcc' ? 'plan_gets_own_copy' : 'plan_gets_copy')}</span>{' '}
      <span>{say(readsSeipdv2 ? 'plan_seipdv2' : 'plan_seipdv1')}</span> <span>{say(trust)}</span>{' '}
      <span class="code" dir="ltr">
        {groups(fingerprint)}
      </span>
    </>
  );
}

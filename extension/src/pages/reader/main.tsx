// SPDX-License-Identifier: LGPL-2.0-or-later
// The reader: any mail or message from a file, a drop, a paste or a selection.
import { send } from '../../messages';
import { show } from '../../view/page';
import { Reader } from './reader';

/** The background's token for a selection stands in the address until it is redeemed. */
async function handedOver(): Promise<Uint8Array<ArrayBuffer> | null> {
  const token = location.hash.slice(1);
  if (!token) return null;
  history.replaceState(null, '', location.pathname);
  const answer = await send('selection/take', { token });
  return answer?.text ? new TextEncoder().encode(answer.text) : null;
}

show('reader', <Reader handedOver={await handedOver().catch(() => null)} />);

// SPDX-License-Identifier: LGPL-2.0-or-later
// The Worker: the only place that loads plombe-wasm. It is asked by the page that started it, and by nobody else.
import init from 'plombe-wasm';
import type { Answered, Asked, Calls, Failure } from './calls';
import { contacts } from './contacts';
import { keys } from './keys';
import { open } from './open';
import { write } from './write';

type Operations = { [K in keyof Calls]: (ask: Calls[K]['ask']) => Promise<Calls[K]['answer']> };

const operations: Operations = { ...keys, ...contacts, ...open, ...write };
const ready = init({ module_or_path: '/plombe_bg.wasm' });

self.addEventListener('message', async ({ data }: MessageEvent<Asked>) => {
  const answer = (answered: Answered) => self.postMessage(answered);
  try {
    await ready;
    const operation = operations[data.kind] as (ask: unknown) => Promise<unknown>;
    answer({ id: data.id, answer: await operation(data.ask) });
  } catch (error) {
    // A trap: nothing in this module's memory can be relied on any more.
    if (error instanceof WebAssembly.RuntimeError) throw error;
    answer({ id: data.id, failure: failure(error) });
  }
});

function failure(error: unknown): Failure {
  const { code, message, verdict } = error as {
    code?: unknown;
    message?: unknown;
    verdict?: Failure['verdict'];
  };
  return {
    code: typeof code === 'string' ? code : 'internal',
    text: String(message ?? error),
    verdict: verdict ?? null,
  };
}

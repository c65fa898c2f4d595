// SPDX-License-Identifier: LGPL-2.0-or-later
// The page's end: one Worker, which dies with the page, and with it every unlocked key.
import type { Answered, Calls, Failure } from './calls';

/** What a call rejects with. */
export class CoreError extends Error {
  readonly code: string;
  readonly verdict: Failure['verdict'];

  constructor({ code, text, verdict }: Failure) {
    super(text);
    this.code = code;
    this.verdict = verdict;
  }
}

let worker: Worker | undefined;
let next = 0;
const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: CoreError) => void }>();

function started(): Worker {
  if (worker) return worker;
  worker = new Worker('/core.js', { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Answered>) => {
    const caller = waiting.get(data.id);
    waiting.delete(data.id);
    if ('failure' in data) caller?.reject(new CoreError(data.failure));
    else caller?.resolve(data.answer as never);
  };
  worker.onerror = event => {
    // A trap leaves the module in no state to go on with; the next call starts another one, with its keys locked.
    event.preventDefault();
    worker?.terminate();
    worker = undefined;
    for (const { reject } of waiting.values())
      reject(new CoreError({ code: 'crashed', text: '', verdict: null }));
    waiting.clear();
  };
  return worker;
}

/** Asks the Worker. */
export function call<K extends keyof Calls>(kind: K, ask: Calls[K]['ask']): Promise<Calls[K]['answer']> {
  const id = next++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    started().postMessage({ id, kind, ask });
  });
}

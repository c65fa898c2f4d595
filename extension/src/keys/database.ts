// SPDX-License-Identifier: LGPL-2.0-or-later
// What is kept: IndexedDB of this extension, each record under AES-256-GCM with a key that no script can export.
//
// Secret keys come here locked under their passphrase already. The key around them binds each record to its name and
// to this browser profile: a copied record is worth nothing elsewhere, and a swapped one does not open.

const stores = { keys: 'wrapping', records: 'records' } as const;

/** Sets of records. */
export type Shelf = 'tsk' | 'certificate' | 'revocation' | 'pins';

type Sealed = { iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer };

let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('plombe', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(stores.keys);
      request.result.createObjectStore(stores.records);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run<T>(
  store: string,
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T>,
) {
  const transaction = (await database()).transaction(store, mode, { durability: 'strict' });
  return new Promise<T>((resolve, reject) => {
    const request = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

async function wrappingKey(): Promise<CryptoKey> {
  const known: unknown = await run(stores.keys, 'readonly', store => store.get('v1'));
  if (known instanceof CryptoKey) return known;
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  await run(stores.keys, 'readwrite', store => store.add(key, 'v1'));
  return key;
}

const recordName = (shelf: Shelf, name: string) => `${shelf}/${name}`;

const parameters = (iv: Uint8Array<ArrayBuffer>, name: string) => ({
  name: 'AES-GCM',
  iv,
  additionalData: new TextEncoder().encode(`plombe record v1\n${name}`),
});

/** Writes a record, in place of the one before. */
export async function put(shelf: Shelf, name: string, text: string): Promise<void> {
  const record = recordName(shelf, name);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(text);
  const data = await crypto.subtle.encrypt(parameters(iv, record), await wrappingKey(), plain);
  await run(stores.records, 'readwrite', store => store.put({ iv, data } satisfies Sealed, record));
}

/** Reads a record. */
export async function get(shelf: Shelf, name: string): Promise<string | null> {
  const record = recordName(shelf, name);
  const sealed = await run<Sealed | undefined>(stores.records, 'readonly', store => store.get(record));
  if (!sealed) return null;
  const plain = await crypto.subtle.decrypt(parameters(sealed.iv, record), await wrappingKey(), sealed.data);
  return new TextDecoder().decode(plain);
}

/** Names of the records on a shelf. */
export async function names(shelf: Shelf): Promise<string[]> {
  const range = IDBKeyRange.bound(`${shelf}/`, `${shelf}/\uffff`);
  const found = await run(stores.records, 'readonly', store => store.getAllKeys(range));
  return found.map(name => String(name).slice(shelf.length + 1));
}

/** Takes a record away. */
export async function remove(shelf: Shelf, name: string): Promise<void> {
  await run(stores.records, 'readwrite', store => store.delete(recordName(shelf, name)));
}

/** Reads, thinks and writes while no other page does. */
export function alone<T>(act: () => Promise<T>): Promise<T> {
  return navigator.locks.request('plombe-records', act) as Promise<T>;
}

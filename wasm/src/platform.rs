// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher on WebCrypto.
//!
//! Keys are imported for one message, not extractable, and dropped with it. What WebCrypto does not have (OCB, EAX, the
//! other direction of CFB, ciphers other than AES) runs here.

use std::collections::VecDeque;

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use plombe_core::message::payload::{Aead, AeadTask, CfbTask, Task};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::{
    error::{Thrown, platform, thrown},
    message::unreadable,
};

/// Fewer bytes than this are encrypted sooner than WebCrypto answers.
const WORTH_ASKING: usize = 4 << 10;

/// Pieces on their way at a time: WebCrypto has threads of its own.
const IN_FLIGHT: usize = 4;

/// Bytes of CBC at a time; each run has to wait for the one before.
const RUN_SIZE: usize = 1 << 20;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &[u8],
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    fn encrypt(algorithm: &Object, key: &JsValue, data: &[u8]) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    fn decrypt(algorithm: &Object, key: &JsValue, data: &[u8]) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    fn digest(algorithm: &str, data: &[u8]) -> Result<Promise, JsValue>;
}

/// Runs the bulk cipher. An error says no more than that it did not work out.
pub(crate) async fn run(task: &mut Task) -> Result<(), Thrown> {
    match task {
        Task::Aead(task) if task.schedule().aead() == Aead::Gcm && task.size() >= WORTH_ASKING => {
            gcm(task).await
        }
        Task::Cfb(task) if task.aes_key().is_some() && task.hashed().len() >= WORTH_ASKING => cfb(task).await,
        other => other.run().map_err(thrown),
    }
}

async fn gcm(task: &mut AeadTask) -> Result<(), Thrown> {
    let usage = if task.is_sealing() { "encrypt" } else { "decrypt" };
    let key = imported(task.schedule().key(), "AES-GCM", usage).await?;
    // Futures, not promises: one that fails while another is waited for has somebody who listens.
    let mut in_flight: VecDeque<(usize, JsFuture)> = VecDeque::new();
    let mut next = 0;
    loop {
        while next < task.pieces() && in_flight.len() < IN_FLIGHT {
            let parameters = algorithm("AES-GCM", &task.nonce(next))?;
            set(&parameters, "additionalData", &Uint8Array::from(&task.aad(next)[..]))?;
            let input = task.input(next);
            let piece = match task.is_sealing() {
                true => encrypt(&parameters, &key, input),
                false => decrypt(&parameters, &key, input),
            };
            in_flight.push_back((next, piece.map_err(|_| unavailable())?.into()));
            next += 1;
        }
        let Some((piece, answer)) = in_flight.pop_front() else { return Ok(()) };
        match answer.await {
            Ok(bytes) => Uint8Array::new(&bytes).copy_to(task.output(piece)),
            // WebCrypto says `OperationError` and nothing else, and core has one word for it.
            Err(_) if !task.is_sealing() => return Err(unreadable()),
            Err(_) => return Err(unavailable()),
        }
    }
}

async fn cfb(task: &mut CfbTask) -> Result<(), Thrown> {
    if !task.is_sealing() {
        task.decrypt().map_err(thrown)?;
    }
    let sha1 = answer(digest("SHA-1", task.hashed())).await?;
    task.put_digest(&sha1.to_vec()).map_err(thrown)?;
    if !task.is_sealing() {
        return Ok(());
    }
    let Some(key) = task.aes_key() else { return task.seal().map_err(thrown) };
    let key = imported(key, "AES-CBC", "encrypt").await?;
    // The first block of the key stream is a block of zeros, encrypted.
    let mut before = first_block(&key).await?;
    let mut key_stream = vec![0; RUN_SIZE];
    loop {
        let left = task.unsealed();
        if left.is_empty() {
            return Ok(());
        }
        let run = &left[..left.len().min(RUN_SIZE)];
        // Block i of CBC's output is what ciphertext block i + 1 is made with.
        let output = answer(encrypt(&algorithm("AES-CBC", &before.to_vec())?, &key, run)).await?;
        let n = run.len();
        key_stream.truncate(n.max(16));
        before.copy_to(&mut key_stream[..16]);
        if n > 16 {
            output.subarray(0, (n - 16) as u32).copy_to(&mut key_stream[16..n]);
        }
        before = output.subarray((n - 16.min(n)) as u32, n as u32);
        task.apply(&key_stream[..n]);
    }
}

async fn first_block(key: &JsValue) -> Result<Uint8Array, Thrown> {
    let output = answer(encrypt(&algorithm("AES-CBC", &[0; 16])?, key, &[0; 16])).await?;
    Ok(output.subarray(0, 16))
}

async fn imported(key: &[u8], algorithm: &str, usage: &str) -> Result<JsValue, Thrown> {
    let promise = import_key("raw", key, algorithm, false, &Array::of1(&usage.into()));
    JsFuture::from(promise.map_err(|_| unavailable())?).await.map_err(|_| unavailable())
}

async fn answer(promise: Result<Promise, JsValue>) -> Result<Uint8Array, Thrown> {
    let bytes = JsFuture::from(promise.map_err(|_| unavailable())?).await.map_err(|_| unavailable())?;
    Ok(Uint8Array::new(&bytes))
}

fn algorithm(name: &str, iv: &[u8]) -> Result<Object, Thrown> {
    let parameters = Object::new();
    set(&parameters, "name", &name.into())?;
    set(&parameters, "iv", &Uint8Array::from(iv))?;
    Ok(parameters)
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), Thrown> {
    Reflect::set(object.unchecked_ref(), &name.into(), value).map(drop)
}

fn unavailable() -> Thrown {
    platform("WebCrypto did not do what was asked; it needs a secure context (https, an extension, Node)")
}

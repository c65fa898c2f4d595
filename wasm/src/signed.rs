// SPDX-License-Identifier: LGPL-2.0-or-later
//! Signatures without encryption: made and judged.

use js_sys::Uint8Array;
use plombe_core::{
    crypto_policy::CryptoPolicy,
    message::{SignError, Signing, verify},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    Certificates, Keys,
    bytes::{Sink, Source},
    error::{Thrown, thrown, typed},
    message::opened_object,
    options::{OpenOptions, Reading, SignOptions, read, time},
};

/// A detached signature over `data`.
#[wasm_bindgen(js_name = signDetached)]
pub async fn sign_detached(
    data: Uint8Array,
    signers: &Keys,
    #[wasm_bindgen(unchecked_param_type = "SignOptions")] options: JsValue,
) -> Result<Uint8Array, Thrown> {
    sign(signers, options, |signing, sink| signing.detached(&mut Source::new(&data), sink).map(drop))
}

/// A signed message that carries `data`.
#[wasm_bindgen(js_name = signInline)]
pub async fn sign_inline(
    data: Uint8Array,
    signers: &Keys,
    #[wasm_bindgen(unchecked_param_type = "SignOptions")] options: JsValue,
) -> Result<Uint8Array, Thrown> {
    sign(signers, options, |signing, sink| signing.inline(&mut Source::new(&data), sink))
}

/// `text` in the cleartext signature framework.
#[wasm_bindgen(js_name = signCleartext)]
pub async fn sign_cleartext(
    text: &str,
    signers: &Keys,
    #[wasm_bindgen(unchecked_param_type = "SignOptions")] options: JsValue,
) -> Result<Uint8Array, Thrown> {
    sign(signers, options, |signing, sink| signing.cleartext(&mut text.as_bytes(), sink))
}

fn sign(
    signers: &Keys,
    options: JsValue,
    act: impl FnOnce(&Signing<'_>, &mut Sink) -> Result<(), SignError>,
) -> Result<Uint8Array, Thrown> {
    let options: SignOptions = read(options)?;
    let policy = CryptoPolicy::standard();
    let signing = Signing {
        signers: signers.0.iter().map(Into::into).collect(),
        text: options.text,
        armor: options.armor,
        policy: &policy,
        now: time(options.now),
    };
    let mut sink = Sink::new(0);
    act(&signing, &mut sink).map_err(thrown)?;
    Ok(sink.into_array())
}

/// What detached signatures, armored or binary, say about `data`. A bad one is a verdict here, not an error.
#[wasm_bindgen(js_name = verifyDetached, unchecked_return_type = "Verdict")]
pub async fn verify_detached(
    signature: &[u8],
    data: Uint8Array,
    signers: &Certificates,
    #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let reading = Reading::new(&[], &signers.0, &read::<OpenOptions>(options)?);
    let verified =
        verify::detached(signature, &mut Source::new(&data), &reading.context()).map_err(thrown)?;
    typed(&verified.verdict)
}

/// Opens a signed message, inline or in the cleartext framework.
#[wasm_bindgen(js_name = verifyInline, unchecked_return_type = "Opened")]
pub async fn verify_inline(
    message: Uint8Array,
    signers: &Certificates,
    #[wasm_bindgen(unchecked_param_type = "OpenOptions")] options: JsValue,
) -> Result<JsValue, Thrown> {
    let reading = Reading::new(&[], &signers.0, &read::<OpenOptions>(options)?);
    let sink = Sink::new(message.length() as usize);
    let opened = verify::inline(&mut Source::new(&message), &reading.context(), sink).map_err(thrown)?;
    let name = opened.unverified_name().map(|name| String::from_utf8_lossy(name).into_owned());
    let (content, verdict) = opened.release().map_err(thrown)?;
    opened_object(content, &verdict, name)
}

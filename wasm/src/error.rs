// SPDX-License-Identifier: LGPL-2.0-or-later
//! Failures as `Error` objects with a stable `code`, and with the verdict where there is one.

use std::error::Error;

use js_sys::Reflect;
use plombe_core::{error_code::ErrorCode, verdict::Verdict};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What every call here throws. */
export interface PlombeError extends Error {
    /** Stable, kebab-case; `docs/wasm.md` lists them. */
    code: string;
    /** Why a signature is bad. */
    verdict?: Verdict;
}
"#;

/// What crosses the border.
pub(crate) type Thrown = JsValue;

/// An error of core's.
pub(crate) fn thrown(error: impl ErrorCode + Error) -> Thrown {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = source.source();
    }
    let thrown = with_code(&text, error.code());
    if let Some(verdict) = error.verdict() {
        set(&thrown, "verdict", &typed::<Verdict>(verdict).unwrap_or(JsValue::NULL));
    }
    thrown
}

/// A call that makes no sense.
pub(crate) fn misuse(text: &str) -> Thrown {
    with_code(text, "bad-argument")
}

/// The platform has no WebCrypto, or it failed.
pub(crate) fn platform(text: &str) -> Thrown {
    with_code(text, "platform")
}

/// A value as the plain object that its generated type promises.
pub(crate) fn typed<T: serde::Serialize + ?Sized>(value: &T) -> Result<JsValue, Thrown> {
    // `null` where Rust has nothing, as in core's JSON.
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| misuse(&error.to_string()))
}

fn with_code(text: &str, code: &str) -> Thrown {
    let error: JsValue = js_sys::Error::new(text).into();
    set(&error, "code", &code.into());
    error
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Fails for frozen objects only, and this one was just made.
    let _ = Reflect::set(object, &name.into(), value);
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the browser says (WebAuthn section 5.8.1): which kind of ceremony, which challenge, which page.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::PasskeyRefusal;

/// The browser's own is shorter than 300 bytes; extensions may add to it.
const MAX_BYTES: usize = 4096;

pub(super) const CREATE: &str = "webauthn.create";
pub(super) const GET: &str = "webauthn.get";

/// Members that we look at; browsers may add others. One that stands twice is refused by the parser.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

/// Checks that a ceremony of `kind` with `challenge` was run by our own page, on top.
pub(super) fn check(
    bytes: &[u8],
    kind: &str,
    challenge: &[u8; 32],
    origin: &str,
) -> Result<(), PasskeyRefusal> {
    if bytes.len() > MAX_BYTES {
        return Err(PasskeyRefusal::Malformed);
    }
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| PasskeyRefusal::Malformed)?;
    if data.kind != kind {
        return Err(PasskeyRefusal::Kind);
    }
    if data.challenge != URL_SAFE_NO_PAD.encode(challenge) {
        return Err(PasskeyRefusal::Challenge);
    }
    if data.origin != origin || data.cross_origin || data.top_origin.is_some() {
        return Err(PasskeyRefusal::Origin);
    }
    Ok(())
}

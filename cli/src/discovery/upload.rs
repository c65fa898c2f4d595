// SPDX-License-Identifier: LGPL-2.0-or-later
//! Hands a certificate to key servers.

use std::collections::BTreeMap;

use plombe_core::{cert::Certificate, recipients::Keyserver};
use serde::Deserialize;
use serde_json::json;

use super::web::{WebClient, WebError};

const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What a key server made of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// HKP: anybody finds it at once.
    Taken,
    /// VKS: what became of each address.
    Addresses(BTreeMap<String, AddressStatus>),
}

/// What a verifying key server says about one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AddressStatus {
    /// It was not asked to send a mail.
    Unpublished,
    /// A mail is on its way; following the link in it publishes the address.
    Pending,
    /// Anybody finds the certificate by this address.
    Published,
    /// The user ID is revoked.
    Revoked,
}

impl AddressStatus {
    /// Stable, for programs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unpublished => "unpublished",
            Self::Pending => "pending",
            Self::Published => "published",
            Self::Revoked => "revoked",
        }
    }

    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unpublished => "the server keeps it, but does not show it",
            Self::Pending => "the server sent a mail; follow the link in it",
            Self::Published => "anybody finds it now",
            Self::Revoked => "the user ID is revoked and no longer shown",
        }
    }
}

/// Why a key server did not take it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    Web(#[from] WebError),
    #[error("the key server refused the certificate: {0}")]
    Refused(String),
    #[error("the key server's answer makes no sense")]
    Nonsense,
}

#[derive(Deserialize)]
struct VksAnswer {
    token: String,
    status: BTreeMap<String, AddressStatus>,
}

/// Uploads `certificate`. A verifying key server is asked to send a mail to each of its addresses.
pub(crate) fn publish(
    web: &WebClient,
    server: &Keyserver,
    certificate: &Certificate,
) -> Result<Published, UploadError> {
    let armored = certificate.to_armored();
    let Some(request_verify_url) = server.request_verify_url() else {
        let form = Keyserver::hkp_form(&armored);
        let form_type = "application/x-www-form-urlencoded";
        let (status, answer) =
            web.post(&server.upload_url(), form_type, form.as_bytes(), MAX_ANSWER_BYTES)?;
        return match status {
            200..=299 => Ok(Published::Taken),
            _ => Err(refused(status, &answer)),
        };
    };
    let uploaded = vks(web, &server.upload_url(), &json!({"keytext": armored}))?;
    let waiting = uploaded.status.iter().filter(|(_, status)| **status == AddressStatus::Unpublished);
    let waiting: Vec<&String> = waiting.map(|(address, _)| address).collect();
    if waiting.is_empty() {
        return Ok(Published::Addresses(uploaded.status));
    }
    let ask = json!({"token": uploaded.token, "addresses": waiting});
    Ok(Published::Addresses(vks(web, &request_verify_url, &ask)?.status))
}

fn vks(web: &WebClient, url: &str, body: &serde_json::Value) -> Result<VksAnswer, UploadError> {
    let body = body.to_string();
    let (status, answer) = web.post(url, "application/json", body.as_bytes(), MAX_ANSWER_BYTES)?;
    match status {
        200..=299 => serde_json::from_slice(&answer).map_err(|_| UploadError::Nonsense),
        _ => Err(refused(status, &answer)),
    }
}

/// The server's own words when it has some, on one line and not many.
fn refused(status: u16, answer: &[u8]) -> UploadError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let words = match serde_json::from_slice::<Refusal>(answer) {
        Ok(refusal) => refusal.error,
        Err(_) => String::from_utf8_lossy(answer).into_owned(),
    };
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    match words.starts_with('<') || words.is_empty() {
        true => UploadError::Refused(format!("status {status}")),
        false => UploadError::Refused(format!("status {status}, {words}")),
    }
}

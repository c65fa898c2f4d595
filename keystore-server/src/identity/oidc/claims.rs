// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a signed ID token says, and whether it says it to us, about this log-in (OpenID Connect Core section 3.1.3.7).

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use plombe_core::recipients::Address;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::{IssuerConfig, Reason, id_token::SignedClaims};

/// OpenID Connect Core section 2 on `sub`.
const MAX_SUBJECT_BYTES: usize = 255;

/// What this log-in expects its token to say.
pub(super) struct Expected<'a> {
    pub(super) config: &'a IssuerConfig,
    pub(super) nonce: &'a str,
    /// When the log-in began.
    pub(super) started: SystemTime,
    /// What came beside the token.
    pub(super) access_token: Option<&'a str>,
    /// Of the token's signature; `at_hash` uses its hash.
    pub(super) algorithm: Algorithm,
    pub(super) now: SystemTime,
}

/// The claims that we use, all checked.
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) email: Address,
    pub(super) authenticated: Option<SystemTime>,
    /// The provider's session, for its log-out.
    pub(super) session: Option<String>,
}

impl Claims {
    pub(super) fn check(signed: &SignedClaims, expected: &Expected<'_>) -> Result<Self, Reason> {
        let claims = &signed.0;
        if text(claims, "iss")? != expected.config.issuer.as_str() {
            return Err(Reason::IssuerWrong);
        }
        check_audience(claims, &expected.config.client_id)?;
        check_times(claims, expected)?;
        if !is_same(text(claims, "nonce")?, expected.nonce) {
            return Err(Reason::NonceWrong);
        }
        check_access_token(claims, expected)?;
        Ok(Self {
            subject: subject(claims)?,
            email: email(claims, expected.config)?,
            authenticated: authentication_time(claims, expected)?,
            session: optional_text(claims, "sid")?,
        })
    }
}

/// Ours and nobody else's: no other audience is trusted, so a token that others hold too may have come from them.
pub(super) fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), Reason> {
    let audiences: Vec<&str> = match claims.get("aud").ok_or(Reason::ClaimMissing)? {
        Value::String(one) => vec![one],
        Value::Array(list) => {
            list.iter().map(|one| one.as_str().ok_or(Reason::ClaimMalformed)).collect::<Result<_, _>>()?
        }
        _ => return Err(Reason::ClaimMalformed),
    };
    if !audiences.contains(&client_id) {
        return Err(Reason::AudienceWrong);
    }
    match claims.get("azp") {
        None if audiences.len() > 1 => return Err(Reason::AuthorizedPartyMissing),
        None => {}
        Some(Value::String(party)) if party == client_id => {}
        Some(Value::String(_)) => return Err(Reason::AuthorizedPartyWrong),
        Some(_) => return Err(Reason::ClaimMalformed),
    }
    if audiences.len() > 1 { Err(Reason::AudienceShared) } else { Ok(()) }
}

fn check_times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Reason> {
    let skew = expected.config.max_clock_skew();
    if time(claims, "exp")?.ok_or(Reason::ClaimMissing)? + skew <= expected.now {
        return Err(Reason::Expired);
    }
    if time(claims, "nbf")?.is_some_and(|begin| begin > expected.now + skew) {
        return Err(Reason::NotYetValid);
    }
    let issued = time(claims, "iat")?.ok_or(Reason::ClaimMissing)?;
    if issued > expected.now + skew {
        return Err(Reason::IssuedInFuture);
    }
    if issued + skew < expected.started {
        return Err(Reason::IssuedBeforeLogin);
    }
    Ok(())
}

/// Section 3.1.3.8. Optional in this flow, but never wrong.
fn check_access_token(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Reason> {
    if !claims.contains_key("at_hash") {
        return Ok(());
    }
    let claimed = text(claims, "at_hash")?;
    let hash = match expected.algorithm {
        Algorithm::ES384 => &SHA384,
        // Ed25519 hashes with SHA-512, and that is what providers take here.
        Algorithm::EdDSA => &SHA512,
        _ => &SHA256,
    };
    let token = expected.access_token.ok_or(Reason::AccessTokenHashWrong)?;
    let whole = digest(hash, token.as_bytes());
    let half = &whole.as_ref()[..whole.as_ref().len() / 2];
    if is_same(claimed, &URL_SAFE_NO_PAD.encode(half)) { Ok(()) } else { Err(Reason::AccessTokenHashWrong) }
}

pub(super) fn subject(claims: &Map<String, Value>) -> Result<String, Reason> {
    let subject = text(claims, "sub")?;
    let is_sound = (1..=MAX_SUBJECT_BYTES).contains(&subject.len())
        && subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if is_sound { Ok(subject.to_owned()) } else { Err(Reason::ClaimMalformed) }
}

fn email(claims: &Map<String, Value>, config: &IssuerConfig) -> Result<Address, Reason> {
    let email = text(claims, "email")?;
    // `"true"` is a string; a provider that sends it has to be set right before it is believed.
    match claims.get("email_verified") {
        Some(Value::Bool(true)) => {}
        None if !config.require_email_verified => {}
        _ => return Err(Reason::EmailUnverified),
    }
    // Unicode is mapped before addresses are compared (full-width letters to plain ones, say), and providers differ in what
    // they map. An address that a token vouches for has one spelling.
    if let Some((_, domain)) = email.rsplit_once('@')
        && !domain.is_ascii()
    {
        return Err(Reason::DomainForeign);
    }
    if !email.is_ascii() {
        return Err(Reason::EmailMalformed);
    }
    let address = Address::parse(email).map_err(|_| Reason::EmailMalformed)?;
    if config.domains.iter().any(|domain| domain == address.domain()) {
        Ok(address)
    } else {
        Err(Reason::DomainForeign)
    }
}

fn authentication_time(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Option<SystemTime>, Reason> {
    let skew = expected.config.max_clock_skew();
    let authenticated = time(claims, "auth_time")?;
    if authenticated.is_some_and(|at| at > expected.now + skew) {
        return Err(Reason::AuthenticationTimeWrong);
    }
    if let Some(seconds) = expected.config.max_authentication_age_seconds {
        let at = authenticated.ok_or(Reason::ClaimMissing)?;
        if at + Duration::from_secs(seconds) + skew < expected.started {
            return Err(Reason::AuthenticationTimeWrong);
        }
    }
    Ok(authenticated)
}

pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, Reason> {
    claims.get(name).ok_or(Reason::ClaimMissing)?.as_str().ok_or(Reason::ClaimMalformed)
}

/// One of the provider's own names for something, when it is there.
pub(super) fn optional_text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, Reason> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if (1..=MAX_SUBJECT_BYTES).contains(&text.len()) => Ok(Some(text.clone())),
        Some(_) => Err(Reason::ClaimMalformed),
    }
}

/// Whole seconds since 1970, in this era.
pub(super) fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<SystemTime>, Reason> {
    const YEAR_9999: u64 = 253_402_300_799;
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_u64().filter(|seconds| *seconds <= YEAR_9999).ok_or(Reason::ClaimMalformed)?;
    Ok(Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
}

fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

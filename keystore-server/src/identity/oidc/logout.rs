// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a signed logout token says, and whether it says it to us (OpenID Connect Back-Channel Logout 1.0, section 2.6).

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use plombe_core::keystore::fields;
use serde_json::{Map, Value};

use super::{
    IssuerConfig, Reason,
    claims::{check_audience, optional_text, subject, text, time},
    id_token::SignedClaims,
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A provider sends it at once. Older ones are somebody's recordings, and need not be remembered for longer than this.
const OLDEST: Duration = Duration::from_secs(600);

/// A provider says that a log-in there has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOut {
    /// The issuer's identifier.
    pub issuer: String,
    /// Whose log-ins, when it is said.
    pub subject: Option<String>,
    /// Which of the provider's sessions, when it is said.
    pub session: Option<String>,
    /// Hash of the token's name, which counts once, and until when it must be remembered (seconds since 1970).
    pub once: (Vec<u8>, SystemTime),
}

impl LogOut {
    pub(super) fn check(
        signed: &SignedClaims,
        config: &IssuerConfig,
        now: SystemTime,
    ) -> Result<Self, Reason> {
        let claims = &signed.0;
        if text(claims, "iss")? != config.issuer.as_str() {
            return Err(Reason::IssuerWrong);
        }
        check_audience(claims, &config.client_id)?;
        let issued = check_times(claims, config, now)?;
        // What tells it from an ID token, both ways.
        if claims.contains_key("nonce") {
            return Err(Reason::NoncePresent);
        }
        let events = claims.get("events").and_then(Value::as_object).ok_or(Reason::EventMissing)?;
        if !events.get(EVENT).is_some_and(Value::is_object) {
            return Err(Reason::EventMissing);
        }
        let session = optional_text(claims, "sid")?;
        let subject = claims.contains_key("sub").then(|| subject(claims)).transpose()?;
        if session.is_none() && subject.is_none() {
            return Err(Reason::SubjectMissing);
        }
        let issuer = config.issuer.as_str();
        let name =
            fields(&[b"plombe keystore logout token v1", issuer.as_bytes(), text(claims, "jti")?.as_bytes()]);
        // A minute more, for the clocks of other servers.
        let forget = issued + OLDEST + config.max_clock_skew() * 2 + Duration::from_secs(60);
        let once = (digest(&SHA256, &name).as_ref().to_vec(), forget);
        Ok(Self { issuer: issuer.to_owned(), subject, session, once })
    }
}

fn check_times(
    claims: &Map<String, Value>,
    config: &IssuerConfig,
    now: SystemTime,
) -> Result<SystemTime, Reason> {
    let skew = config.max_clock_skew();
    // Older providers leave it out; the age below bounds those.
    if time(claims, "exp")?.is_some_and(|end| end + skew <= now) {
        return Err(Reason::Expired);
    }
    let issued = time(claims, "iat")?.ok_or(Reason::ClaimMissing)?;
    if issued > now + skew {
        return Err(Reason::IssuedInFuture);
    }
    if issued + OLDEST + skew < now {
        return Err(Reason::IssuedLongAgo);
    }
    Ok(issued)
}

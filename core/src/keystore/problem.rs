// SPDX-License-Identifier: LGPL-2.0-or-later
//! How a keystore says no: one table of stable codes.

use serde::{Deserialize, Serialize};

/// A refusal, in the words of the API: `{code, message, hint?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{message}")]
pub struct ApiProblem {
    /// What programs act on.
    pub code: ProblemCode,
    /// What happened, for people. Holds no secret, and no more than the code where a difference would tell one.
    pub message: String,
    /// What to do next, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ApiProblem {
    /// Without a hint.
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds what to do next.
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// Why something was refused. Codes are stable; new ones may come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
            /// A code that this version does not know.
            #[serde(rename = "unknown", other)]
            Unknown,
        }

        impl ProblemCode {
            /// Every code that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As JSON spells it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown => "unknown",
                }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                    Self::Unknown => 500,
                }
            }
        }
    };
}

codes! {
    /// The request's JSON is not what the endpoint takes.
    Malformed = "malformed", 400;
    /// The body is not sealed, or not to this keystore's key.
    NotSealed = "not-sealed", 400;
    /// The request is larger than the keystore takes.
    TooLarge = "too-large", 413;
    /// The request did not arrive in time.
    TooSlow = "too-slow", 408;
    /// No such endpoint.
    NoSuchEndpoint = "no-such-endpoint", 404;
    /// The device proof is missing, wrong, stale or was used before.
    ProofInvalid = "proof-invalid", 401;
    /// The device proof has to hold the nonce from the `DPoP-Nonce` header (RFC 9449 section 8).
    NonceNeeded = "use_dpop_nonce", 401;
    /// Unknown, expired or ended session: all look alike.
    NotLoggedIn = "not-logged-in", 401;
    /// Wrong, used, expired or unknown code or identity: all look alike.
    LoginRefused = "login-refused", 401;
    /// The device waits for confirmation.
    DevicePending = "device-pending", 403;
    /// The act needs a passkey: step up, then ask again.
    StepUpNeeded = "step-up-needed", 403;
    /// The act waits for other people's consent.
    ApprovalNeeded = "approval-needed", 403;
    /// The access policy says no.
    Denied = "denied", 403;
    /// Nothing by that name that the caller may know of.
    NotFound = "not-found", 404;
    /// It exists already, or has changed since the caller looked.
    Conflict = "conflict", 409;
    /// The request id was used for something else.
    RequestIdReused = "request-id-reused", 409;
    /// The key cannot do that, or not any more.
    KeyUnusable = "key-unusable", 422;
    /// The session key does not come out. Wrong key and damage look alike on purpose.
    Unreadable = "unreadable", 422;
    /// Well-formed, but not acceptable: the message says why.
    Unacceptable = "unacceptable", 422;
    /// Too often.
    RateLimited = "rate-limited", 429;
    /// The keystore itself failed.
    Internal = "internal", 500;
    /// The keystore cannot record at the moment, so it does nothing.
    Unavailable = "unavailable", 503;
    /// The keystore was shown a newer state of its own log and serves nothing until people have looked.
    RolledBack = "rolled-back", 503;
}

#[cfg(test)]
mod tests {
    use super::{ApiProblem, ProblemCode};

    #[test]
    fn codes_are_stable_and_unique() {
        let mut seen = std::collections::HashSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.as_str()));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!((400..=599).contains(&code.status()));
        }
    }

    #[test]
    fn a_newer_code_is_read_as_unknown() {
        let problem: ApiProblem =
            serde_json::from_str(r#"{"code":"from-the-future","message":"x","more":1}"#).unwrap();
        assert_eq!(problem.code, ProblemCode::Unknown);
    }
}

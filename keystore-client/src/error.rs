// SPDX-License-Identifier: LGPL-2.0-or-later
//! Why a call did not work, by what the caller can do about it.

use plombe_core::keystore::{ApiProblem, IdentityFingerprint};

/// Why a call did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Not the address of a keystore.
    #[error(transparent)]
    Address(#[from] plombe_core::keystore::OriginError),
    /// No connection, no valid TLS certificate, or no answer in time.
    #[error("the keystore cannot be reached: {0}")]
    Unreachable(String),
    /// What answered is no keystore, or not one that this version can talk to.
    #[error("what answered there is not a keystore that this version can talk to: {0}")]
    NotAKeystore(&'static str),
    /// The keystore's keys are not the pinned ones. Nothing was sent. Only the keystore's administrator can say whether
    /// that is right.
    #[error("the keystore's keys have changed: {pinned} was pinned, {found} answered")]
    IdentityChanged {
        /// What it was at the first log-in.
        pinned: IdentityFingerprint,
        /// What answers now.
        found: IdentityFingerprint,
    },
    /// The enrolment code was made for another keystore. Nothing was sent.
    #[error("this enrolment code is for another keystore than the one that answered")]
    CodeForAnotherKeystore,
    /// The keystore said no, in a sealed reply.
    #[error("{0}")]
    Refused(ApiProblem),
    /// Something said no without the keystore's seal: the keystore before it could open the request, or something in between.
    #[error("the request was refused on its way (status {status}){}", unsealed(.problem))]
    RefusedUnsealed {
        /// HTTP status.
        status: u16,
        /// What it said, if it spoke like a keystore. Not to be believed.
        problem: Option<ApiProblem>,
    },
    /// The session has ended. Log in again.
    #[error("not logged in any more")]
    NotLoggedIn,
    /// This device waits for confirmation.
    #[error("this device is not confirmed yet")]
    DevicePending,
    /// The reply does not open, or is not one: something in between changed it.
    #[error("the keystore's reply was changed on its way, or is not from this keystore")]
    Tampered,
    /// The reply is the keystore's, but this version does not understand it.
    #[error("the keystore's answer is not understood; is this version too old?")]
    NotUnderstood,
    /// More than either side takes.
    #[error("the request is too large for the keystore")]
    TooLarge,
    /// The log does not contain what it contained before: rolled back, forked, or another log. Both notes are evidence: keep
    /// them, and tell people who do not run the keystore.
    #[error("the keystore's log contradicts what it showed before: {reason}")]
    LogContradicts {
        /// In what way.
        reason: &'static str,
        /// The checkpoint that was seen before.
        before: Option<String>,
        /// What came now.
        now: Option<String>,
    },
    /// The browser did not come back, or not with what was agreed.
    #[error("the log-in in the browser did not come to an end: {0}")]
    Browser(String),
}

impl ClientError {
    /// Stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "bad-address",
            Self::Unreachable(_) => "unreachable",
            Self::NotAKeystore(_) => "not-a-keystore",
            Self::IdentityChanged { .. } => "identity-changed",
            Self::CodeForAnotherKeystore => "code-for-another-keystore",
            Self::Refused(problem) => problem.code.as_str(),
            Self::RefusedUnsealed { .. } => "refused-unsealed",
            Self::NotLoggedIn => "not-logged-in",
            Self::DevicePending => "device-pending",
            Self::Tampered => "tampered",
            Self::NotUnderstood => "not-understood",
            Self::TooLarge => "too-large",
            Self::LogContradicts { .. } => "log-contradicts",
            Self::Browser(_) => "browser",
        }
    }
}

/// Printable ASCII of at most 200 characters: it comes from anybody, and goes to a terminal.
fn unsealed(problem: &Option<ApiProblem>) -> String {
    let Some(problem) = problem else { return String::new() };
    let plain = problem.message.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' });
    format!(": {} ({})", plain.take(200).collect::<String>(), problem.code.as_str())
}

#[cfg(test)]
mod tests {
    use plombe_core::keystore::{ApiProblem, ProblemCode};

    use super::ClientError;

    #[test]
    fn what_is_not_sealed_cannot_write_to_the_terminal() {
        let problem = ApiProblem::new(ProblemCode::Denied, format!("\x1b[2J\u{202e}{}", "x".repeat(1000)));
        let text = ClientError::RefusedUnsealed { status: 403, problem: Some(problem) }.to_string();
        assert!(text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && text.len() < 300, "{text}");
    }
}

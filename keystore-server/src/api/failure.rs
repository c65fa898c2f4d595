// SPDX-License-Identifier: LGPL-2.0-or-later
//! What goes wrong in a call, as the API says it.

use plombe_core::keystore::{ApiProblem, ProblemCode};

use crate::{access_policy::Refusal, custody::VaultError, ledger::AskError};

/// Why a call gives no answer.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    /// What the caller hears.
    pub problem: ApiProblem,
    /// The rule by which it is refused, when no entry of the log says so yet. It is counted then.
    pub unrecorded: Option<std::borrow::Cow<'static, str>>,
}

impl Failure {
    /// With a code and words.
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        ApiProblem::new(code, message).into()
    }

    /// Says by which rule, for the count.
    pub(super) fn counted(self, rule: &'static str) -> Self {
        Self { unrecorded: Some(rule.into()), ..self }
    }

    /// With advice.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { problem: self.problem.with_hint(hint), ..self }
    }
}

impl From<ApiProblem> for Failure {
    fn from(problem: ApiProblem) -> Self {
        Self { problem, unrecorded: None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { problem: refusal.to_problem(), unrecorded: Some(refusal.rule) }
    }
}

/// Whoever asks cannot do anything about it, and comes again.
pub(super) fn clock() -> Failure {
    Failure::new(ProblemCode::Unavailable, "the keystore's clock has jumped, so it does nothing")
        .hint("try again later, and tell your administrator")
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Unrecorded(refusal) => refusal.into(),
            AskError::Refused(refusal) => refusal.to_problem().into(),
            AskError::RequestIdReused => Self::new(ProblemCode::RequestIdReused, error.to_string()),
            AskError::Unavailable => {
                Self::new(ProblemCode::Unavailable, error.to_string()).hint("try again in a moment")
            }
            AskError::Clock(_) => clock(),
            AskError::Halted(_) => Self::new(ProblemCode::RolledBack, error.to_string())
                .hint("tell your administrator; nothing is served until two of them have looked"),
        }
    }
}

impl From<VaultError> for Failure {
    /// What depends on a secret looks alike; the log says more only where it does not.
    fn from(error: VaultError) -> Self {
        use plombe_core::custody::CustodyError;
        match error {
            VaultError::Custody(CustodyError::Refused | CustodyError::OtherKey) => {
                Self::new(ProblemCode::Unreadable, "this key does not open that")
            }
            VaultError::Custody(other) => Self::new(ProblemCode::KeyUnusable, other.to_string()),
            VaultError::Change(error) => Self::new(ProblemCode::Unacceptable, error.to_string()),
            VaultError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot read a key");
                Self::new(ProblemCode::Unavailable, "the keystore cannot read its database at the moment")
                    .hint("try again in a moment")
            }
            VaultError::Unreadable => {
                tracing::error!("a key in custody cannot be read");
                Self::new(ProblemCode::Internal, "the keystore cannot read this key")
                    .hint("tell your administrator")
            }
        }
    }
}

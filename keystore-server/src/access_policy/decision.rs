// SPDX-License-Identifier: LGPL-2.0-or-later
//! Yes or no, and by which rule.

use std::borrow::Cow;

use plombe_core::keystore::{ApiProblem, ProblemCode};

use crate::identity::passkey::PasskeyRefusal;

/// Yes or no.
pub type Decision = Result<Permitted, Refusal>;

/// By which rule it is permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// Stable, for the log.
    pub rule: &'static str,
}

impl Permitted {
    pub(super) fn by(rule: &'static str) -> Self {
        Self { rule }
    }
}

/// Why it is refused: exactly for the log, and as much as they may know for who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, for the log.
    pub rule: Cow<'static, str>,
    /// For who asked. Rules that differ only in what a stranger must not learn share one.
    pub problem: ProblemCode,
    /// For who asked, in words.
    pub message: Cow<'static, str>,
    /// What to do next.
    pub hint: Option<Cow<'static, str>>,
}

impl Refusal {
    /// Could anybody bring it about, who knows nothing and nobody here? Then it is counted by whoever asked, not recorded one by one.
    pub fn is_anybodys(&self) -> bool {
        [refusal::CODE_UNKNOWN.rule, refusal::IDENTITY_UNKNOWN.rule, refusal::PROOF_REPLAYED.rule]
            .contains(&&*self.rule)
    }

    /// Can it come from the same act, done before? Whoever did it and did not hear the answer gets that, and is not told that
    /// the address is taken, by themselves. Who they are and what they may was decided before these.
    pub fn may_be_ones_own_doing(&self) -> bool {
        let done = [
            refusal::ADDRESS_UNFIT,
            refusal::ALREADY_ENDED,
            refusal::EXISTS,
            refusal::IN_CUSTODY,
            refusal::KEY_REVOKED,
            refusal::NOT_FOUND,
            refusal::NOT_PENDING,
            // By the first passkey, which is asked for from then on.
            refusal::STEP_UP_NEEDED,
        ];
        done.iter().any(|done| done.rule == self.rule)
    }

    /// As the API says it.
    pub fn to_problem(&self) -> ApiProblem {
        let problem = ApiProblem::new(self.problem, self.message.clone());
        match &self.hint {
            Some(hint) => problem.with_hint(hint.clone()),
            None => problem,
        }
    }
}

impl From<PasskeyRefusal> for Refusal {
    /// Which check an answer failed at is for the log.
    fn from(refused: PasskeyRefusal) -> Self {
        Self {
            rule: Cow::Borrowed(refused.code()),
            problem: ProblemCode::Denied,
            message: Cow::Borrowed("this passkey's answer is refused"),
            hint: Some(Cow::Borrowed("try again; the keystore's log has the reason")),
        }
    }
}

/// The refusals that stand in code, each in one place.
pub mod refusal {
    use std::borrow::Cow;

    use plombe_core::keystore::ProblemCode;

    use super::Refusal;

    /// A refusal whose words do not depend on anything.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Fixed {
        /// For the log.
        pub rule: &'static str,
        problem: ProblemCode,
        message: &'static str,
        hint: &'static str,
    }

    impl From<Fixed> for Refusal {
        fn from(fixed: Fixed) -> Self {
            Self {
                rule: Cow::Borrowed(fixed.rule),
                problem: fixed.problem,
                message: Cow::Borrowed(fixed.message),
                hint: (!fixed.hint.is_empty()).then_some(Cow::Borrowed(fixed.hint)),
            }
        }
    }

    macro_rules! refusals {
        ($($(#[$doc:meta])* $name:ident = $rule:literal, $problem:ident, $message:expr, $hint:literal;)*) => {
            $($(#[$doc])* pub const $name: Fixed =
                Fixed { rule: $rule, problem: ProblemCode::$problem, message: $message, hint: $hint };)*

            /// Every refusal that stands in code.
            pub const ALL: &[Fixed] = &[$($name),*];
        };
    }

    // What a stranger hears, whatever is the matter with a session.
    const NO_SESSION: &str = "you are not logged in";
    const NO_LOG_IN: &str = "this log-in is refused";
    const NOTHING_THERE: &str = "there is nothing by that name";
    const NOT_ALLOWED: &str = "you may not do this";
    const NO_CHALLENGE: &str = "an address is not proven by mail like this";

    refusals! {
        /// No session.
        NOT_LOGGED_IN = "no-session", NotLoggedIn, NO_SESSION, "log in again: `plombe login`";
        /// The session ran out.
        SESSION_EXPIRED = "session-expired", NotLoggedIn, NO_SESSION, "log in again: `plombe login`";
        /// The proof is by another key than the session's.
        WRONG_DEVICE_KEY = "session-of-another-device", NotLoggedIn, NO_SESSION, "log in again: `plombe login`";
        /// The device was cut off.
        DEVICE_REVOKED = "device-revoked", NotLoggedIn, NO_SESSION, "log in again: `plombe login`";
        /// Suspended, or ended.
        PRINCIPAL_NOT_ACTIVE = "principal-not-active", NotLoggedIn, NO_SESSION, "log in again: `plombe login`";
        /// The device waits for its owner.
        DEVICE_PENDING = "device-pending", DevicePending,
            "this device is not confirmed, so it uses no keys",
            "confirm it on a device that you use already: `plombe devices confirm`; or here, with your passkey: `plombe devices confirm --passkey`, or your recovery code: `plombe recover`";
        /// The same proof came twice.
        PROOF_REPLAYED = "proof-replayed", ProofInvalid, "this device proof was used before", "";
        /// Unknown, used or expired code.
        CODE_UNKNOWN = "code-unknown", LoginRefused, NO_LOG_IN, "ask your administrator for a new code";
        /// The code's time is over.
        CODE_EXPIRED = "code-expired", LoginRefused, NO_LOG_IN, "ask your administrator for a new code";
        /// Whom the code lets in is suspended or gone.
        CODE_OF_INACTIVE = "code-of-inactive-principal", LoginRefused, NO_LOG_IN,
            "ask your administrator for a new code";
        /// The device key belongs to somebody else.
        DEVICE_OF_ANOTHER = "device-of-another", LoginRefused, NO_LOG_IN,
            "log in with a new device key: `plombe logout --forget-everything`, then `plombe login`";
        /// What the identity provider said did not pass the checks.
        IDENTITY_REFUSED = "identity-refused", LoginRefused, NO_LOG_IN, "log in again: `plombe login`";
        /// Nobody here has that address.
        IDENTITY_UNKNOWN = "identity-unknown", LoginRefused, NO_LOG_IN, "ask your administrator to add you";
        /// Whom the provider means is suspended or gone.
        IDENTITY_OF_INACTIVE = "identity-of-inactive-principal", LoginRefused, NO_LOG_IN,
            "ask your administrator to add you";
        /// Whom the provider means is of another tenant than the provider.
        IDENTITY_OF_OTHER_TENANT = "identity-of-another-tenant", LoginRefused, NO_LOG_IN,
            "ask your administrator to add you";
        /// The address belongs to somebody whom the provider knows by another subject.
        IDENTITY_CHANGED = "identity-changed", LoginRefused, NO_LOG_IN, "ask your administrator to add you";
        /// Log-ins are not for who is logged in; the keystore's own entries are nobody else's.
        NOT_FOR_DEVICES = "not-for-devices", Denied, NOT_ALLOWED, "";
        /// Nothing there, or nothing that the caller may know of.
        NOT_FOUND = "not-found", NotFound, NOTHING_THERE, "";
        /// Only pending devices are confirmed.
        NOT_PENDING = "not-pending", Conflict, "this device does not wait for confirmation", "";
        /// The device's key is not the one that was compared.
        OTHER_THUMBPRINT = "other-thumbprint", Conflict, "this is not the device that you compared",
            "compare the six words again";
        /// No code was set, or it is another.
        RECOVERY_WRONG = "recovery-wrong", Denied, "this recovery code is not the right one", "";
        /// A passkey has to be shown first.
        STEP_UP_NEEDED = "step-up-needed", StepUpNeeded, "this needs your passkey",
            "`plombe` asks for it in your browser; other programs may not";
        /// There is none to show.
        PASSKEY_MISSING = "passkey-missing", Denied, "you have no passkey here", "add one: `plombe passkey add`";
        /// The configuration wants administrators to have one.
        PASSKEY_REQUIRED = "passkey-required", Denied, "administrators need a passkey here",
            "add one: `plombe passkey add`";
        /// Twenty are more than anybody needs.
        TOO_MANY_PASSKEYS = "too-many-passkeys", Unacceptable, "you have twenty passkeys already",
            "remove one: `plombe passkey remove`";
        /// Somebody else's key.
        KEY_NOT_YOURS = "key-not-yours", NotFound, NOTHING_THERE, "";
        /// There is a grant, for something else or for another time.
        GRANT_DOES_NOT_COVER = "grant-does-not-cover", Denied, "the grant that you hold does not cover this",
            "ask the key's owner";
        /// A revoked key signs nothing.
        KEY_REVOKED = "key-revoked", KeyUnusable, "this key was revoked", "make a new one: `plombe key generate`";
        /// Not a key that unwraps or signs.
        SUBKEY_UNFIT = "subkey-unfit", KeyUnusable, "this key cannot do that", "";
        /// Of what a client could have signed as a digest, only documents are: a binding or a revocation is a named operation.
        SIGNATURE_TYPE = "signature-type", Unacceptable, "only documents are signed: types 0 and 1", "";
        /// Keys are for people; admins, auditors and gateways have none of their own by being that.
        NO_KEYS_FOR_ROLE = "no-keys-for-role", Denied, "your role has no keys of its own", "";
        /// A user ID that is not the caller's.
        ADDRESS_NOT_YOURS = "address-not-yours", Denied, "this address is not yours here",
            "ask your administrator to add it to you";
        /// Revocations may be among what is lost.
        HISTORY_LOST = "history-lost", RolledBack,
            "this keystore lacks history that it has signed, so it serves nothing until two administrators have acknowledged that",
            "tell your administrators; they run `plombe audit acknowledge-lost-history`";
        /// Until then, what is signed now could pass for what was lost.
        LOSS_IN_FUTURE = "loss-in-future", Conflict,
            "what is lost was signed later than the clock is now", "set the server's clock right, or wait";
        /// Somebody else can say it.
        SEVERAL_ADMINS = "several-admins", Denied, "this organisation has more than one administrator",
            "a second one says so: `plombe audit acknowledge-lost-history`";
        /// Each has to say so themselves, of what they have seen.
        ACKNOWLEDGE_ONESELF = "acknowledge-oneself", Unacceptable,
            "a loss is acknowledged by naming it", "`plombe audit acknowledge-lost-history`";
        /// Looser rules are for two.
        RULES_NEED_CONSENT = "rules-need-consent", ApprovalNeeded,
            "not every rule that is in force stays, so another administrator has to agree, and there is a delay",
            "ask for it: `plombe rules apply` with --reason";
        /// Somebody else changed them.
        RULES_CHANGED_MEANWHILE = "rules-changed-meanwhile", Conflict, "the rules were changed meanwhile",
            "look at them: `plombe rules show`";
        /// Two changes of one key at once.
        KEY_CHANGED_MEANWHILE = "key-changed-meanwhile", Conflict, "this key was changed meanwhile", "try again";
        /// Another device has put a newer backup.
        BACKUP_CHANGED_MEANWHILE = "backup-changed-meanwhile", Conflict, "there is another backup than the one you replace",
            "fetch it first";
        /// Ten keys are more than anybody needs.
        TOO_MANY_BACKUPS = "too-many-backups", Unacceptable, "you have ten backups already", "";
        /// The directory has it from the keystore's own hands.
        IN_CUSTODY = "in-custody", Conflict, "this key is in the keystore, and so is its certificate",
            "`plombe key find` shows what the directory says";
        /// Somebody else's published certificate.
        CERTIFICATE_OF_ANOTHER = "certificate-of-another", Conflict, "this certificate was published by somebody else", "";
        /// Ten are more than anybody needs.
        TOO_MANY_CERTIFICATES = "too-many-certificates", Unacceptable, "you have published ten certificates already",
            "withdraw one: `plombe key withdraw`";
        /// No tenant has that domain.
        CHALLENGE_ELSEWHERE = "challenge-elsewhere", Denied, NO_CHALLENGE, "";
        /// A principal's mailbox: they log in and publish.
        CHALLENGE_OF_PRINCIPAL = "challenge-of-principal", Denied, NO_CHALLENGE, "";
        /// There is one already, and nothing replaces it from outside.
        CHALLENGE_ADDRESS_TAKEN = "challenge-address-taken", Denied, NO_CHALLENGE, "";
        /// A principal's key is shown by its owner alone.
        CHALLENGE_KEY_OF_PRINCIPAL = "challenge-key-of-principal", Denied, NO_CHALLENGE, "";
        /// Enough mail for one address, or for everybody, for a day.
        CHALLENGE_TOO_MANY = "challenge-too-many", RateLimited, NO_CHALLENGE, "";
        /// A token that is made up, used or old.
        CHALLENGE_UNKNOWN = "challenge-unknown", NotFound, NO_CHALLENGE, "";
        /// It ends nothing that has not ended.
        NOTHING_TO_REVOKE = "nothing-to-revoke", NotFound, NO_CHALLENGE, "";
        /// Off unless the owner allows it, on the device itself.
        RAW_NOT_ALLOWED = "raw-not-allowed", Denied, "raw use of this key is not allowed to this device",
            "its owner allows it there: `plombe agent allow-raw-decryption-by-unmodified-programs`";
        /// A week at most.
        RAW_UNBOUNDED = "raw-unbounded", Unacceptable, "raw use is allowed for a week at most", "";
        /// Grants have a bounded time and never cover certifying or raw use.
        GRANT_UNBOUNDED = "grant-unbounded", Unacceptable,
            "a grant covers unwrapping or signing, and ends within a year", "";
        /// Only admins.
        ADMINS_ONLY = "admins-only", Denied, NOT_ALLOWED, "ask an administrator";
        /// Only auditors.
        AUDITORS_ONLY = "auditors-only", Denied, NOT_ALLOWED, "ask an auditor";
        /// After the first two admins, more need the consent of others.
        ADMINS_NEED_CONSENT = "admins-need-consent", ApprovalNeeded,
            "a further administrator needs the consent of another one, and a delay",
            "add them without that role, then ask for it: `plombe approvals request-admin`";
        /// Nobody else agreed yet, or whoever did does not count any more, or it is too early.
        CONSENT_MISSING = "consent-missing", ApprovalNeeded, "this waits for another administrator, or for its time",
            "`plombe approvals list` says for which";
        /// What one asked for is not for another to do.
        CONSENT_OF_ANOTHER = "consent-of-another", Denied, NOT_ALLOWED, "only who asked for it does it";
        /// An administrator since a short while only.
        ADMIN_TOO_NEW = "admin-too-new", Denied, "you have not been an administrator for long enough",
            "ask another one, or wait";
        /// A day at most.
        BREAK_GLASS_UNBOUNDED = "break-glass-unbounded", Unacceptable, "a key is opened for 24 hours at most", "";
        /// Nobody signs in somebody's name, however many agree.
        BREAK_GLASS_ONLY_UNWRAPS = "break-glass-only-unwraps", Unacceptable, "only unwrapping is given this way", "";
        /// Admins do not change their own standing.
        NOT_ONESELF = "not-oneself", Denied, "this takes another administrator than the one whom it is about or who asked for it", "ask another one";
        /// Outside of the tenant's domains, or somebody else's already.
        ADDRESS_UNFIT = "address-unfit", Unacceptable,
            "an address must be in a domain of your organisation, and nobody else's", "";
        /// What has ended stays so.
        ALREADY_ENDED = "already-ended", Conflict, "this has ended", "";
        /// There is one by that name.
        EXISTS = "exists", Conflict, "this is here already", "";
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, refusal};

    #[test]
    fn rules_have_names_of_their_own() {
        let mut seen = std::collections::HashSet::new();
        for fixed in refusal::ALL {
            assert!(seen.insert(fixed.rule), "{}", fixed.rule);
        }
    }

    #[test]
    fn a_stranger_cannot_tell_what_is_the_matter_with_a_session() {
        let outside = |fixed: refusal::Fixed| Refusal::from(fixed).to_problem();
        for fixed in [
            refusal::SESSION_EXPIRED,
            refusal::WRONG_DEVICE_KEY,
            refusal::DEVICE_REVOKED,
            refusal::PRINCIPAL_NOT_ACTIVE,
        ] {
            assert_eq!(outside(fixed), outside(refusal::NOT_LOGGED_IN));
        }
        assert_eq!(outside(refusal::KEY_NOT_YOURS), outside(refusal::NOT_FOUND));
    }
}

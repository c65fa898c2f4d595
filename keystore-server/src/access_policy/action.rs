// SPDX-License-Identifier: LGPL-2.0-or-later
//! What can be asked: the part of a call that access policy and log look at.

use std::collections::BTreeSet;

use plombe_core::keystore::{
    ApprovalId, DeviceId, GrantId, KeyFingerprint, PasskeyId, PrincipalId,
    access_rules::AccessRules,
    calls::{
        custody::SignatureClaim, grants::KeyUse, history, login::Role, principals::PrincipalState,
        revoke::Target,
    },
};
use plombe_core::log::{TreeHead, entry::About};

use crate::{
    ledger::Halt,
    registry::{Purpose, Wanted},
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The keystore comes into being.
    SetUp,
    /// Records are sealed under the tenant's new key.
    RenewSealing,
    /// Nothing happened, and that is on record.
    Heartbeat,
    /// Requests by nobody in particular that were refused, counted.
    CountRefusals {
        /// Code of the refusal.
        reason: String,
        /// How many.
        count: u64,
    },
    /// Somebody showed history that was signed here and is not there.
    ShowLoss {
        /// Its end.
        lost: TreeHead,
        /// In what way it does not fit.
        halt: Halt,
    },
    /// An administrator goes on without it.
    AcknowledgeLoss {
        /// Its end, as it was shown.
        lost: TreeHead,
        /// When that was.
        shown_at: u64,
        /// Why.
        reason: String,
        /// How long somebody must have been an administrator to count, in seconds.
        seniority: u64,
    },
    /// With an enrolment code.
    LogInWithCode {
        /// SHA-256 of its secret.
        hash: [u8; 32],
    },
    /// With what an identity provider says.
    LogInWithIdentity {
        /// Who says so.
        issuer: String,
        /// Whom it means.
        subject: String,
        /// Their verified address.
        address: String,
    },
    /// A new value for a session.
    RenewSession,
    /// The end of a session.
    LogOut,
    /// An identity provider says that a log-in there has ended.
    LogOutByProvider {
        /// Who says so.
        issuer: String,
        /// Whom it means, when it says.
        subject: Option<String>,
        /// Its own session, when it says.
        session: Option<String>,
    },
    /// A further organisation.
    AddTenant {
        /// Its name.
        name: String,
        /// Its domains.
        domains: Vec<String>,
    },
    /// A device becomes one of the principal's.
    ConfirmDevice {
        /// Which.
        device: DeviceId,
    },
    /// The principal's recovery code is replaced.
    SetRecoveryCode,
    /// The asking device is confirmed by the recovery code.
    Recover,
    /// A passkey is shown, for something.
    StepUp {
        /// For what.
        purpose: Purpose,
    },
    /// One more passkey.
    AddPasskey,
    /// One passkey less.
    RemovePasskey {
        /// Which.
        passkey: PasskeyId,
        /// With the recovery code, in place of a passkey.
        by_recovery: bool,
    },
    /// The asking device is confirmed by a passkey.
    ConfirmByPasskey,
    /// A TSK is made in the keystore.
    GenerateKey {
        /// Addresses in its user IDs.
        addresses: Vec<String>,
    },
    /// A TSK that was made elsewhere comes into custody.
    ImportKey {
        /// Which.
        key: KeyFingerprint,
        /// Addresses in its user IDs.
        addresses: Vec<String>,
    },
    /// One session key comes out of its wrapping.
    Unwrap {
        /// With which key.
        key: KeyFingerprint,
    },
    /// One digest is signed.
    Sign {
        /// With which key.
        key: KeyFingerprint,
        /// With which of its subkeys.
        subkey: KeyFingerprint,
        /// What the client says of the signature.
        claim: SignatureClaim,
    },
    /// The key that certifies is used.
    ChangeKey {
        /// Which.
        key: KeyFingerprint,
        /// For what.
        how: KeyChange,
        /// With what, in words.
        note: String,
    },
    /// What was changed with the key that certifies is put in the key's place.
    KeepChangedKey {
        /// Which.
        key: KeyFingerprint,
        /// What was done.
        how: KeyChange,
    },
    /// The backup of a key that stays on its owner's devices is stored.
    PutBackup {
        /// Of which.
        key: KeyFingerprint,
    },
    /// It is fetched.
    FetchBackup {
        /// Of which.
        key: KeyFingerprint,
    },
    /// The certificate of a key that is elsewhere comes into the directory.
    PublishCertificate {
        /// Which.
        key: KeyFingerprint,
        /// For which of the owner's addresses; when it has none of them, for whose.
        addresses: Vec<String>,
    },
    /// It goes out.
    WithdrawCertificate {
        /// Which.
        key: KeyFingerprint,
    },
    /// Somebody who uploaded a certificate is asked by mail whether they read an address's mail.
    SendChallenge {
        /// Which certificate.
        key: KeyFingerprint,
        /// Which address.
        address: String,
    },
    /// That mail could not be sent.
    ChallengeFailed {
        /// Of which certificate.
        key: KeyFingerprint,
        /// To which address.
        address: String,
    },
    /// They do, so the certificate comes into the directory for that address.
    ConfirmAddress {
        /// Which certificate.
        key: KeyFingerprint,
        /// Which address.
        address: String,
    },
    /// A certificate that was proven by mail ends, because its own revocation was uploaded.
    RevokeByUpload {
        /// Which.
        key: KeyFingerprint,
    },
    /// The asking device may use its owner's key in the raw.
    AllowRaw {
        /// Which.
        key: KeyFingerprint,
        /// For so long.
        seconds: u64,
    },
    /// No device may any longer.
    ForbidRaw {
        /// Which.
        key: KeyFingerprint,
    },
    /// A point is multiplied.
    SharePoint {
        /// With which key.
        key: KeyFingerprint,
        /// With which of its subkeys.
        subkey: KeyFingerprint,
    },
    /// Somebody else may use a key.
    GiveGrant {
        /// Which.
        key: KeyFingerprint,
        /// Who.
        to: PrincipalId,
        /// For what.
        uses: BTreeSet<KeyUse>,
        /// Until when, seconds since 1970.
        expires: u64,
    },
    /// They may no longer.
    EndGrant {
        /// Which.
        grant: GrantId,
    },
    /// Something and what is derived from it ends.
    Revoke {
        /// What.
        target: Target,
        /// Why; may be empty.
        reason: String,
    },
    /// Somebody new.
    CreatePrincipal {
        /// Addresses they get.
        addresses: Vec<String>,
        /// What they are.
        roles: BTreeSet<Role>,
    },
    /// Suspended, or let go on.
    SetPrincipalState {
        /// Who.
        principal: PrincipalId,
        /// To what.
        state: PrincipalState,
    },
    /// What somebody may be.
    SetRoles {
        /// Who.
        principal: PrincipalId,
        /// To what.
        roles: BTreeSet<Role>,
    },
    /// An enrolment code is made.
    CreateCode {
        /// For whom.
        principal: PrincipalId,
    },
    /// Something is asked for that one alone must not do.
    AskConsent {
        /// What.
        wanted: Wanted,
        /// For which uses, where it is a key.
        uses: BTreeSet<KeyUse>,
        /// Why.
        reason: String,
        /// How long somebody must have been an administrator to count, in seconds.
        seniority: u64,
    },
    /// It is agreed to, or not.
    AnswerConsent {
        /// To what.
        approval: ApprovalId,
        /// Yes?
        yes: bool,
    },
    /// One session key comes out of its wrapping, without the key's owner.
    BreakGlass {
        /// By which consent.
        approval: ApprovalId,
        /// With which key.
        key: KeyFingerprint,
    },
    /// The organisation's own rules are changed.
    SetRules {
        /// The version that they replace.
        replaces: u64,
        /// All of them.
        rules: AccessRules,
    },
    /// All of the tenant's log is read.
    ReadLog,
}

/// Which rules there are, for the log.
fn names(rules: &AccessRules) -> String {
    match &rules.rules[..] {
        [] => "no rules".to_owned(),
        some => some.iter().map(|rule| &rule.id[..]).collect::<Vec<_>>().join(", "),
    }
}

/// Named operations with the key that certifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// Vouch for somebody else's user IDs.
    Certify,
    /// New subkeys.
    Rotate,
    /// Another expiry.
    Expire,
    /// An end to all or part of it.
    Revoke,
    /// One more user ID.
    AddUserId,
}

impl Action {
    /// Its name in the log. Stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SetUp => "set-up",
            Self::RenewSealing => "renew-sealing",
            Self::Heartbeat => "heartbeat",
            Self::CountRefusals { .. } => "refused-anonymous",
            Self::ShowLoss { .. } => "history-lost",
            Self::AcknowledgeLoss { .. } => "acknowledge-loss",
            Self::LogInWithCode { .. } => "log-in-with-code",
            Self::LogInWithIdentity { .. } => "log-in-with-identity",
            Self::RenewSession => "renew-session",
            Self::LogOut => "log-out",
            Self::LogOutByProvider { .. } => "log-out-by-provider",
            Self::AddTenant { .. } => "add-tenant",
            Self::ConfirmDevice { .. } => "confirm-device",
            Self::SetRecoveryCode => "set-recovery-code",
            Self::Recover => "recover",
            Self::StepUp { .. } => "step-up",
            Self::AddPasskey => "add-passkey",
            Self::RemovePasskey { .. } => "remove-passkey",
            Self::ConfirmByPasskey => "confirm-by-passkey",
            Self::GenerateKey { .. } => "generate-key",
            Self::ImportKey { .. } => "import-key",
            Self::Unwrap { .. } => "unwrap",
            Self::Sign { .. } => "sign",
            Self::ChangeKey { how: KeyChange::Certify, .. } => "certify",
            Self::ChangeKey { how: KeyChange::Rotate, .. } => "rotate-key",
            Self::ChangeKey { how: KeyChange::Expire, .. } => "expire-key",
            Self::ChangeKey { how: KeyChange::Revoke, .. } => "revoke-key",
            Self::ChangeKey { how: KeyChange::AddUserId, .. } => "add-user-id",
            Self::KeepChangedKey { .. } => "key-changed",
            Self::PutBackup { .. } => "put-backup",
            Self::FetchBackup { .. } => "fetch-backup",
            Self::PublishCertificate { .. } => "publish-certificate",
            Self::WithdrawCertificate { .. } => "withdraw-certificate",
            Self::SendChallenge { .. } => "challenge-mail",
            Self::ChallengeFailed { .. } => "challenge-mail-failed",
            Self::ConfirmAddress { .. } => "confirm-address",
            Self::RevokeByUpload { .. } => "revoke-by-upload",
            Self::AllowRaw { .. } => "allow-raw-use",
            Self::ForbidRaw { .. } => "forbid-raw-use",
            Self::SharePoint { .. } => "raw-share-point",
            Self::GiveGrant { .. } => "give-grant",
            Self::EndGrant { .. } => "end-grant",
            Self::Revoke { .. } => "revoke",
            Self::CreatePrincipal { .. } => "create-principal",
            Self::SetPrincipalState { .. } => "set-principal-state",
            Self::SetRoles { .. } => "set-roles",
            Self::CreateCode { .. } => "create-code",
            Self::AskConsent { wanted: Wanted::Admin { .. }, .. } => "request-admin",
            Self::AskConsent { wanted: Wanted::BreakGlass { .. }, .. } => "request-break-glass",
            Self::AskConsent { wanted: Wanted::Rules { .. }, .. } => "request-rules",
            Self::AskConsent { wanted: Wanted::Restored { .. }, .. } => "request-acknowledgement",
            Self::AnswerConsent { yes: true, .. } => "consent",
            Self::AnswerConsent { yes: false, .. } => "refuse-consent",
            Self::BreakGlass { .. } => "break-glass",
            Self::SetRules { .. } => "set-rules",
            Self::ReadLog => "read-log",
        }
    }

    /// The key in custody that it is about.
    pub fn key(&self) -> Option<&KeyFingerprint> {
        match self {
            Self::ImportKey { key, .. }
            | Self::Unwrap { key }
            | Self::BreakGlass { key, .. }
            | Self::AskConsent { wanted: Wanted::BreakGlass { key, .. }, .. }
            | Self::Sign { key, .. }
            | Self::ChangeKey { key, .. }
            | Self::KeepChangedKey { key, .. }
            | Self::AllowRaw { key, .. }
            | Self::ForbidRaw { key }
            | Self::SharePoint { key, .. }
            | Self::GiveGrant { key, .. } => Some(key),
            _ => None,
        }
    }

    /// What the log says that it is about.
    pub fn about(&self) -> About {
        let about = About { key: self.key().cloned(), ..About::default() };
        let listed = |addresses: &[String]| Some(addresses.join(", "));
        let words = |roles: &BTreeSet<Role>| {
            roles.iter().map(|role| format!("{role:?}")).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::CountRefusals { reason, count } => {
                About { note: Some(format!("{reason}: {count}")), ..about }
            }
            Self::ShowLoss { lost, halt } => {
                About { note: Some(format!("{}: {}", history::name_of(lost), halt.code())), ..about }
            }
            Self::SetRules { replaces, rules } => {
                About { note: Some(format!("version {}: {}", replaces + 1, names(rules))), ..about }
            }
            Self::AskConsent { wanted: Wanted::Rules { rules }, reason, .. } => {
                About { note: Some(format!("{}: {reason}", names(rules))), ..about }
            }
            Self::AcknowledgeLoss { lost, shown_at, reason, .. } => {
                About { note: Some(format!("{}: {reason}", history::extent_of(lost, *shown_at))), ..about }
            }
            Self::LogInWithIdentity { issuer, address, .. } => {
                About { note: Some(format!("{address} by {issuer}")), ..about }
            }
            Self::LogOutByProvider { issuer, .. } => About { note: Some(format!("by {issuer}")), ..about },
            Self::AddTenant { name, domains } => {
                About { note: Some(format!("{name}: {}", domains.join(", "))), ..about }
            }
            Self::StepUp { purpose } => About { note: Some(purpose.code().to_owned()), ..about },
            Self::RemovePasskey { passkey, .. } => About { note: Some(passkey.to_string()), ..about },
            Self::ConfirmDevice { device } => About { device: Some(*device), ..about },
            Self::GenerateKey { addresses } | Self::ImportKey { addresses, .. } => {
                About { note: listed(addresses), ..about }
            }
            Self::AllowRaw { seconds, .. } => About { note: Some(format!("for {seconds} seconds")), ..about },
            Self::Sign { subkey, .. } | Self::SharePoint { subkey, .. } => {
                About { subkey: Some(subkey.clone()), ..about }
            }
            Self::AskConsent { wanted: Wanted::Admin { principal, roles }, reason, .. } => About {
                principal: Some(*principal),
                note: Some(format!("{}: {reason}", words(roles))),
                ..about
            },
            Self::AskConsent { wanted: Wanted::BreakGlass { seconds, .. }, reason, .. } => {
                About { note: Some(format!("for {seconds} seconds: {reason}")), ..about }
            }
            Self::AnswerConsent { approval, .. } | Self::BreakGlass { approval, .. } => {
                About { approval: Some(*approval), ..about }
            }
            Self::PutBackup { key } | Self::FetchBackup { key } | Self::WithdrawCertificate { key } => {
                About { key: Some(key.clone()), ..about }
            }
            Self::SendChallenge { key, address }
            | Self::ChallengeFailed { key, address }
            | Self::ConfirmAddress { key, address } => {
                About { key: Some(key.clone()), note: Some(address.clone()), ..about }
            }
            Self::RevokeByUpload { key } => About { key: Some(key.clone()), ..about },
            Self::PublishCertificate { key, addresses } => {
                About { key: Some(key.clone()), note: listed(addresses), ..about }
            }
            Self::ChangeKey { note, .. } if !note.is_empty() => About { note: Some(note.clone()), ..about },
            Self::GiveGrant { to, uses, expires, .. } => {
                About { principal: Some(*to), note: Some(format!("{uses:?} until {expires}")), ..about }
            }
            Self::EndGrant { grant } => About { grant: Some(*grant), ..about },
            Self::Revoke { target, reason } => {
                let about = About { note: (!reason.is_empty()).then(|| reason.clone()), ..about };
                match target {
                    Target::Principal(principal) => About { principal: Some(*principal), ..about },
                    Target::Device(device) => About { device: Some(*device), ..about },
                    Target::Session(session) => About { session: Some(*session), ..about },
                }
            }
            Self::CreatePrincipal { addresses, roles } => {
                About { note: Some(format!("{} as {}", addresses.join(", "), words(roles))), ..about }
            }
            Self::SetPrincipalState { principal, state } => {
                About { principal: Some(*principal), note: Some(format!("{state:?}")), ..about }
            }
            Self::SetRoles { principal, roles } => {
                About { principal: Some(*principal), note: Some(words(roles)), ..about }
            }
            Self::CreateCode { principal } => About { principal: Some(*principal), ..about },
            _ => about,
        }
    }

    /// Is it asked for by somebody whom nobody knows, without a device?
    pub fn is_from_outside(&self) -> bool {
        matches!(self, Self::SendChallenge { .. } | Self::ConfirmAddress { .. } | Self::RevokeByUpload { .. })
    }

    /// What a device that nobody confirmed may do: see to its own session, and be confirmed.
    pub(super) fn is_for_pending_devices(&self) -> bool {
        matches!(
            self,
            Self::RenewSession
                | Self::LogOut
                | Self::Recover
                | Self::StepUp { purpose: Purpose::ThisDevice }
                | Self::ConfirmByPasskey
        )
    }
}

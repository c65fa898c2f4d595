// SPDX-License-Identifier: LGPL-2.0-or-later
//! What can be asked of a keystore. One type per call, its answer beside it, files by noun.
//!
//! Every call is a `POST` of a sealed [`Request`] to [`Call::PATH`]; reads too, so that nothing in between sees what was
//! read. Times are whole seconds since 1970. Requests with unknown members are refused; answers may gain members.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::RequestId;

pub mod approvals;
pub mod audit;
pub mod backup;
pub mod certificates;
pub mod custody;
pub mod devices;
pub mod directory;
pub mod grants;
pub mod history;
pub mod keys;
pub mod login;
pub mod passkeys;
pub mod principals;
pub mod raw;
pub mod recovery;
pub mod revoke;
pub mod rules;
pub mod session;

/// One thing that can be asked.
pub trait Call: Serialize + DeserializeOwned {
    /// Path under the keystore's origin.
    const PATH: &'static str;
    /// What the caller has to show.
    const ACCESS: Access = Access::Session;
    /// Is the same request sent again the same operation? Only log-ins, whose codes work once, are not.
    const REPEATABLE: bool = true;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned;
}

/// What a caller has to show. What the caller *may do* is the access policy's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A proof by a device key that need not be known yet.
    LogIn,
    /// A session token, which may be older than its ten minutes but not than its log-in allows, and a proof by its device key.
    Renewal,
    /// A valid session token and a proof by its device key.
    Session,
}

/// What is sealed: the call, and what every call carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request<C> {
    /// The same id with the same call is the same operation, however often it arrives.
    pub request_id: RequestId,
    /// The newest checkpoint that this client holds. A keystore that does not extend it has been rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// What is asked.
    pub call: C,
}

/// Nothing to say but yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {}

macro_rules! calls {
    ($($call:ty => $path:literal, $answer:ty;)*) => {$(
        impl $crate::keystore::calls::Call for $call {
            const PATH: &'static str = $path;
            type Answer = $answer;
        }
    )*};
}
use calls;

macro_rules! all_paths {
    ($($call:ty),* $(,)?) => {
        /// Every call's path and what it asks a caller to show: a keystore that misses one does not build its router.
        pub const ALL: &[(&str, Access)] = &[$((<$call as Call>::PATH, <$call as Call>::ACCESS)),*];
    };
}

all_paths! {
    login::LoginWithCode, login::OidcStart, login::OidcFinish,
    session::RenewSession, session::LogOut, session::WhoAmI,
    devices::ListDevices, devices::ConfirmDevice,
    recovery::SetRecoveryCode, recovery::Recover,
    passkeys::StartPasskey, passkeys::AddPasskey, passkeys::ListPasskeys, passkeys::RemovePasskey,
    passkeys::StartStepUp, passkeys::FinishStepUp, passkeys::ConfirmByPasskey,
    keys::GenerateKey, keys::ImportKey, keys::ListKeys,
    custody::Unwrap, custody::SignDigest,
    certificates::CertifyUserIds, certificates::RotateSubkeys, certificates::SetExpiry, certificates::RevokeKey,
    certificates::AddUserId,
    backup::PutBackup, backup::FetchBackup, backup::ListBackups,
    raw::AllowRaw, raw::ForbidRaw, raw::SharePoint,
    directory::PublishCertificate, directory::WithdrawCertificate, directory::ListPublished,
    grants::ListGrants, grants::GiveGrant, grants::EndGrant,
    approvals::ListApprovals, approvals::RequestAdmin, approvals::Approve, approvals::RequestBreakGlass,
    approvals::BreakGlassUnwrap,
    audit::ListEntries, audit::ProveConsistency, history::LostHistory, history::AcknowledgeLoss,
    rules::ShowRules, rules::SetRules, rules::RequestRules,
    principals::CreatePrincipal, principals::ListPrincipals, principals::SetPrincipalState, principals::SetRoles,
    principals::CreateCode,
    revoke::Revoke,
}

#[cfg(test)]
mod tests {
    use super::{ALL, Access, Call, Request, session::WhoAmI};
    use crate::keystore::ProblemCode;

    #[test]
    fn every_call_has_a_path_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for (path, _) in ALL {
            assert!(path.starts_with("/v1/") && seen.insert(path), "{path}");
        }
    }

    #[test]
    fn the_protocols_description_names_every_call_and_every_refusal() {
        const DESCRIPTION: &str = include_str!("../../../../docs/keystore-protocol.md");
        let codes = ProblemCode::ALL.iter().map(|code| code.as_str());
        for word in ALL.iter().map(|(path, _)| *path).chain(codes) {
            assert!(DESCRIPTION.contains(&format!("`{word}`")), "{word}");
        }
    }

    #[test]
    fn only_log_ins_go_without_a_session() {
        let open = ALL.iter().filter(|(_, access)| *access == Access::LogIn).map(|(path, _)| *path);
        assert_eq!(
            open.collect::<Vec<_>>(),
            ["/v1/login/code", "/v1/login/oidc/start", "/v1/login/oidc/finish"]
        );
    }

    #[test]
    fn unknown_members_of_a_request_are_refused() {
        let sound = r#"{"request_id":"0f8fad5b-d9cb-469f-a165-70867728950e","call":{}}"#;
        assert!(serde_json::from_str::<Request<WhoAmI>>(sound).is_ok());
        for wrong in [sound.replace("{}", r#"{"x":1}"#), sound.replace("\"call\"", "\"x\":1,\"call\"")] {
            assert!(serde_json::from_str::<Request<WhoAmI>>(&wrong).is_err(), "{wrong}");
        }
        assert_eq!(WhoAmI::PATH, "/v1/whoami");
    }
}

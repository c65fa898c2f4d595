// SPDX-License-Identifier: LGPL-2.0-or-later
//! Tenant A with somebody in every role, and tenant B.

use std::time::SystemTime;

use plombe_client::{DeviceKey, Session};
use plombe_core::{
    cert::{Certificate, Profile as CertProfile, Tsk},
    keystore::{
        PrincipalId,
        calls::{
            grants::{GiveGrant, KeyUse},
            keys::{GenerateKey, KeyInfo, Profile},
            login::Role,
            revoke::{Revoke, Target},
        },
    },
};

use crate::{server::Server, wire::Caller};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// A device key, no session.
    Nobody,
    /// Alice. What is asked about is hers.
    Owner,
    /// A colleague of hers.
    User,
    /// Who was granted use of her keys.
    Delegate,
    /// A program that was.
    Gateway,
    Auditor,
    Admin,
    /// A new device of Alice's.
    Pending,
    /// An old one that was cut off.
    Revoked,
    BUser,
    BAdmin,
}

impl Column {
    pub(crate) const ALL: [Self; 11] = [
        Self::Nobody,
        Self::Owner,
        Self::User,
        Self::Delegate,
        Self::Gateway,
        Self::Auditor,
        Self::Admin,
        Self::Pending,
        Self::Revoked,
        Self::BUser,
        Self::BAdmin,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Owner => "owner",
            Self::User => "user",
            Self::Delegate => "delegate",
            Self::Gateway => "gateway",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Pending => "pending",
            Self::Revoked => "revoked",
            Self::BUser => "b-user",
            Self::BAdmin => "b-admin",
        }
    }
}

/// Everybody, and what they ask about.
pub(crate) struct Stage {
    pub(crate) server: Server,
    callers: Vec<Caller>,
    /// The first administrator, who is no column.
    pub(crate) boss: Session,
    pub(crate) admin: Session,
    pub(crate) alice: Session,
    pub(crate) key: KeyInfo,
    /// One that may be revoked.
    pub(crate) spare: KeyInfo,
    /// Of a key that stays on her device.
    pub(crate) local: Certificate,
    fresh: u32,
}

const SETTINGS: &str = "[limits]\nlog_ins_per_minute = 100000\nlook_ups_per_minute = 100000\nlog_reads_per_minute = 100000\n\
                        requests_per_second = 100000\n\
                        [consent]\ndelay_hours = 0\n";

impl Stage {
    pub(crate) fn new() -> Self {
        let server = Server::start("", SETTINGS);
        let mut boss = server.admin();
        let admin = server.with_roles(&mut boss, "admin2@example.org", vec![Role::User, Role::Admin]);
        let mut alice = server.user("alice@example.org");
        let principal = alice.identity().principal;
        let another_device = |boss: &mut Session| server.log_in(&server.new_code(boss, principal));
        let (key, spare) = (generate(&mut alice), generate(&mut alice));
        let (pending, revoked) = (another_device(&mut boss), another_device(&mut boss));
        let end = Revoke { target: Target::Device(revoked.identity().device), reason: String::new() };
        boss.call(&end).unwrap();
        let user = server.user("user@example.org");
        let delegate = server.with_roles(&mut boss, "delegate@example.org", vec![Role::Delegate]);
        let gateway = server.with_roles(&mut boss, "gateway@example.org", vec![Role::Gateway]);
        let auditor = server.with_roles(&mut boss, "auditor@example.org", vec![Role::Auditor]);
        for to in [&delegate, &gateway] {
            for key in [&key, &spare] {
                let to = to.identity().principal;
                let uses = vec![KeyUse::Unwrap, KeyUse::Sign];
                let expires_at = boss.saved().grant.expires_at;
                alice.call(&GiveGrant { key: key.fingerprint.clone(), to, uses, expires_at }).unwrap();
            }
        }
        let user_ids = ["<alice@example.org>".to_owned()];
        let local = Tsk::generate(CertProfile::Rfc4880, &user_ids, None, SystemTime::now()).unwrap();
        let local = local.tsk.certificate().clone();
        let b_admin = server.log_in(&server.add_tenant("b.example"));
        let b_user = server.user("user@b.example");
        let sessions =
            [&alice, &user, &delegate, &gateway, &auditor, &admin, &pending, &revoked, &b_user, &b_admin];
        let nobody = Caller::stranger(&DeviceKey::generate(), alice.keystore().identity());
        let callers = std::iter::once(nobody).chain(sessions.map(Caller::of)).collect();
        Self { server, callers, boss, admin, alice, key, spare, local, fresh: 0 }
    }

    pub(crate) fn caller(&self, column: Column) -> &Caller {
        &self.callers[column as usize]
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// An address of tenant A's that nobody had.
    pub(crate) fn fresh_address(&mut self) -> String {
        self.fresh += 1;
        format!("fresh{}@example.org", self.fresh)
    }

    /// Somebody new in tenant A.
    pub(crate) fn fresh_principal(&mut self) -> PrincipalId {
        use plombe_core::keystore::calls::principals::CreatePrincipal;
        let addresses = vec![self.fresh_address()];
        let create = CreatePrincipal { name: String::new(), addresses, roles: vec![Role::User] };
        self.boss.call(&create).unwrap().principal.id
    }

    /// A device of Alice's that waits.
    pub(crate) fn fresh_pending(&mut self) -> Session {
        let code = self.server.new_code(&mut self.boss, self.alice.identity().principal);
        self.server.log_in(&code)
    }
}

fn generate(session: &mut Session) -> KeyInfo {
    let user_ids = vec!["<alice@example.org>".to_owned()];
    session.call(&GenerateKey { user_ids, profile: Profile::Rfc4880, valid_for_seconds: None }).unwrap().key
}

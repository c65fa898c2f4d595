// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whom an argument of an administrator's command means: somebody's address, or their id.

use std::{fmt, str::FromStr};

use plombe_client::Session;
use plombe_core::{
    keystore::{
        PrincipalId,
        calls::{
            login::Role,
            principals::{ListPrincipals, Principal},
        },
    },
    recipients::Address,
};

use crate::exit::{Exit, Failure};

/// Somebody with an account.
#[derive(Clone, Debug)]
pub(crate) enum Person {
    Address(Address),
    Id(PrincipalId),
}

/// What somebody may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RoleName {
    /// Has keys of their own
    User,
    /// Uses keys that others share
    Delegate,
    /// A program that applies rules to mail
    Gateway,
    /// Reads all of the organisation's log
    Auditor,
    /// Administers people
    Admin,
}

impl FromStr for Person {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected an address, or an id as `plombe people list` shows it";
        match text.contains('@') {
            true => Address::parse(text).map(Self::Address).map_err(|_| EXPECTED),
            false => text.parse().map(Self::Id).map_err(|_| EXPECTED),
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl Person {
    /// Who that is, by the keystore's list.
    pub(crate) fn id(&self, session: &mut Session) -> anyhow::Result<PrincipalId> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Address(address) => Ok(of_address(session, address)?.id),
        }
    }
}

/// The principal with this address. Everybody may ask for one; only administrators see a list.
pub(crate) fn of_address(session: &mut Session, address: &Address) -> anyhow::Result<Principal> {
    let call = ListPrincipals { after: None, address: Some(address.to_string()) };
    session.call(&call)?.principals.pop().ok_or_else(|| {
        Failure::new(Exit::Failed, format!("nobody at this keystore has the address {address}"))
            .hint("an administrator adds them: `plombe people add`")
            .into()
    })
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Delegate => Self::Delegate,
            RoleName::Gateway => Self::Gateway,
            RoleName::Auditor => Self::Auditor,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// As the command line spells them.
pub(super) fn role_words(roles: &[Role]) -> String {
    let word = |role: &Role| match role {
        Role::User => "user",
        Role::Delegate => "delegate",
        Role::Gateway => "gateway",
        Role::Auditor => "auditor",
        Role::Admin => "admin",
    };
    roles.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Each once.
pub(super) fn roles(names: &[RoleName]) -> Vec<Role> {
    let mut roles: Vec<Role> = names.iter().map(|name| (*name).into()).collect();
    roles.sort();
    roles.dedup();
    roles
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys that live in a keystore: logging in there, using them, and looking after one's devices and one's log.

mod account;
mod approvals;
mod audit;
mod break_glass;
mod custody;
mod devices;
mod login;
mod logout;
mod named;
mod passkey;
mod people;
mod person;
mod recover;
mod revoke;
mod rules;
mod whoami;

pub(crate) use account::Account;
pub(crate) use approvals::Command as ApprovalsCommand;
pub(crate) use audit::Command as AuditCommand;
pub(crate) use break_glass::Command as BreakGlassCommand;
pub(crate) use custody::{Custody, Held};
pub(crate) use devices::Args as DevicesArgs;
pub(crate) use login::Args as LoginArgs;
pub(crate) use logout::Args as LogoutArgs;
pub(crate) use named::{OwnInCustody, no_passphrase};
pub(crate) use passkey::Command as PasskeyCommand;
pub(crate) use people::Command as PeopleCommand;
pub(crate) use person::of_address;
pub(crate) use plombe_core::keystore::calls::custody::{Context, Purpose};
pub(crate) use recover::{Args as RecoverArgs, random_code};
pub(crate) use revoke::Args as RevokeArgs;
pub(crate) use rules::Command as RulesCommand;

use plombe_client::Session;
use plombe_core::keystore::{DeviceThumbprint, PrincipalId, comparison_words};

use crate::app::App;

pub(crate) fn login(app: &App<'_>, args: LoginArgs) -> anyhow::Result<()> {
    login::run(app, args)
}

pub(crate) fn logout(app: &App<'_>, args: &LogoutArgs) -> anyhow::Result<()> {
    logout::run(app, args)
}

pub(crate) fn rules(app: &App<'_>, command: RulesCommand) -> anyhow::Result<()> {
    rules::run(app, command)
}

pub(crate) fn whoami(app: &App<'_>) -> anyhow::Result<()> {
    whoami::run(app)
}

pub(crate) fn devices(app: &App<'_>, args: DevicesArgs) -> anyhow::Result<()> {
    devices::run(app, args)
}

pub(crate) fn passkey(app: &App<'_>, command: PasskeyCommand) -> anyhow::Result<()> {
    passkey::run(app, command)
}

pub(crate) fn recover(app: &App<'_>, args: RecoverArgs) -> anyhow::Result<()> {
    recover::run(app, args)
}

pub(crate) fn audit(app: &App<'_>, command: AuditCommand) -> anyhow::Result<()> {
    audit::run(app, command)
}

pub(crate) fn people(app: &App<'_>, command: PeopleCommand) -> anyhow::Result<()> {
    people::run(app, command)
}

pub(crate) fn approvals(app: &App<'_>, command: ApprovalsCommand) -> anyhow::Result<()> {
    approvals::run(app, command)
}

pub(crate) fn break_glass(app: &App<'_>, command: BreakGlassCommand) -> anyhow::Result<()> {
    break_glass::run(app, command)
}

pub(crate) fn revoke(app: &App<'_>, args: RevokeArgs) -> anyhow::Result<()> {
    revoke::run(app, args)
}

/// Six words that stand for a device's key: the same on both devices, or it is another key.
fn words(session: &Session, device: &DeviceThumbprint, principal: &PrincipalId) -> String {
    comparison_words(device, principal, session.keystore().identity()).join(" ")
}

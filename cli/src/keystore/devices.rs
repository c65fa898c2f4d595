// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe devices`: see one's devices, confirm a new one, cut off a lost one.

use std::time::{Duration, UNIX_EPOCH};

use plombe_client::Session;
use plombe_core::keystore::{
    DeviceId,
    calls::{
        devices::{ConfirmDevice, Device, ListDevices},
        login::DeviceState,
        passkeys::ConfirmByPasskey,
        revoke::Target,
    },
};
use serde_json::json;

use super::{Account, login::own_certificates, person::Person, revoke, words};
use crate::{
    app::App,
    date,
    exit::{Exit, Failure},
    output,
    terminal::{Tone, printable_line},
};

/// What to do with them.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List them (also without a word)
    List {
        /// Somebody else's, for administrators: their address or id
        #[arg(long, value_name = "WHO")]
        of: Option<Person>,
    },
    /// Say that a new device is yours, after comparing its six words
    Confirm {
        /// Its id from the list; may be left out when only one waits
        device: Option<DeviceId>,
        /// The six words that the new device shows
        #[arg(long, value_name = "WORDS", required_unless_present = "passkey")]
        words: Option<String>,
        /// On the new device itself: confirm it with your passkey
        #[arg(long, conflicts_with_all = ["words", "device"])]
        passkey: bool,
    },
    /// Cut one off for good
    Revoke {
        /// Its id from the list
        device: DeviceId,
    },
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let done = match args.command.unwrap_or(Command::List { of: None }) {
        Command::List { of } => list(app, &mut session, of.as_ref()),
        Command::Confirm { words: None, .. } => confirm_by_passkey(app, &account, &mut session),
        Command::Confirm { device, words: Some(words), .. } => confirm(app, &mut session, device, &words),
        Command::Revoke { device } => revoke::end(app, &mut session, Target::Device(device), String::new()),
    };
    account.keep_session(&session)?;
    done
}

fn list(app: &App<'_>, session: &mut Session, of: Option<&Person>) -> anyhow::Result<()> {
    let principal = of.map(|of| of.id(session)).transpose()?;
    let devices = session.call(&ListDevices { principal })?.devices;
    if app.terminal.json {
        return output::print_json(&json!({"devices": devices, "this": session.identity().device}));
    }
    let mut text = String::new();
    for device in &devices {
        let state = match device.state {
            DeviceState::Pending => "waits for you",
            DeviceState::Confirmed => "confirmed",
            DeviceState::Revoked => "revoked",
        };
        let this = if device.id == session.identity().device { " (this one)" } else { "" };
        text.push_str(&format!(
            "{}  {state}  {}  since {}{this}\n",
            device.id,
            printable_line(&device.name),
            date::day(UNIX_EPOCH + Duration::from_secs(device.enrolled_at)),
        ));
    }
    Ok(output::print(&text)?)
}

/// The words are computed here from the key that the keystore shows, and compared with what the person reads off the new device: a
/// keystore that shows another key than the device has is found out.
fn confirm(app: &App<'_>, session: &mut Session, id: Option<DeviceId>, typed: &str) -> anyhow::Result<()> {
    let device = waiting(session, id)?;
    let expected = words(session, &device.thumbprint, &device.principal);
    let same =
        typed.split_whitespace().map(str::to_ascii_lowercase).eq(expected.split(' ').map(str::to_owned));
    if !same {
        return Err(Failure::new(Exit::KeystoreUntrusted, "these are not the words of that device")
            .hint("if you typed them as the new device shows them, somebody else is trying to get in: do not confirm, `plombe devices revoke` it")
            .into());
    }
    session.call(&ConfirmDevice { device: device.id, thumbprint: device.thumbprint })?;
    if app.terminal.json {
        return output::print_json(&json!({"confirmed": device.id}));
    }
    app.terminal.note(Tone::Good, "confirmed", &printable_line(&device.name));
    Ok(())
}

/// This device, which waits: whoever has the passkey says that it is theirs.
fn confirm_by_passkey(app: &App<'_>, account: &Account, session: &mut Session) -> anyhow::Result<()> {
    session.call(&ConfirmByPasskey {})?;
    own_certificates(app, &account.refresh_keys(session)?)?;
    let device = session.identity().device;
    if app.terminal.json {
        return output::print_json(&json!({"confirmed": device}));
    }
    app.terminal.note(Tone::Good, "confirmed", "this device uses your keys now");
    Ok(())
}

fn waiting(session: &mut Session, id: Option<DeviceId>) -> anyhow::Result<Device> {
    let devices = session.call(&ListDevices { principal: None })?.devices;
    let mut waiting = devices.into_iter().filter(|device| match id {
        Some(id) => device.id == id,
        None => device.state == DeviceState::Pending,
    });
    let found = waiting.next().ok_or_else(|| {
        Failure::new(Exit::Failed, "no such device waits for confirmation")
            .hint("`plombe devices` lists them; a new one is there once it has logged in")
    })?;
    if waiting.next().is_some() {
        return Err(Failure::usage("several devices wait")
            .hint("name one by its id from `plombe devices`")
            .into());
    }
    Ok(found)
}

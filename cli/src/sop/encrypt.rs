// SPDX-License-Identifier: LGPL-2.0-or-later
//! `encrypt`.

use std::io::{self, Write};

use plombe_core::{message::Seal, session_key::SessionKey};

use super::{
    Context,
    args::{As, Encrypt},
    designator::Output,
    failure::{Code, Failure, Result},
    material, password, profile, sign,
};

pub(super) fn run(context: &Context, args: &Encrypt) -> Result<()> {
    let container = profile::container(&args.profile)?;
    let session_key_out = Output::prepare_optional(args.session_key_out.as_ref())?;
    let recipients = material::certificates(&args.certs)?;
    let passwords =
        args.with_password.iter().map(|password| password::new(password)).collect::<Result<_>>()?;
    let signers = material::tsks(&args.sign_with, &password::to_try(&args.with_key_password)?)?;
    let text = args.kind == As::Text;
    let seal = Seal {
        passwords,
        signers: signers.iter().map(Into::into).collect(),
        text,
        container,
        armor: args.armoring.armor(),
        ..Seal::new(recipients.iter().collect(), &context.policy, context.now)
    };
    let mut stdout = io::BufWriter::with_capacity(1 << 18, io::stdout());
    let report = seal.seal(&mut *sign::stdin(text), &mut stdout)?;
    stdout.flush()?;
    if let Some(output) = session_key_out {
        output.write(session_key_line(&report.session_key).as_bytes())?;
    }
    Ok(())
}

/// `9:0123…`: the cipher's number and the key in hexadecimal.
pub(super) fn session_key_line(key: &SessionKey) -> String {
    // A v2 container names its cipher by itself, and all that anybody uses there is AES.
    let cipher = key.cipher_octet().unwrap_or(match key.expose().len() {
        16 => 7,
        24 => 8,
        _ => 9,
    });
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{cipher}:{hex}\n")
}

/// Reads what [`session_key_line`] wrote.
pub(super) fn parse_session_key(line: &[u8]) -> Result<SessionKey> {
    let wrong = || Failure::new(Code::BadData, "a session key looks like 9:0123456789ABCDEF…");
    let line = std::str::from_utf8(line).map_err(|_| wrong())?.trim();
    let (cipher, hex) = line.split_once(':').ok_or_else(wrong)?;
    let cipher: u8 = cipher.parse().map_err(|_| wrong())?;
    if !hex.is_ascii() || hex.len() % 2 != 0 {
        return Err(wrong());
    }
    let pairs = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    let key =
        zeroize::Zeroizing::new(pairs.collect::<std::result::Result<Vec<u8>, _>>().map_err(|_| wrong())?);
    Ok(SessionKey::from_bytes(Some(cipher), &key))
}

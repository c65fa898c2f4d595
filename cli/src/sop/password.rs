// SPDX-License-Identifier: LGPL-2.0-or-later
//! Passwords as the draft wants them: what is made with one must be typable, what is opened with one is tried twice.

use std::ffi::{OsStr, OsString};

use plombe_core::secret::Passphrase;

use super::{
    designator,
    failure::{Code, Failure, Result},
};

/// For making something: UTF-8 that a person can read aloud and type again, without the newline that an editor or
/// `echo` left at the end.
pub(super) fn new(designator: &OsStr) -> Result<Passphrase> {
    let bytes = Passphrase::new(designator::read(designator)?);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| refused("it is not UTF-8"))?.trim_end();
    if text.is_empty() {
        return Err(refused("it is empty"));
    }
    if text.starts_with(char::is_whitespace) {
        return Err(refused("it begins with a space"));
    }
    if text.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ')) {
        return Err(refused("it contains characters that cannot be seen"));
    }
    Ok(Passphrase::new(text))
}

/// For opening something: each password without what an editor left at its end, then exactly as it came.
pub(super) fn to_try(designators: &[OsString]) -> Result<Vec<Passphrase>> {
    let mut passwords = Vec::new();
    for designator in designators {
        let whole = Passphrase::new(designator::read(designator)?);
        let trimmed = match std::str::from_utf8(whole.expose()) {
            Ok(text) => text.trim_end().as_bytes(),
            Err(_) => whole.expose().trim_ascii_end(),
        };
        if trimmed.len() < whole.expose().len() {
            passwords.push(Passphrase::new(trimmed));
        }
        passwords.push(whole);
    }
    Ok(passwords)
}

fn refused(why: &str) -> Failure {
    Failure::new(Code::PasswordNotHumanReadable, format!("this password will make trouble later: {why}"))
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! Profiles: what kind of key to make, what kind of message to write.

use plombe_core::{cert::Profile, message::Container};

use super::{
    args::ListProfiles,
    failure::{Code, Failure, Result},
    write_stdout,
};

/// One name for one meaning; the first is the default.
struct Named<T> {
    name: &'static str,
    aliases: &'static [&'static str],
    description: &'static str,
    meaning: T,
}

const KEYS: &[Named<Profile>] = &[
    Named {
        name: "default",
        aliases: &["rfc4880", "compatibility"],
        description: "v4, Ed25519 and Curve25519, read by everybody (aliases: rfc4880, compatibility)",
        meaning: Profile::Rfc4880,
    },
    Named {
        name: "rfc9580",
        aliases: &["performance"],
        description: "v6, Ed25519 and X25519 (alias: performance)",
        meaning: Profile::Rfc9580,
    },
    Named {
        name: "rfc9980",
        aliases: &["pqc", "security"],
        description: "v6, post-quantum: ML-DSA-65+Ed25519 and ML-KEM-768+X25519 (aliases: pqc, security)",
        meaning: Profile::Pqc,
    },
];

const MESSAGES: &[Named<Option<Container>>] = &[
    Named {
        name: "default",
        aliases: &[],
        description: "the best that every recipient reads",
        meaning: None,
    },
    Named {
        name: "rfc4880",
        aliases: &["compatibility"],
        description: "SEIPDv1, read by everybody (alias: compatibility)",
        meaning: Some(Container::Seipdv1),
    },
    Named {
        name: "rfc9580",
        aliases: &["performance", "security"],
        description: "SEIPDv2 with AEAD (aliases: performance, security)",
        meaning: Some(Container::Seipdv2),
    },
];

/// What kind of key `generate-key --profile=NAME` makes.
pub(super) fn key(name: &str) -> Result<Profile> {
    let profile = find(KEYS, name)?;
    if profile.is_supported() { Ok(profile) } else { Err(unsupported(name)) }
}

/// What `encrypt --profile=NAME` writes.
pub(super) fn container(name: &str) -> Result<Option<Container>> {
    find(MESSAGES, name)
}

fn find<T: Copy>(profiles: &[Named<T>], name: &str) -> Result<T> {
    let found = profiles.iter().find(|profile| profile.name == name || profile.aliases.contains(&name));
    found.map(|profile| profile.meaning).ok_or_else(|| unsupported(name))
}

fn unsupported(name: &str) -> Failure {
    Failure::new(Code::UnsupportedProfile, format!("this build has no profile {name}; see list-profiles"))
}

/// `list-profiles SUBCOMMAND`: only what this build can do.
pub(super) fn list(args: &ListProfiles) -> Result<()> {
    let lines: Vec<String> = match args.subcommand.as_str() {
        "generate-key" => KEYS.iter().filter(|profile| profile.meaning.is_supported()).map(line).collect(),
        "encrypt" => MESSAGES.iter().map(line).collect(),
        other => {
            return Err(Failure::new(Code::UnsupportedProfile, format!("{other} has no profiles")));
        }
    };
    write_stdout(lines.concat().as_bytes())
}

fn line<T>(profile: &Named<T>) -> String {
    format!("{}: {}\n", profile.name, profile.description)
}

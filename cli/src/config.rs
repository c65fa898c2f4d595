// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where things lie and how Plombe is set up: the environment and `config.toml`, read once at start.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::Deserialize;

use crate::exit::{Exit, Failure};

/// The directories and files that belong to one person.
///
/// With `PLOMBE_HOME` set everything lies under it; otherwise in the XDG directories, and certificates in the
/// directory that OpenPGP programs share.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// Certificates of everybody, in the shared OpenPGP certificate directory format: `pgp.cert.d/`.
    pub(crate) certificates: PathBuf,
    /// Our own TSKs, `<FINGERPRINT>.pgp`, mode 0600: `keys/`.
    pub(crate) tsks: PathBuf,
    /// Revocation certificates made at generation, `<FINGERPRINT>.rev`, mode 0600: `revocations/`.
    pub(crate) revocations: PathBuf,
    /// Which certificate belongs to which address, first use and decisions: `pins.toml`.
    pub(crate) pins: PathBuf,
    /// Certificates that mails brought along, and when: `autocrypt/`.
    pub(crate) autocrypt: PathBuf,
    /// This machine's account at a keystore: `keystore/`.
    pub(crate) keystore: PathBuf,
    /// Settings: `config.toml`.
    pub(crate) config: PathBuf,
    /// What can be rebuilt at any time: the index of the certificate directory.
    pub(crate) cache: PathBuf,
}

impl Paths {
    fn from_env() -> Result<Self, Failure> {
        if let Some(home) = dir_from_env("PLOMBE_HOME") {
            return Ok(Self {
                certificates: home.join("pgp.cert.d"),
                tsks: home.join("keys"),
                revocations: home.join("revocations"),
                pins: home.join("pins.toml"),
                autocrypt: home.join("autocrypt"),
                keystore: home.join("keystore"),
                config: home.join("config.toml"),
                cache: home.join("cache"),
            });
        }
        let xdg = |variable: &str, fallback: &str| {
            // The XDG specification wants relative paths ignored.
            dir_from_env(variable)
                .filter(|dir| dir.is_absolute())
                .or_else(|| dir_from_env("HOME").map(|home| home.join(fallback)))
                .ok_or_else(|| {
                    Failure::new(Exit::Failed, "there is no home directory to keep certificates in")
                        .hint("set PLOMBE_HOME to a directory of yours")
                })
        };
        let data = xdg("XDG_DATA_HOME", ".local/share")?;
        Ok(Self {
            certificates: dir_from_env("PGP_CERT_D").unwrap_or_else(|| data.join("pgp.cert.d")),
            tsks: data.join("plombe/keys"),
            revocations: data.join("plombe/revocations"),
            pins: data.join("plombe/pins.toml"),
            autocrypt: data.join("plombe/autocrypt"),
            keystore: data.join("plombe/keystore"),
            config: xdg("XDG_CONFIG_HOME", ".config")?.join("plombe/config.toml"),
            cache: xdg("XDG_CACHE_HOME", ".cache")?.join("plombe"),
        })
    }
}

fn dir_from_env(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `config.toml`. Every field may be left out; a word that is not known here is an error, so that a typing mistake
/// does not silently leave a default in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// `[mail]`: how mails are sealed.
    pub(crate) mail: MailSettings,
    /// `[discovery]`: where certificates of others are looked for.
    pub(crate) discovery: DiscoverySettings,
}

/// How mails are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MailSettings {
    /// Repeat hidden headers at the top of the text, for programs that cannot show protected headers (RFC 9788).
    pub(crate) legacy_display: bool,
    /// Carry our certificate along in an `Autocrypt` header.
    pub(crate) autocrypt: bool,
    /// Seal to the sender as well, so that the sent copy can be read.
    pub(crate) encrypt_to_self: bool,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self { legacy_display: true, autocrypt: true, encrypt_to_self: true }
    }
}

/// Where certificates of others are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct DiscoverySettings {
    /// Ask the recipient's domain (Web Key Directory).
    pub(crate) wkd: bool,
    /// Key servers to ask as well, `vks://HOST` or `hkps://HOST`. Asking one tells it whom you write to, so there is none
    /// by default.
    pub(crate) keyservers: Vec<String>,
    /// Keep the certificates that opened mails bring along, as candidates, and use them where there is nothing better.
    pub(crate) autocrypt: bool,
    /// Hosts that may have private or loopback addresses. All others are refused when they do.
    pub(crate) allow_private: Vec<String>,
}

impl Default for DiscoverySettings {
    fn default() -> Self {
        Self { wkd: true, keyservers: Vec::new(), autocrypt: true, allow_private: Vec::new() }
    }
}

/// Everything that the surroundings decide.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) paths: Paths,
    pub(crate) settings: Settings,
}

impl Config {
    /// Reads the environment and `config.toml`.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let paths = Paths::from_env()?;
        let settings = read_settings(&paths.config)?;
        Ok(Self { paths, settings })
    }
}

fn read_settings(path: &Path) -> anyhow::Result<Settings> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    toml::from_str(&text).map_err(|error| {
        Failure::new(Exit::Failed, format!("{} is not valid: {}", path.display(), error.message()))
            .hint("mend or remove the setting; docs/user-guide.md lists all of them")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_refuse_words_that_are_not_known() {
        let error = toml::from_str::<Settings>("[mail]\nautocrpyt = false\n").unwrap_err();
        assert!(error.to_string().contains("autocrpyt"), "{error}");
    }

    #[test]
    fn settings_in_the_user_guide_are_the_defaults() {
        let guide = include_str!("../../docs/user-guide.md");
        let (_, rest) = guide.split_once("```toml\n").unwrap();
        let (block, _) = rest.split_once("```").unwrap();
        assert_eq!(toml::from_str::<Settings>(block).unwrap(), Settings::default());
    }

    #[test]
    fn settings_default_where_nothing_is_said() {
        let settings: Settings = toml::from_str("[mail]\nautocrypt = false\n").unwrap();
        assert!(!settings.mail.autocrypt && settings.mail.legacy_display && settings.discovery.wkd);
    }
}

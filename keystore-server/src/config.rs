// SPDX-License-Identifier: LGPL-2.0-or-later
//! The configuration file. The documentation of each field is the manual.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use plombe_core::keystore::Origin;
use serde::Deserialize;

use crate::{
    app::Times,
    identity::oidc::{IssuerConfig, Issuers},
    limits::LimitsConfig,
    mail::MailConfig,
    proxies::{ForwardedHeader, Network, TrustedProxies},
    root_key::RootKeyConfig,
    store::Location,
};

/// `config.toml`. Paths are relative to the folder that it lies in. A word that is not known here is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen: `127.0.0.1:7420`. Beyond this machine only with `tls`.
    pub listen: SocketAddr,
    /// How clients reach it: `https://keys.example.org`. May be left out on loopback.
    #[serde(default)]
    pub origin: Option<String>,
    /// `sqlite:keystore.db`, or `postgres://USER@HOST/NAME`. No password: this file is not a secret one.
    #[serde(default)]
    pub database: Option<String>,
    /// A file that holds what `database` would, for a connection string with a password.
    #[serde(default)]
    pub database_file: Option<PathBuf>,
    /// The key that everything hangs on.
    pub root_key: RootKeyConfig,
    /// The key that `rotate-root` changes to. Only there while that is under way.
    #[serde(default)]
    pub next_root_key: Option<RootKeyConfig>,
    /// Certificate and key of this server.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    /// How long sessions last.
    #[serde(default)]
    pub sessions: SessionsConfig,
    /// What needs two administrators.
    #[serde(default)]
    pub consent: ConsentConfig,
    /// What needs a passkey.
    #[serde(default)]
    pub step_up: StepUpConfig,
    /// How often who may knock.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Reverse proxies, by address or network, whose word about where a request comes from is taken. Without them, all who come
    /// through a proxy share its limits.
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,
    /// In which header those proxies say it: `x-forwarded-for` or `forwarded`.
    #[serde(default)]
    pub forwarded_header: ForwardedHeader,
    /// Numbers for Prometheus; none are served when this is left out.
    #[serde(default)]
    pub metrics: Option<MetricsConfig>,
    /// Through which server challenge mails leave; none are sent when this is left out.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// Identity providers, one `[[issuers]]` table each.
    #[serde(default)]
    pub issuers: Vec<IssuerConfig>,
}

/// TLS of this server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Its key, PEM, readable by the server alone.
    pub key_file: PathBuf,
}

/// Numbers for Prometheus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where they are served, without TLS and to whoever asks: they name nobody, and say how busy the keystore is.
    pub listen: SocketAddr,
    /// `listen` may be an address that other machines reach. Default: false, because nothing hides the numbers on their way.
    pub beyond_this_machine: bool,
}

impl MetricsConfig {
    /// Do other machines reach them?
    pub(crate) fn is_open(&self) -> bool {
        !self.listen.ip().is_loopback()
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7421)), beyond_this_machine: false }
    }
}

/// How long sessions last.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionsConfig {
    /// A session's value is good for so many seconds (60 to 3600); its device renews it.
    pub value_seconds: u64,
    /// A log-in ends after so many hours (1 to 168).
    pub log_in_hours: u64,
    /// An enrolment code is good for so many hours (1 to 168) when nothing else is said.
    pub code_hours: u64,
}

/// What needs two administrators.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentConfig {
    /// A further administrator waits so many hours (0 to 168), and as long again until they count as the second of two. With 0,
    /// who holds one administrator's device makes up the second at once.
    pub delay_hours: u64,
}

impl Default for ConsentConfig {
    fn default() -> Self {
        Self { delay_hours: 24 }
    }
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self { value_seconds: 600, log_in_hours: 12, code_hours: 24 }
    }
}

/// What needs a passkey. Whoever has one is asked for it, whatever stands here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepUpConfig {
    /// Administrators must have a passkey and show it for what they do. Default: false, because the first of them comes with a
    /// command line, which has no authenticator: set it once they have added theirs (`plombe passkey add`).
    pub require_for_admins: bool,
}

/// Why a configuration is refused. Each says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// Its text.
    #[error("{}: {}", .0.display(), .1.message())]
    Parse(PathBuf, Box<toml::de::Error>),
    /// What it says.
    #[error("{0}")]
    Refused(String),
}

impl Config {
    /// Reads a file and checks it as a whole.
    ///
    /// # Errors
    /// All that is wrong with it, one line each.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let config = Self::read(file)?;
        let findings = config.findings();
        if findings.is_empty() { Ok(config) } else { Err(ConfigError::Refused(findings.join("\n"))) }
    }

    /// Reads a file, whatever it says. For `doctor`.
    ///
    /// # Errors
    /// When there is no such file, or it is not a configuration.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|e| ConfigError::Read(file.to_owned(), e))?;
        let mut config: Self =
            toml::from_str(&text).map_err(|e| ConfigError::Parse(file.to_owned(), Box::new(e)))?;
        config.resolve(file.parent().unwrap_or(Path::new(".")));
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let absolute = |path: &mut PathBuf| *path = folder.join(&*path);
        self.root_key.resolve(folder);
        self.next_root_key.iter_mut().for_each(|next| next.resolve(folder));
        self.database_file.iter_mut().for_each(absolute);
        if let Some(tls) = &mut self.tls {
            absolute(&mut tls.certificate_file);
            absolute(&mut tls.key_file);
        }
        if let Some(mail) = &mut self.mail {
            mail.password_file.iter_mut().chain(&mut mail.ca_file).for_each(absolute);
        }
        for issuer in &mut self.issuers {
            issuer.client_secret_file.iter_mut().chain(&mut issuer.ca_file).for_each(absolute);
        }
        if let Some(file) = self.database.as_ref().and_then(|database| database.strip_prefix("sqlite:")) {
            self.database = Some(format!("sqlite:{}", folder.join(file).display()));
        }
    }

    /// What is wrong, each with its remedy.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut refuse_if = |wrong: bool, why: &str| {
            if wrong {
                findings.push(why.to_owned());
            }
        };
        let loopback = self.listen.ip().is_loopback();
        refuse_if(
            !loopback && self.tls.is_none(),
            "listen: beyond this machine only with TLS; add [tls], or listen on 127.0.0.1 behind a proxy that has it",
        );
        refuse_if(
            self.origin.is_none() && (!loopback || self.tls.is_some()),
            "origin: say how clients reach this server, for example \"https://keys.example.org\"",
        );
        let origin = self.origin.as_deref().map(str::parse::<Origin>);
        if let Some(Err(error)) = origin {
            refuse_if(true, &format!("origin: {error}"));
        }
        refuse_if(
            self.database.is_some() == self.database_file.is_some(),
            "database: give either database or database_file",
        );
        for (name, key) in
            [("root_key", Some(&self.root_key)), ("next_root_key", self.next_root_key.as_ref())]
        {
            if let Some(wrong) = key.and_then(RootKeyConfig::finding) {
                refuse_if(true, &format!("{name}: {wrong}"));
            }
        }
        match self.database.as_deref().map(str::parse::<Location>) {
            Some(Err(error)) => refuse_if(true, &format!("database: {error}")),
            Some(Ok(location)) => refuse_if(
                location.has_password(),
                "database: a password does not belong into this file, which others may read and which is copied around; put the \
                 whole string into a file of mode 0600, name that in database_file, and take a new password",
            ),
            None => {}
        }
        refuse_if(
            self.metrics.as_ref().is_some_and(|metrics| metrics.is_open() && !metrics.beyond_this_machine),
            "metrics.listen: there is no TLS; listen on 127.0.0.1, or set beyond_this_machine = true where the network is your own",
        );
        let SessionsConfig { value_seconds, log_in_hours, code_hours } = self.sessions;
        refuse_if(!(60..=3600).contains(&value_seconds), "sessions.value_seconds: 60 to 3600");
        refuse_if(!(1..=168).contains(&log_in_hours), "sessions.log_in_hours: 1 to 168");
        refuse_if(self.consent.delay_hours > 168, "consent.delay_hours: 0 to 168");
        refuse_if(self.limits.patience_seconds.get() > 300, "limits.patience_seconds: 1 to 300");
        refuse_if(!(1..=168).contains(&code_hours), "sessions.code_hours: 1 to 168");
        for (name, file) in self.secret_files() {
            if is_readable_by_others(file) {
                let file = file.display();
                refuse_if(true, &format!("{name}: others can read {file}; run: chmod 600 {file}"));
            }
        }
        if let Err(error) = Issuers::new(self.issuers.clone()) {
            refuse_if(true, &format!("issuers: {error}"));
        }
        findings.extend(self.mail.iter().flat_map(MailConfig::findings));
        findings
    }

    /// Files that nobody else may read, with the setting that names each.
    fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        let root = [("root_key", Some(&self.root_key)), ("next_root_key", self.next_root_key.as_ref())];
        let of_root = root.into_iter().flat_map(|(name, key)| {
            let files = key.into_iter().flat_map(RootKeyConfig::secret_files);
            files.map(move |file| (name, file))
        });
        let issuers = self.issuers.iter().filter_map(|issuer| issuer.client_secret_file.as_deref());
        let tls = self.tls.iter().map(|tls| ("tls.key_file", tls.key_file.as_path()));
        let database = self.database_file.iter().map(|file| ("database_file", file.as_path()));
        let mail = self.mail.iter().filter_map(|mail| mail.password_file.as_deref());
        let mail = mail.map(|file| ("mail.password_file", file));
        of_root
            .chain(tls)
            .chain(mail)
            .chain(database)
            .chain(issuers.map(|file| ("client_secret_file", file)))
            .collect()
    }

    /// Who is believed about where a request comes from.
    pub fn proxies(&self) -> TrustedProxies {
        TrustedProxies::new(self.trusted_proxies.clone(), self.forwarded_header)
    }

    /// Where the database is.
    ///
    /// # Errors
    /// When the file that says so cannot be read.
    pub fn location(&self) -> Result<Location, ConfigError> {
        let text = match (&self.database, &self.database_file) {
            (Some(database), _) => database.clone(),
            (None, Some(file)) => {
                let text = fs::read_to_string(file).map_err(|e| ConfigError::Read(file.clone(), e))?;
                text.trim().to_owned()
            }
            (None, None) => String::new(),
        };
        text.parse().map_err(|error| ConfigError::Refused(format!("database: {error}")))
    }

    /// How long things last.
    pub fn times(&self) -> Times {
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        Times {
            session: Duration::from_secs(self.sessions.value_seconds),
            log_in: hours(self.sessions.log_in_hours),
            code: hours(self.sessions.code_hours),
            consent: hours(self.consent.delay_hours),
        }
    }
}

/// A file that is not there has no secrets yet; whoever opens it says that it is missing.
fn is_readable_by_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str =
        "listen = \"127.0.0.1:7420\"\ndatabase = \"sqlite:keystore.db\"\n[root_key]\nfile = \"root.key\"\n";

    const MAIL: &str = "[mail]\nhost = \"mail.example.org\"\nfrom = \"keystore@example.org\"\n";

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, text).unwrap();
        Config::load(&file)
    }

    #[test]
    fn the_smallest_configuration_is_sound() {
        let config = load(SOUND).unwrap();
        assert_eq!(config.times(), Times::default());
        assert!(config.mail.is_none(), "mail leaves without being asked for");
        let mail = load(&format!("{SOUND}{MAIL}")).unwrap().mail.unwrap();
        assert_eq!((mail.tls, mail.port()), (crate::mail::MailTls::Implicit, 465));
        assert!(matches!(config.location().unwrap(), Location::Sqlite(file) if file.is_absolute()));
    }

    /// Each of these holds a secret, and each is refused while a group or everybody may read it.
    #[test]
    fn secret_files_that_others_can_read_are_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        // Issuers are checked together with their HTTP client; whoever comes first installs it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, "s").unwrap();
        let secret = secret.display();
        let tls = format!(
            "origin = \"https://k.example.org\"\n{SOUND}[tls]\ncertificate_file = \"x\"\nkey_file = \"{secret}\"\n"
        );
        let issuer = "[[issuers]]\nname = \"x\"\nissuer = \"https://id.example.org\"\nclient_id = \"c\"\ntenant = \"t\"\n\
                      domains = [\"example.org\"]\nclient_secret_file = ";
        for (text, word) in [
            (tls, "tls.key_file"),
            (
                SOUND.replace("database = \"sqlite:keystore.db\"", &format!("database_file = \"{secret}\"")),
                "database_file",
            ),
            (SOUND.replace("root.key", &secret.to_string()), "root_key"),
            (format!("{SOUND}passphrase_file = \"{secret}\"\n"), "root_key"),
            (
                SOUND.replace(
                    "file = \"root.key\"\n",
                    &format!("[root_key.pkcs11]\nmodule = \"m\"\ntoken = \"t\"\npin_file = \"{secret}\"\n"),
                ),
                "root_key",
            ),
            (format!("{SOUND}[next_root_key]\nfile = \"{secret}\"\n"), "next_root_key"),
            (format!("{SOUND}{issuer}\"{secret}\"\n"), "client_secret_file"),
            (format!("{SOUND}{MAIL}user = \"k\"\npassword_file = \"{secret}\"\n"), "mail.password_file"),
        ] {
            for mode in [0o640, 0o604, 0o620, 0o602] {
                fs::set_permissions(secret.to_string(), fs::Permissions::from_mode(mode)).unwrap();
                let error = load(&text).unwrap_err().to_string();
                assert!(
                    error.contains(word) && error.contains(&format!("chmod 600 {secret}")),
                    "{text}\n{error}"
                );
            }
            fs::set_permissions(secret.to_string(), fs::Permissions::from_mode(0o600)).unwrap();
            let error = load(&text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("chmod"), "{error}");
        }
    }

    #[test]
    fn an_issuer_without_an_audience_is_refused() {
        let issuer = "[[issuers]]\nname = \"x\"\nissuer = \"https://id.example.org\"\ntenant = \"t\"\ndomains = [\"example.org\"]\n";
        for (client, word) in [("", "client_id"), ("client_id = \"\"\n", "client_id")] {
            let error = load(&format!("{SOUND}{issuer}{client}")).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn insecure_or_unknown_settings_are_refused_with_their_name() {
        for (text, word) in [
            (SOUND.replace("127.0.0.1", "0.0.0.0"), "TLS"),
            (SOUND.replace("127.0.0.1", "0.0.0.0"), "origin"),
            (format!("origin = \"http://keys.example.org\"\n{SOUND}"), "origin"),
            (SOUND.replace("sqlite:keystore.db", "mysql://x"), "database"),
            (SOUND.replace("sqlite:keystore.db", "postgres://u:secret@db.example.org/k"), "database_file"),
            (SOUND.replace("sqlite:keystore.db", "postgresql://:secret@db.example.org/k"), "database_file"),
            (
                SOUND.replace("sqlite:keystore.db", "postgres://u@db.example.org/k?p%61ssword=secret"),
                "database_file",
            ),
            (format!("{SOUND}[metrics]\nlisten = \"0.0.0.0:7421\"\n"), "metrics.listen"),
            (format!("{SOUND}[metrics]\nlisten = \"[::]:7421\"\n"), "metrics.listen"),
            (
                format!("{SOUND}[metrics]\nlisten = \"192.0.2.1:7421\"\nbeyond_this_machine = false\n"),
                "metrics.listen",
            ),
            (SOUND.replace("database = \"sqlite:keystore.db\"\n", ""), "database"),
            (format!("databse = \"x\"\n{SOUND}"), "databse"),
            (SOUND.replace("file = \"root.key\"\n", ""), "root_key: give either"),
            (format!("{SOUND}[next_root_key]\n"), "next_root_key: give either"),
            (
                format!("{SOUND}[root_key.pkcs11]\nmodule = \"m\"\ntoken = \"t\"\npin_file = \"p\"\n"),
                "root_key",
            ),
            (format!("{SOUND}[sessions]\nlog_in_hours = 1000\n"), "log_in_hours"),
            (format!("trusted_proxies = [\"0.0.0.0/0\"]\n{SOUND}"), "0.0.0.0/0"),
            (
                format!("trusted_proxies = [\"proxy.example.org\"]\n{SOUND}"),
                "neither an address nor a network",
            ),
            (format!("forwarded_header = \"x-real-ip\"\n{SOUND}"), "x-real-ip"),
            (format!("{SOUND}[limits]\nlog_ins_per_minute = 0\n"), "nonzero"),
            (format!("{SOUND}{MAIL}tls = \"none\"\n"), "mail.tls"),
            (format!("{SOUND}{MAIL}tls = \"opportunistic\"\n"), "opportunistic"),
            (format!("{SOUND}{MAIL}user = \"k\"\n"), "mail.user"),
            (format!("{SOUND}{MAIL}link_minutes = 5\n"), "mail.link_minutes"),
            (format!("{SOUND}{MAIL}mails_per_day = 0\n"), "nonzero"),
            (format!("{SOUND}{MAIL}pasword_file = \"x\"\n"), "pasword_file"),
            (format!("{SOUND}{MAIL}").replace("mail.example.org", "mail.example.org:25"), "mail.host"),
            (
                format!("{SOUND}{MAIL}").replace("keystore@example.org", "Keystore <k@example.org>"),
                "mail.from",
            ),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}\n{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_database_without_password_and_numbers_that_are_meant_for_others_are_sound() {
        for text in [
            SOUND.replace("sqlite:keystore.db", "postgres://u@db.example.org/k?host=/run/postgresql"),
            format!("{SOUND}[metrics]\n"),
            format!("{SOUND}[metrics]\nlisten = \"[::1]:7421\"\n"),
            format!("{SOUND}[metrics]\nlisten = \"0.0.0.0:7421\"\nbeyond_this_machine = true\n"),
        ] {
            load(&text).unwrap();
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = SOUND.replace("127.0.0.1", "0.0.0.0");
        let text = format!("{text}[sessions]\nlog_in_hours = 1000\n[consent]\ndelay_hours = 169\n");
        let error = load(&text).unwrap_err().to_string();
        let settings: Vec<_> = error.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
        assert_eq!(settings, ["listen", "origin", "sessions.log_in_hours", "consent.delay_hours"], "{error}");
    }
}

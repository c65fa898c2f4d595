// SPDX-License-Identifier: LGPL-2.0-or-later
//! What this machine keeps of its account at a keystore: the pin, the device key, the session, and which keys are there.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::PathBuf,
    time::SystemTime,
};

use anyhow::Context as _;
use plombe_client::{Browser, DeviceKey, Options, SavedSession, SeenLog, Session};
use plombe_core::{
    Fingerprint,
    cert::Certificate,
    keystore::{
        KeystoreIdentity,
        calls::{
            Call,
            keys::{KeyInCustody, KeyInfo, ListKeys},
        },
    },
    recipients::Address,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    app::App,
    exit::{Exit, Failure},
    output::replace_file,
};

/// The folder of one account. There is one keystore for each home.
pub(crate) struct Account {
    folder: PathBuf,
}

impl Account {
    pub(crate) fn new(app: &App<'_>) -> Self {
        Self { folder: app.config.paths.keystore.clone() }
    }

    /// Is this machine logged in somewhere, or was it?
    pub(crate) fn exists(&self) -> bool {
        self.path("session.json").exists()
    }

    /// The keystore that this machine knows, and what it saw of its log. They outlive every session.
    pub(crate) fn known(&self) -> anyhow::Result<Option<Known>> {
        let Some(json) = self.read("known.json")? else { return Ok(None) };
        serde_json::from_slice(&json)
            .map(Some)
            .with_context(|| format!("{} is damaged", self.path("known.json").display()))
    }

    /// The session that an earlier run saved.
    pub(crate) fn session(&self) -> anyhow::Result<Session> {
        let saved = self.read("session.json")?.ok_or_else(not_logged_in)?;
        let saved: SavedSession = serde_json::from_slice(&saved)
            .with_context(|| format!("{} is damaged", self.path("session.json").display()))?;
        let device = self.device()?.ok_or_else(not_logged_in)?;
        Ok(Session::resume(saved, device, options())?)
    }

    /// This machine's device key, when it has one.
    pub(crate) fn device(&self) -> anyhow::Result<Option<DeviceKey>> {
        let Some(bytes) = self.read("device.key")? else { return Ok(None) };
        let key = DeviceKey::from_pkcs8(&bytes);
        key.map(Some).with_context(|| format!("{} is damaged", self.path("device.key").display()))
    }

    /// Keeps a device key before it is used: a key that the keystore knows must not be lost.
    pub(crate) fn keep_device(&self, key: &DeviceKey) -> anyhow::Result<()> {
        self.write("device.key", key.to_pkcs8())
    }

    /// Keeps what a session has become: a renewed value, a newer checkpoint.
    pub(crate) fn keep_session(&self, session: &Session) -> anyhow::Result<()> {
        let saved = session.saved();
        let known = Known { keystore: saved.keystore.clone(), log: saved.log.clone() };
        self.write("known.json", &serde_json::to_vec(&known)?)?;
        self.write("session.json", &Zeroizing::new(serde_json::to_vec(&saved)?))
    }

    /// The session that an earlier run saved, for asking about a log that contradicts what was seen. `None` when there is none.
    pub(crate) fn session_without_log(&self) -> anyhow::Result<Option<Session>> {
        let (Some(saved), Some(device)) = (self.read("session.json")?, self.device()?) else {
            return Ok(None);
        };
        let saved: SavedSession = serde_json::from_slice(&saved)
            .with_context(|| format!("{} is damaged", self.path("session.json").display()))?;
        let saved = SavedSession { log: SeenLog::default(), ..saved };
        Ok(Some(Session::resume(saved, device, options())?))
    }

    /// Keeps another view of the log than the one that was seen: somebody has decided that.
    pub(crate) fn keep_log(&self, log: &SeenLog) -> anyhow::Result<()> {
        if let Some(known) = self.known()? {
            let known = Known { log: log.clone(), ..known };
            self.write("known.json", &serde_json::to_vec(&known)?)?;
        }
        if let Some(saved) = self.read("session.json")? {
            let saved: SavedSession = serde_json::from_slice(&saved)
                .with_context(|| format!("{} is damaged", self.path("session.json").display()))?;
            let saved = SavedSession { log: log.clone(), ..saved };
            self.write("session.json", &Zeroizing::new(serde_json::to_vec(&saved)?))?;
        }
        Ok(())
    }

    /// Where a checkpoint of lost history stays as evidence.
    pub(crate) fn lost_history(&self, size: u64) -> PathBuf {
        self.path(&format!("lost-history-{size}.note"))
    }

    /// Keys that the keystore holds for this account, as of the last time that it was asked.
    pub(crate) fn keys(&self) -> anyhow::Result<Vec<KeyInfo>> {
        let Some(json) = self.read("keys.json")? else { return Ok(Vec::new()) };
        serde_json::from_slice(&json)
            .with_context(|| format!("{} is damaged", self.path("keys.json").display()))
    }

    /// Certificates of one's own keys there, for which this machine needs no network.
    pub(crate) fn certificates(&self) -> anyhow::Result<Vec<Certificate>> {
        let own = |key: &KeyInfo| key.grant.is_none();
        let keys = self.keys()?.into_iter().filter(own);
        keys.map(|key| Ok(Certificate::parse(&key.certificate.0)?)).collect()
    }

    /// What is known of the secret part of this certificate, when it is there: one's own, or somebody's who shares it.
    pub(crate) fn key(&self, fingerprint: &Fingerprint) -> anyhow::Result<Option<KeyInfo>> {
        Ok(self.keys()?.into_iter().find(|key| key.fingerprint.as_fingerprint() == fingerprint))
    }

    /// The keystore's directory, for addresses in the domains of one's own: about others it has nothing to say.
    pub(crate) fn directory_for(&self, address: &Address) -> anyhow::Result<Option<Directory>> {
        if !self.exists() {
            return Ok(None);
        }
        let session = self.session()?;
        let own = session.identity().addresses.iter().filter_map(|own| Address::parse(own).ok());
        if own.into_iter().all(|own| own.domain() != address.domain()) {
            return Ok(None);
        }
        let origin = session.keystore().identity().origin.as_str().to_owned();
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        Ok(Some(Directory { host: host.to_owned(), origin }))
    }

    /// Asks which keys there are, and keeps the answer.
    pub(crate) fn refresh_keys(&self, session: &mut Session) -> anyhow::Result<Vec<KeyInfo>> {
        let keys = session.call(&ListKeys {})?.keys;
        self.write("keys.json", &serde_json::to_vec(&keys)?)?;
        Ok(keys)
    }

    /// Has a key made there or takes one there, and remembers that it is there.
    pub(crate) fn enter_key<C: Call<Answer = KeyInCustody>>(&self, call: &C) -> anyhow::Result<KeyInCustody> {
        self.call_and_refresh(call)
    }

    /// Makes one call, in a session that is kept.
    pub(crate) fn call<C: Call>(&self, call: &C) -> anyhow::Result<C::Answer> {
        let mut session = self.session()?;
        let answer = session.call(call);
        self.keep_session(&session)?;
        Ok(answer?)
    }

    /// Makes a call that changes which keys are there, or what is public of them, and remembers it.
    pub(crate) fn call_and_refresh<C: Call>(&self, call: &C) -> anyhow::Result<C::Answer> {
        let mut session = self.session()?;
        let answer = session.call(call)?;
        self.refresh_keys(&mut session)?;
        self.keep_session(&session)?;
        Ok(answer)
    }

    /// Keeps the agent's address, which is a secret: who has it uses keys. Gives the file that it is in.
    pub(crate) fn keep_agent_url(&self, url: &str) -> anyhow::Result<PathBuf> {
        self.write("agent.url", url.as_bytes())?;
        Ok(self.path("agent.url"))
    }

    /// Forgets session and keys. The pin stays, and what was seen of the log; so does the device key, by which the keystore knows this
    /// machine.
    pub(crate) fn forget_session(&self) -> anyhow::Result<()> {
        self.remove(&["session.json", "keys.json"])
    }

    /// Forgets everything: the next log-in is a new device at a keystore that nobody knows.
    pub(crate) fn forget_all(&self) -> anyhow::Result<()> {
        self.remove(&["session.json", "keys.json", "device.key", "known.json", "agent.url"])
    }

    fn remove(&self, names: &[&str]) -> anyhow::Result<()> {
        for name in names {
            match fs::remove_file(self.path(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("cannot remove {}", self.path(name).display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
        match fs::read(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => Ok(Some(Zeroizing::new(
                other.with_context(|| format!("cannot read {}", self.path(name).display()))?,
            ))),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))?;
            replace_file(&self.path(name), content)
        };
        write().with_context(|| format!("cannot write {}", self.path(name).display()))
    }
}

/// Where a keystore's directory is asked.
pub(crate) struct Directory {
    pub(crate) host: String,
    pub(crate) origin: String,
}

/// A keystore that this machine has logged in at.
#[derive(Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) keystore: KeystoreIdentity,
    pub(crate) log: SeenLog,
}

/// How this program talks to keystores.
pub(super) fn options() -> Options {
    let browser = Browser::new(|url| eprintln!("open this page in your browser to show your passkey: {url}"));
    Options { browser: Some(browser), ..Options::new(SystemTime::now) }
}

fn not_logged_in() -> Failure {
    Failure::new(Exit::KeystoreRefused, "this machine is not logged in at a keystore")
        .hint("`plombe login https://keys.example.org` logs in")
}

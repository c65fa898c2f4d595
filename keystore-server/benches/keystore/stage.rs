// SPDX-License-Identifier: LGPL-2.0-or-later
//! A running keystore with people in it.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result};
use plombe_client::{DeviceKey, Keystore as Client, Options};
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::calls::{
        custody::{Context, Purpose, SignDigest, SignatureClaim, Unwrap},
        keys::{GenerateKey, Profile},
    },
    message::{Seal, SealedMessage},
};
use plombe_tests::Keystore;

use crate::{
    load::{self, Caller, Kind, Load},
    processor,
};

/// Nobody waits for a limit here.
const NO_LIMITS: &str = "\n[limits]\nlog_ins_per_minute = 1000000\nrequests_per_second = 1000000\nkey_uses_per_minute = 1000000\nlook_ups_per_minute = 100000000\n";

/// A keystore and who uses it.
pub(crate) struct Stage {
    keystore: Keystore,
    callers: Vec<Mutex<Caller>>,
    /// PostgreSQL's first process, if it is that.
    database: Option<u32>,
}

/// What came out of a load.
pub(crate) struct Outcome {
    /// Of each answer, sorted.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) time: Duration,
    /// Processor time of the keystore and its database, and of this program.
    pub(crate) server: Duration,
    pub(crate) caller: Duration,
}

impl Stage {
    pub(crate) fn start(database: Option<&str>, people: usize) -> Result<Self> {
        let init: Vec<&str> = database.iter().flat_map(|database| ["--database", database]).collect();
        let mut keystore = Keystore::start(program(), "example.org", &init);
        keystore.kill();
        without_limits(&keystore)?;
        keystore.start_again();
        let callers = (0..people).map(|i| caller(&keystore, i).map(Mutex::new)).collect::<Result<_>>()?;
        let database = database.map(postmaster).transpose()?;
        Ok(Self { keystore, callers, database })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.keystore.folder()
    }

    pub(crate) fn run(&self, kind: Kind, load: Load) -> Result<Outcome> {
        let mut serving = vec![self.keystore.process_id()];
        serving.extend(self.database.into_iter().flat_map(processor::family));
        let used = || (processor::of(&serving), processor::of(&[std::process::id()]));
        let before = used();
        let (latencies, time) = load::run(&self.callers, kind, load)?;
        let after = used();
        Ok(Outcome { latencies, time, server: after.0 - before.0, caller: after.1 - before.1 })
    }
}

impl Outcome {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// Processor time for one answer.
    pub(crate) fn server_each(&self) -> Duration {
        self.server.div_f64(self.latencies.len().max(1) as f64)
    }

    /// That of who asked.
    pub(crate) fn caller_each(&self) -> Duration {
        self.caller.div_f64(self.latencies.len().max(1) as f64)
    }
}

/// The keystore, built like this program.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_plombe-keystore"))
}

/// From its next start on.
pub(crate) fn without_limits(keystore: &Keystore) -> Result<()> {
    let config = keystore.folder().join("config.toml");
    Ok(fs::OpenOptions::new().append(true).open(config)?.write_all(NO_LIMITS.as_bytes())?)
}

fn caller(keystore: &Keystore, index: usize) -> Result<Caller> {
    let address = format!("person{index}@example.org");
    let code = keystore.add_user(&address).parse()?;
    let client = Client::connect(keystore.url(), None, Options::new(SystemTime::now))?;
    let mut session = client.log_in_with_code(DeviceKey::generate(), &code, "bench")?;
    let made = session.call(&GenerateKey {
        user_ids: vec![address],
        profile: Profile::Rfc4880,
        valid_for_seconds: None,
    })?;
    let certificate = Certificate::parse(&made.key.certificate.0)?;
    let mut sealed = Vec::new();
    let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
    Seal::new(vec![&certificate], &policy, now).seal(&mut &b"hello"[..], &mut sealed)?;
    let message = SealedMessage::parse(&sealed[..])?;
    let context = |purpose| Context {
        message_id: Some("<20260101.1234567890@mail.example.org>".into()),
        sender: Some("bob@example.org".into()),
        purpose,
    };
    let unwrap = Unwrap {
        key: made.key.fingerprint.clone(),
        pkesk: message.wrapped_session_keys()[0].to_bytes().into(),
        session_key_size: None,
        context: context(Purpose::ReadMail),
    };
    let sign = SignDigest {
        key: made.key.fingerprint,
        subkey: made.key.signing.first().cloned().context("it signs")?,
        hash: 10,
        digest: vec![5; 64].into(),
        claim: SignatureClaim { signature_type: 0, created: 1_700_000_000 },
        context: context(Purpose::SendMail),
    };
    Ok(Caller { session, unwrap, sign })
}

/// The first process of the server with this connection string: its socket lies beside its data.
fn postmaster(database: &str) -> Result<u32> {
    let (_, folder) = database.split_once("host=").context("a socket")?;
    let text = fs::read_to_string(Path::new(folder).join("data/postmaster.pid"))?;
    text.lines().next().and_then(|line| line.parse().ok()).context("a process")
}

/// 99th percentile of appending 16 KiB and waiting for the disk, where the database lies.
pub(crate) fn disk(folder: &Path) -> Result<Duration> {
    let path = folder.join("sync");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        file.write_all(&[1; 16 << 10])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    fs::remove_file(path)?;
    times.sort_unstable();
    Ok(percentile(&times, 0.99))
}

/// Of sorted times.
pub(crate) fn percentile(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part) as usize).copied().unwrap_or_default()
}

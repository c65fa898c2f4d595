// SPDX-License-Identifier: LGPL-2.0-or-later
//! Look-ups by Web Key Directory, among few certificates and among many.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result};
use plombe_core::{
    cert::{Profile, Tsk},
    keystore::{
        KeyFingerprint, PrincipalId, TenantId,
        calls::{login::Role, principals::PrincipalState},
    },
    recipients::{Address, wkd},
};
use plombe_keystore::{
    access_policy::{Action, Refusal, refusal},
    config::Config,
    fresh, instance,
    ledger::{Act, Effects, Scene},
    registry::{Key, KeyState, Principal, Record},
    root_key, store,
};
use plombe_tests::Keystore;

use crate::{processor, report::say, stage};

/// People whose certificate is looked up; the others only fill.
const ASKED_FOR: u64 = 50;
/// Of one batch.
const AT_ONCE: u64 = 5_000;

/// One row per size.
pub(crate) fn measure(sizes: &[u64], each: Duration) -> Result<()> {
    say("| certificates | one look-up, processor | p50 | p99 | memory of the server | start, processor |");
    say("|---|---|---|---|---|---|");
    for size in sizes {
        let mut keystore = Keystore::start(stage::program(), "example.org", &[]);
        keystore.kill();
        stage::without_limits(&keystore)?;
        // In a process of its own, whose memory is gone before the server needs as much.
        let config = keystore.folder().join("config.toml");
        let mut filling = Command::new(std::env::current_exe()?);
        let filled = filling.arg("--fill").arg(config).arg(size.to_string()).status()?;
        anyhow::ensure!(filled.success(), "the directory was not filled");
        keystore.start_again();
        let start = processor::of(&[keystore.process_id()]);
        let urls: Vec<String> =
            (0..ASKED_FOR).map(|i| url(&keystore, i * (size / ASKED_FOR))).collect::<Result<_>>()?;
        let before = processor::of(&[keystore.process_id()]);
        let mut times = look_up(&urls, each)?;
        let used = (processor::of(&[keystore.process_id()]) - before).div_f64(times.len() as f64);
        times.sort_unstable();
        say(&format!(
            "| {size} | {:.0} µs | {:.0} µs | {:.0} µs | {} MiB | {:.1} s |",
            used.as_secs_f64() * 1e6,
            stage::percentile(&times, 0.5).as_secs_f64() * 1e6,
            stage::percentile(&times, 0.99).as_secs_f64() * 1e6,
            resident_mib(keystore.process_id())?,
            start.as_secs_f64(),
        ));
    }
    Ok(())
}

fn look_up(urls: &[String], time: Duration) -> Result<Vec<Duration>> {
    let agent = ureq::Agent::new_with_defaults();
    let until = Instant::now() + time;
    let mut times = Vec::new();
    for url in urls.iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let begun = Instant::now();
        let certificate = agent.get(url).call()?.body_mut().read_to_vec()?;
        times.push(begun.elapsed());
        anyhow::ensure!(!certificate.is_empty(), "{url} has no certificate");
    }
    Ok(times)
}

fn address(i: u64) -> String {
    format!("person{i}@example.org")
}

fn url(keystore: &Keystore, i: u64) -> Result<String> {
    let hash = wkd::hash(&Address::parse(&address(i))?);
    Ok(format!("{}/.well-known/openpgpkey/example.org/hu/{hash}?l=person{i}", keystore.url()))
}

fn resident_mib(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("resident memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

/// The child's side.
pub(crate) fn fill_from(arguments: &[String]) -> Result<()> {
    let [_, config, size] = arguments else { anyhow::bail!("--fill CONFIG SIZE") };
    tokio::runtime::Runtime::new()?.block_on(fill(Path::new(config), size.parse()?))
}

/// People and keys, put there by the keystore's own ledger. Who is asked for has a certificate of their own.
async fn fill(config: &Path, size: u64) -> Result<()> {
    let config = Config::load(config)?;
    let root = Arc::from(root_key::open(&config.root_key)?);
    let store = store::open(&config.location()?, false).await?;
    let clock = Arc::new(SystemTime::now);
    let (_, ledger) = instance::start(store, root, "http://127.0.0.1:1".parse()?, clock).await?;
    let tenant = ledger.registry().tenants().next().context("init made one")?.id;
    let shared = certificate("nobody@example.org")?;
    let mut records = Vec::new();
    for i in 0..size {
        let is_asked_for = i % (size / ASKED_FOR) == 0;
        let certificate = if is_asked_for { certificate(&address(i))? } else { shared.clone() };
        records.extend(person(tenant, i, certificate)?);
        if i % AT_ONCE == AT_ONCE - 1 || i == size - 1 {
            ledger.ask(instance::by_server(Fill(std::mem::take(&mut records)))).await?;
        }
    }
    Ok(())
}

fn certificate(address: &str) -> Result<Vec<u8>> {
    let made = Tsk::generate(Profile::Rfc4880, &[address.to_owned()], None, SystemTime::now())?;
    Ok(made.tsk.certificate().to_bytes())
}

fn person(tenant: TenantId, i: u64, certificate: Vec<u8>) -> Result<[Record; 2]> {
    let owner = PrincipalId(fresh::random_uuid());
    let principal = Principal {
        id: owner,
        tenant,
        name: String::new(),
        addresses: vec![address(i)],
        roles: BTreeSet::from([Role::User]),
        admin_since: None,
        state: PrincipalState::Active,
        recovery: None,
        subject: None,
        created: 0,
    };
    let key = Key {
        id: fingerprint()?,
        tenant,
        owner,
        certificate: certificate.into(),
        unwrapping: vec![fingerprint()?].into(),
        signing: vec![fingerprint()?].into(),
        state: KeyState::Active,
        blob_version: 1,
        since: 0,
    };
    Ok([Record::Principal(principal), Record::Key(key)])
}

fn fingerprint() -> Result<KeyFingerprint> {
    let text: String = fresh::random::<20>().iter().map(|byte| format!("{byte:02X}")).collect();
    text.parse().ok().context("a fingerprint")
}

struct Fill(Vec<Record>);

impl Act for Fill {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        match scene.registry.tenants().next() {
            Some(_) => Ok(Effects { put: std::mem::take(&mut self.0), ..Effects::none(()) }),
            None => Err(refusal::NOT_FOUND.into()),
        }
    }
}

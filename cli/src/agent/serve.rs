// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe agent serve`: who knocks, and whether they may come in.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use plombe_core::keystore::KeyFingerprint;
use serde_json::json;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};

use super::{
    http::{self, Answer, Request},
    operation::{Operation, Refused},
};
use crate::{app::App, keystore::Account, output, terminal::Tone};

/// Where it listens.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Port of the loopback interface; without this one that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Bytes of what nobody guesses.
const CAPABILITY: usize = 32;
/// Programs that ask at the same time.
const MOST_CONNECTIONS: usize = 32;
/// An operation is begun and done in one go.
const OPERATION_LASTS: Duration = Duration::from_secs(120);
const MOST_OPERATIONS: usize = 256;

/// What all connections share.
struct Agent {
    account: Mutex<Account>,
    /// `127.0.0.1:port`: a page that made its own name point here asks for another.
    authority: String,
    capability: String,
    operations: Mutex<HashMap<String, (Instant, Arc<Operation>)>>,
    connections: AtomicUsize,
}

pub(super) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    // Before anything is asked of it: has its log only grown since the last time?
    session.verify_log()?;
    account.refresh_keys(&mut session)?;
    account.keep_session(&session)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).with_context(|| {
        format!("cannot listen on 127.0.0.1:{}; without --port one that is free is taken", args.port)
    })?;
    let authority = listener.local_addr()?.to_string();
    let capability = random_name()?;
    let url = format!("http://{authority}/{capability}/\n");
    let file = account.keep_agent_url(&url)?;
    forget_when_stopped(file.clone(), url)?;
    let agent = Arc::new(Agent {
        account: Mutex::new(account),
        authority,
        capability,
        operations: Mutex::default(),
        connections: AtomicUsize::new(0),
    });
    // The address itself is a secret, and terminals are looked at.
    let file = file.display().to_string();
    app.terminal.note(Tone::Good, "listening", &format!("at the address in {file}"));
    match app.terminal.json {
        true => output::print_json(&json!({"address_file": file}))?,
        false => output::print(&format!("{file}\n"))?,
    }
    for stream in listener.incoming().filter_map(Result::ok) {
        if agent.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            agent.connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let agent = Arc::clone(&agent);
        thread::spawn(move || {
            // Who hangs up gets no answer, and needs none.
            let _ = agent.serve(stream);
            agent.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
    Ok(())
}

/// The address goes with the agent: what comes to this port later is somebody else's. Another agent's address stays.
fn forget_when_stopped(file: PathBuf, url: String) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot wait for the end")?;
    thread::spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        if fs::read_to_string(&file).is_ok_and(|kept| kept == url) {
            let _ = fs::remove_file(&file);
        }
        // Whoever stopped it sees by what.
        let _ = emulate_default_handler(signal);
    });
    Ok(())
}

impl Agent {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let answer = match http::read(&mut stream)? {
            Some(request) => self.answer(&request),
            None => Answer::new(400, "not a request\n"),
        };
        http::write(&mut stream, &answer)
    }

    fn answer(&self, request: &Request) -> Answer {
        let nothing = || Answer::new(404, "nothing here\n");
        if request.is_from_page || request.host != self.authority || request.method != "POST" {
            return nothing();
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let (Some(first), Some(second)) = (parts.next(), parts.next()) else { return nothing() };
        if first == "operation" {
            return self.operate(second, request).unwrap_or_else(nothing);
        }
        if !is_same(first, &self.capability) {
            return nothing();
        }
        let key = second.to_ascii_uppercase().parse::<KeyFingerprint>();
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = match (key, query) {
            (Ok(key), "capability=sign") => Operation::sign(&account, key),
            (Ok(key), "capability=decrypt") => Operation::decrypt(&account, key),
            _ => return nothing(),
        };
        drop(account);
        begun.and_then(|operation| self.begin(operation)).unwrap_or_else(|refused| refused.answer())
    }

    /// Keeps it under a name of its own, for one key and one purpose.
    fn begin(&self, operation: Operation) -> Result<Answer, Refused> {
        let name = random_name().map_err(|_| Refused::Failed)?;
        let mut answer = Answer::new(200, "");
        answer.headers.push(("Location", format!("http://{}/operation/{name}", self.authority)));
        if let Some(accepted) = operation.accepts() {
            answer.headers.push(("Accept-Post", accepted.to_owned()));
        }
        let mut operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        operations.retain(|_, (begun, _)| begun.elapsed() < OPERATION_LASTS);
        if operations.len() >= MOST_OPERATIONS {
            return Err(Refused::Busy);
        }
        operations.insert(name, (Instant::now(), Arc::new(operation)));
        Ok(answer)
    }

    fn operate(&self, name: &str, request: &Request) -> Option<Answer> {
        let operation = {
            let operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
            let (begun, operation) = operations.get(name)?;
            (begun.elapsed() < OPERATION_LASTS).then(|| Arc::clone(operation))?
        };
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let done = operation.run(&account, &request.content_type, &request.body);
        Some(done.unwrap_or_else(|refused| refused.answer()))
    }
}

/// In a time that does not depend on where they differ.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Unguessable, in hexadecimal.
fn random_name() -> anyhow::Result<String> {
    let mut bytes = [0; CAPABILITY];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("this system has no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        let name = random_name().unwrap();
        assert_eq!(name.len(), 2 * CAPABILITY);
        assert!(is_same(&name, &name));
        assert!(!is_same(&name, &random_name().unwrap()));
        assert!(!is_same(&name[1..], &name) && !is_same("", &name));
    }
}

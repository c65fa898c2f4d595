// SPDX-License-Identifier: LGPL-2.0-or-later
//! People at work: owners generate, unwrap and sign; guests come, use a key and are cut off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use plombe_client::{ClientError, Session};
use plombe_core::keystore::{
    DeviceId, KeyFingerprint, PrincipalId,
    calls::{
        login::Role,
        revoke::{Revoke, Target},
    },
};
use plombe_keystore::fresh;

use crate::people::{Key, insist, is_outage, newcomer};

/// Something that was done and answered.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) principal: PrincipalId,
    pub(crate) action: &'static str,
    pub(crate) key: KeyFingerprint,
    pub(crate) position: u64,
}

/// A guest who was cut off.
pub(crate) struct Cut {
    pub(crate) device: DeviceId,
    /// What the revocation said: nothing of it is served after this.
    pub(crate) position: u64,
    pub(crate) done: Vec<Done>,
}

/// Somebody with keys.
pub(crate) struct Owner {
    pub(crate) session: Session,
    pub(crate) keys: Vec<Key>,
    pub(crate) done: Vec<Done>,
}

/// Everything that was acknowledged.
pub(crate) struct Work {
    pub(crate) owners: Vec<Owner>,
    pub(crate) cuts: Vec<Cut>,
}

/// People at work until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    owners: Vec<JoinHandle<Owner>>,
    guests: JoinHandle<Vec<Cut>>,
}

/// More would only make the test longer.
const MOST_KEYS: usize = 6;

impl Load {
    pub(crate) fn start(admin: Session, url: &str, owners: usize) -> Self {
        let mut admin = admin;
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let owners = (0..owners).map(|number| {
            let address = format!("owner{number}@example.org");
            let mut session = newcomer(&mut admin, url, &address, &[Role::User]);
            let keys = vec![Key::generate(&mut session, &address).unwrap()];
            let owner = Owner { session, keys, done: Vec::new() };
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            thread::spawn(move || owner.work(&address, &stop, &answered))
        });
        let owners = owners.collect();
        let (stopping, url) = (Arc::clone(&stop), url.to_owned());
        let guests = thread::spawn(move || guests(&mut admin, &url, &stopping));
        Self { stop, answered, owners, guests }
    }

    /// How much owners were answered so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until so much more was answered.
    pub(crate) fn wait_for(&self, more: u64) {
        let wanted = self.answered() + more;
        for _ in 0..600 {
            if self.answered() >= wanted {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("nobody is answered any more");
    }

    /// The end of their work, and what came of it.
    pub(crate) fn stop(self) -> Work {
        self.stop.store(true, Ordering::Relaxed);
        let owners = self.owners.into_iter().map(|owner| owner.join().unwrap()).collect();
        Work { owners, cuts: self.guests.join().unwrap() }
    }
}

impl Owner {
    fn work(mut self, address: &str, stop: &AtomicBool, answered: &AtomicU64) -> Self {
        while !stop.load(Ordering::Relaxed) {
            let dice = below(100);
            let result = if dice < 4 && self.keys.len() < MOST_KEYS {
                Key::generate(&mut self.session, address).map(|key| self.keys.push(key))
            } else {
                let key = self.keys[usize::try_from(below(self.keys.len() as u64)).unwrap()].clone();
                use_key(&mut self.session, &key, dice < 65).map(|done| self.done.push(done))
            };
            match result {
                Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                Err(error) if is_outage(&error) => {}
                Err(error) => panic!("{address}: {error:?}"),
            }
        }
        self
    }
}

fn use_key(session: &mut Session, key: &Key, unwrap: bool) -> Result<Done, ClientError> {
    let (action, position) = match unwrap {
        true => ("unwrap", key.unwrap_by(session)?),
        false => ("sign", key.sign_by(session)?),
    };
    let (principal, key) = (session.identity().principal, key.info.fingerprint.clone());
    Ok(Done { principal, action, key, position })
}

/// One after the other: each is cut off in the middle of what they do.
fn guests(admin: &mut Session, url: &str, stop: &AtomicBool) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let address = format!("guest{number}@example.org");
        let mut session = newcomer(admin, url, &address, &[Role::User]);
        let device = session.identity().device;
        let guest = thread::spawn(move || {
            let key = loop {
                match Key::generate(&mut session, &address) {
                    Ok(key) => break key,
                    Err(error) if is_outage(&error) => {}
                    Err(_) => return Vec::new(),
                }
            };
            let mut done = Vec::new();
            loop {
                match use_key(&mut session, &key, true) {
                    Ok(one) => done.push(one),
                    Err(error) if is_outage(&error) => {}
                    Err(_) => return done,
                }
            }
        });
        thread::sleep(Duration::from_millis(200 + below(400)));
        let revoke = Revoke { target: Target::Device(device), reason: "a drill".into() };
        let position = insist(admin, &revoke).position;
        cuts.push(Cut { device, position, done: guest.join().unwrap() });
    }
    cuts
}

/// A random number.
pub(crate) fn below(end: u64) -> u64 {
    u64::from_be_bytes(*fresh::random()) % end
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keeps secrets where they are: no core dumps, no swap, no debugger of the same user, no new rights.

use std::io;

use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit},
    thread::{CapabilitySet, capabilities, set_no_new_privs},
};

/// What the system did not do, for `doctor`. None of it stops the server: these are second lines of defence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HardenFinding {
    /// Core dumps stay possible.
    #[error("core dumps cannot be switched off: {0}")]
    CoreDumps(io::Error),
    /// Other processes of the same user may read this one's memory.
    #[error("this process can be traced by others of the same user: {0}")]
    Dumpable(io::Error),
    /// Children may gain rights.
    #[error("programs that this one starts may gain rights: {0}")]
    NewPrivileges(io::Error),
    /// Memory may be written to the swap space.
    #[error(
        "memory is not locked, so it may be swapped out: {0}; set LimitMEMLOCK=infinity in the systemd unit \
         (ulimit -l unlimited in a shell), or encrypt the swap space"
    )]
    MemoryLock(io::Error),
}

/// Called first in `main`, before any secret is read and before any thread starts.
#[must_use = "what was refused belongs in the log"]
pub fn process() -> Vec<HardenFinding> {
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    let results = [
        setrlimit(Resource::Core, no_core).map_err(|e| HardenFinding::CoreDumps(e.into())),
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|e| HardenFinding::Dumpable(e.into())),
        set_no_new_privs(true).map_err(|e| HardenFinding::NewPrivileges(e.into())),
        lock_memory().map_err(HardenFinding::MemoryLock),
    ];
    results.into_iter().filter_map(Result::err).collect()
}

/// Locks what is there and what will come, page by page as it is touched.
///
/// Only where no limit can be met later: with one, an allocation that goes beyond it fails, and the server ends in the
/// middle of its work.
fn lock_memory() -> io::Result<()> {
    let limit = getrlimit(Resource::Memlock);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let is_unlimited = limit.maximum.is_none() && setrlimit(Resource::Memlock, raised).is_ok();
    let may_exceed = capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    if !is_unlimited && !may_exceed {
        return Err(io::Error::other("the limit on locked memory is too low"));
    }
    Ok(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?)
}

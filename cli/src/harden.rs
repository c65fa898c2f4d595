// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keeps secrets out of crash dumps and away from debuggers of the same user. Cheap, so every start does it.

/// No core dumps, not ptraceable by other processes of the same user. Where the system refuses we go on: this is a
/// second line of defence.
pub(crate) fn process() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! The server's process, after its first line.

use std::{fs, process::Command};

use plombe_keystore::harden::{self, HardenFinding};

const CHILD: &str = "PLOMBE_TEST_HARDENED";

#[test]
fn the_process_cannot_be_dumped_traced_or_swapped() {
    if std::env::var_os(CHILD).is_none() {
        // It cannot be undone: not in the process of the other tests.
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hardened::the_process_cannot_be_dumped_traced_or_swapped"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let findings = harden::process();
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let value =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(value("NoNewPrivs:"), "1");
    assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
    // Locked, or said so.
    let is_locked = value("VmLck:") != "0 kB";
    let is_said = findings.iter().any(|finding| matches!(finding, HardenFinding::MemoryLock(_)));
    assert!(is_locked != is_said, "{findings:?}, VmLck: {}", value("VmLck:"));
    // What comes later is locked too, and threads still start.
    let stack = std::thread::spawn(|| std::hint::black_box([1_u8; 100_000]).len()).join().unwrap();
    assert_eq!(stack, 100_000);
}

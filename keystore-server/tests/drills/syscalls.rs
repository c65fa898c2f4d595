// SPDX-License-Identifier: LGPL-2.0-or-later
//! In which order the server speaks to the kernel: `kill -9` loses nothing that the kernel has, a power failure does.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use plombe_tests::peers;

use crate::{
    people::{Key, log_in},
    site::Site,
};

/// strace, attached to a server until it is dropped.
struct Trace(Child);

impl Trace {
    fn of(pid: u32, into: &Path) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-yy", "-s", "40", "-e"]);
        strace.arg("trace=pwrite64,pwritev,fsync,fdatasync,write,writev,sendto,sendmsg");
        strace.arg("-o").arg(into).arg("-p").arg(pid.to_string());
        let mut child = strace.stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("attached"), "{line}");
        Self(child)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// What matters of a call, when it was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Something went into the database's write-ahead log, as far as the kernel.
    Wrote,
    /// All of that is on the disk.
    Synced,
    /// An answer began to leave.
    Replied,
}

/// Calls by the time that they ended, answers by the time that they began.
fn events(trace: &str) -> Vec<Event> {
    let mut open: HashMap<&str, &str> = HashMap::new();
    let mut events = Vec::new();
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let begun = match call.strip_prefix("<... ") {
            Some(_) => open.remove(pid).unwrap_or_default(),
            None => call,
        };
        let is_reply = begun.contains("<TCP:") && begun.contains("HTTP/1.1 200");
        let is_over = !call.contains("<unfinished ...>");
        if !is_over {
            open.insert(pid, call);
        }
        if is_reply && !call.starts_with("<... ") {
            events.push(Event::Replied);
        }
        if is_over && begun.contains("-wal>") {
            let is_sync = begun.starts_with("fdatasync(") || begun.starts_with("fsync(");
            assert!(!is_sync || call.ends_with("= 0"), "{line}");
            events.push(if is_sync { Event::Synced } else { Event::Wrote });
        }
    }
    events
}

#[test]
fn the_record_of_a_use_is_on_the_disk_before_its_answer_leaves() {
    if peers::find("strace").is_none() {
        return peers::skip("strace");
    }
    let site = Site::new(None);
    let server = site.server();
    let mut admin = log_in(&server.url(), &site.admin_code.parse().unwrap()).unwrap();
    let key = Key::generate(&mut admin, "admin@example.org").unwrap();
    key.unwrap_by(&mut admin).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    let trace = Trace::of(server.pid(), &file);
    for _ in 0..5 {
        key.unwrap_by(&mut admin).unwrap();
    }
    drop(trace);
    let events = events(&fs::read_to_string(&file).unwrap());
    let uses: Vec<&[Event]> = events.split_inclusive(|event| *event == Event::Replied).collect();
    assert!(uses.len() >= 5, "{events:?}");
    for one in &uses[..5] {
        let [before @ .., Event::Replied] = one else { panic!("{one:?}") };
        assert!(before.contains(&Event::Wrote), "an answer without a record: {events:?}");
        assert_eq!(before.last(), Some(&Event::Synced), "an answer before its record: {events:?}");
    }
}

#[test]
fn an_answer_that_leaves_during_a_sync_is_seen() {
    let trace = "7 pwrite64(9</k/keystore.db-wal>, \"..\", 24, 0) = 24\n\
                 7 fdatasync(9</k/keystore.db-wal> <unfinished ...>\n\
                 8 writev(11<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base=\"HTTP/1.1 200 OK\"}], 1) = 15\n\
                 7 <... fdatasync resumed>)          = 0\n";
    assert_eq!(events(trace), [Event::Wrote, Event::Replied, Event::Synced]);
}

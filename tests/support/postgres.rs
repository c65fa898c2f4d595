// SPDX-License-Identifier: LGPL-2.0-or-later
//! A PostgreSQL of the test's own: one server for each test process, one database for each test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// A server on a socket in a folder of its own. It ends with the test process, however that ends.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    databases: AtomicU32,
}

impl Postgres {
    /// The server of this test process; `None` when PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        SERVER.get_or_init(|| programs().map(Self::start)).as_ref()
    }

    /// A server for one test, which may stop it; `None` when PostgreSQL is not installed.
    pub fn own() -> Option<Self> {
        programs().map(Self::start)
    }

    fn start(programs: PathBuf) -> Self {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        // A socket's path must be short.
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}-{number}", std::process::id()));
        if number == 0 {
            remove_what_others_left();
        }
        fs::create_dir_all(&folder).expect("it is a temporary folder");
        give_away(&folder);
        let mut init = unprivileged(&programs.join("initdb"), &folder);
        init.arg("-D").arg(folder.join("data")).args([
            "-U",
            "test",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]);
        let made = init.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("initdb is installed");
        assert!(made.success(), "initdb: {made}");

        let this = Self { folder, programs, databases: AtomicU32::new(0) };
        this.start_again();
        this
    }

    /// Starts it after [`Postgres::stop`].
    #[track_caller]
    pub fn start_again(&self) {
        // The signal that ends the server comes when the thread that started it ends, so that one must not end before the process.
        let (started, wait) = mpsc::channel();
        let (program, folder) = (self.programs.join("postgres"), self.folder.clone());
        thread::spawn(move || {
            let mut server = unprivileged(&program, &folder);
            server
                .arg("-D")
                .arg(folder.join("data"))
                .args(["-c", "listen_addresses=", "-c", "max_connections=200", "-k"])
                .arg(&folder);
            let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let _ = started.send(child.is_ok());
            if let Ok(mut child) = child {
                let _ = child.wait();
            }
        });
        assert!(wait.recv().unwrap_or(false), "postgres does not start");
        for _ in 0..200 {
            if self.psql("postgres", "SELECT 1").is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("postgres does not answer");
    }

    /// Stops it as a power failure would, as far as it can tell.
    #[track_caller]
    pub fn stop(&self) {
        let mut stop = unprivileged(&self.programs.join("pg_ctl"), &self.folder);
        stop.arg("-D").arg(self.folder.join("data")).args(["-m", "immediate", "-w", "stop"]);
        let stopped = stop.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("pg_ctl is installed");
        assert!(stopped.success(), "pg_ctl stop: {stopped}");
    }

    /// Changes a setting for all connections that come.
    #[track_caller]
    pub fn set(&self, setting: &str, value: &str) {
        self.administer(&format!("ALTER SYSTEM SET {setting} = {value}"));
        self.administer("SELECT pg_reload_conf()");
        for _ in 0..100 {
            if self.psql("postgres", &format!("SHOW {setting}")).is_some_and(|now| now.trim() == value) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{setting} does not become {value}");
    }

    /// A statement by whoever administers it.
    #[track_caller]
    pub fn administer(&self, statement: &str) {
        self.psql("postgres", statement).unwrap_or_else(|| panic!("{statement}"));
    }

    /// Connection string of a new, empty database.
    #[track_caller]
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}")).expect("it is ours");
        format!("postgres://test@localhost/{name}?host={}", self.folder.display())
    }

    /// Everything that the server keeps on disk.
    pub fn folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn psql(&self, database: &str, statement: &str) -> Option<String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-U", "test", "-d", database, "-c", statement, "-h"])
            .arg(&self.folder)
            // Whoever administers it may write, also when nobody else may.
            .env("PGOPTIONS", "-c default_transaction_read_only=off")
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A test process has no last act, so the folder of one that ended is removed by the next.
fn remove_what_others_left() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

const PREFIX: &str = "plombe-pg-";

/// Debian keeps each version's programs in a folder of their own.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<_> = versions.flatten().map(|version| version.path().join("bin")).collect();
    folders.retain(|bin| bin.join("postgres").is_file() && bin.join("initdb").is_file());
    folders.sort();
    folders.pop()
}

/// PostgreSQL refuses to run as root, so root becomes nobody for it. It is told to end when we do.
fn unprivileged(program: &Path, home: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if is_root() {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.arg(program).env("HOME", home);
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("nobody").arg(folder).status().expect("every system has chown");
        assert!(given.success());
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("every system has id");
    id.stdout.starts_with(b"0\n")
}

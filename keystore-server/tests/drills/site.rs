// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore and its servers: the real program.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::http;

const PROGRAM: &str = env!("CARGO_BIN_EXE_plombe-keystore");

/// What was initialised: a folder with configuration and root key, and a database.
pub(crate) struct Site {
    folder: PathBuf,
    pub(crate) admin_code: String,
    /// Not in the folder, which may be full.
    logs: tempfile::TempDir,
    _own: Option<tempfile::TempDir>,
}

impl Site {
    /// In a folder of its own, on SQLite or on this PostgreSQL database.
    pub(crate) fn new(database: Option<&str>) -> Self {
        let own = tempfile::tempdir().unwrap();
        let site = Self::in_folder(own.path(), database);
        Self { _own: Some(own), ..site }
    }

    /// In a folder that is there.
    pub(crate) fn in_folder(folder: &Path, database: Option<&str>) -> Self {
        let mut init = Command::new(PROGRAM);
        init.args(["init", "--domain", "example.org", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        if let Some(database) = database {
            init.args(["--database", database]);
        }
        let output = init.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let code = text.split_once("enrolment code: ").unwrap().1.lines().next().unwrap();
        // Nobody who drills waits for a rate limit.
        let config = folder.join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        let limits = "\n[limits]\nlog_ins_per_minute = 100000\nrequests_per_second = 100000\n";
        fs::write(&config, text + limits).unwrap();
        Self {
            folder: folder.to_owned(),
            admin_code: code.to_owned(),
            logs: tempfile::tempdir().unwrap(),
            _own: None,
        }
    }

    /// A server on a port of its own, reached there.
    pub(crate) fn server(&self) -> Server {
        let address = free_address();
        self.server_at(address, &format!("http://{address}"))
    }

    /// A server that is reached under `origin`.
    pub(crate) fn server_at(&self, address: SocketAddr, origin: &str) -> Server {
        let text = fs::read_to_string(self.folder.join("config.toml")).unwrap();
        let text = text.replace("127.0.0.1:0", &address.to_string());
        let config = self.folder.join(format!("server-{}.toml", address.port()));
        fs::write(&config, format!("origin = \"{origin}\"\n{text}")).unwrap();
        let log = self.logs.path().join(format!("{}.log", address.port()));
        let mut server = Server { address, config, log, child: None };
        server.start();
        server
    }
}

/// One process, or the place where one was.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    config: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--config"])
            .arg(&self.config)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.child = Some(child);
        assert!(line.starts_with("listening on "), "{}", self.log());
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Of the process that runs.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// What it says when it does not start.
    pub(crate) fn why_it_does_not_start(&self) -> String {
        let output = Command::new(PROGRAM).args(["serve", "--config"]).arg(&self.config).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says of itself.
    pub(crate) fn ready(&self) -> u16 {
        http::get(self.address, "/v1/ready").map_or(0, |(status, _)| status)
    }

    /// Waits until it says so.
    pub(crate) fn wait_until_ready(&self, status: u16) {
        for _ in 0..300 {
            if self.ready() == status {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let said = http::get(self.address, "/v1/ready");
        panic!("it never says {status}, but {said:?}:\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An address on which nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

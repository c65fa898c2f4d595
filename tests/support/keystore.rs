// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore that runs: the real program, its own folder, a port of this machine.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{Scratch, authority::ServerCertificate};

/// Initialised, running, and ended with this value.
pub struct Keystore {
    program: PathBuf,
    folder: Scratch,
    server: Child,
    url: String,
    listening: String,
    admin_code: String,
    log: Option<(PathBuf, String)>,
}

impl Keystore {
    /// One for `domain`, with a SQLite file and more arguments for `init`.
    #[track_caller]
    pub fn start(program: &Path, domain: &str, init: &[&str]) -> Self {
        let folder = Scratch::new();
        let mut command = Command::new(program);
        command.args(["init", "--domain", domain, "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
        let admin_code = after(&output(command.args(init)), "enrolment code: ");
        let (server, url) = serve(program, &folder.path().join("config.toml"), None);
        let listening = url.clone();
        Self { program: program.to_owned(), folder, server, url, listening, admin_code, log: None }
    }

    /// From the next start on, everything that it says at every level goes into this file.
    pub fn log_everything_to(&mut self, file: &Path) {
        self.log_to(file, "trace");
    }

    /// The same, with so much of it as `PLOMBE_LOG` says.
    pub fn log_to(&mut self, file: &Path, level: &str) {
        self.log = Some((file.to_owned(), level.to_owned()));
    }

    /// The server's process.
    pub fn process(&self) -> u32 {
        self.server.id()
    }

    /// One of its commands at the console: whether it worked, and all that it said.
    pub fn console(&self, command: &[&str]) -> (bool, String) {
        let config = self.folder.path().join("config.toml");
        let output = Command::new(&self.program).args(command).arg("--config").arg(config).output();
        let output = output.expect("it was built");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens, when its configuration calls it something else.
    pub fn listening(&self) -> &str {
        &self.listening
    }

    /// Its folder: configuration, root key, database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The first admin's code.
    pub fn admin_code(&self) -> &str {
        &self.admin_code
    }

    /// Adds somebody at the console; gives their code.
    #[track_caller]
    pub fn add_user(&self, address: &str) -> String {
        self.code(&["user", "add", address])
    }

    /// Another code for somebody.
    #[track_caller]
    pub fn code_for(&self, address: &str) -> String {
        self.code(&["user", "code", address])
    }

    /// A command at the console that is refused.
    #[track_caller]
    pub fn refuses(&self, command: &[&str]) {
        let config = self.folder.path().join("config.toml");
        let output = Command::new(&self.program).args(command).arg("--config").arg(config).output();
        assert!(!output.expect("it was built").status.success(), "{command:?} was not refused");
    }

    /// A command at the console that prints an enrolment code; gives it.
    #[track_caller]
    pub fn code(&self, command: &[&str]) -> String {
        let config = self.folder.path().join("config.toml");
        after(
            &output(Command::new(&self.program).args(command).arg("--config").arg(config)),
            "enrolment code: ",
        )
    }

    /// The server's process.
    pub fn process_id(&self) -> u32 {
        self.server.id()
    }

    /// What one of the program's other commands prints, with this configuration.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        let config = self.folder.path().join("config.toml");
        output(Command::new(&self.program).args(command).arg("--config").arg(config))
    }

    /// Its disk is lost, and a backup restored; gives what `restore` says.
    #[track_caller]
    pub fn restore(&mut self, backup: &Path) -> String {
        self.kill();
        for name in ["keystore.db", "keystore.db-wal", "keystore.db-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(name));
        }
        let said = self.run(&["restore", backup.to_str().expect("tests name files in UTF-8")]);
        self.start_again();
        said
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// SIGTERM: it puts on record what it has counted, and ends.
    #[track_caller]
    pub fn stop(&mut self) {
        let id = self.server.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill is everywhere");
        assert!(told.success() && self.server.wait().expect("it is ours").success());
    }

    /// Adds to its configuration; counts from the next start on.
    #[track_caller]
    pub fn configure(&self, text: &str) {
        let config = self.folder.path().join("config.toml");
        let before = std::fs::read_to_string(&config).expect("init wrote it");
        std::fs::write(&config, format!("{before}\n{text}")).expect("it is ours");
    }

    /// Ends it and starts it again with TLS, under the address `https://127.0.0.1:PORT`.
    #[track_caller]
    pub fn serve_tls(&mut self, shows: &ServerCertificate) {
        self.kill();
        for (name, content) in [("tls.pem", &shows.certificate), ("tls.key", &shows.key)] {
            let mut options = std::fs::File::options();
            std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create(true).truncate(true), 0o600);
            let mut file = options.open(self.folder.path().join(name)).expect("it is ours");
            std::io::Write::write_all(&mut file, content.as_bytes()).expect("it is ours");
        }
        let config = self.folder.path().join("config.toml");
        let before = std::fs::read_to_string(&config).expect("init wrote it");
        let origin = self.listening.replace("http://", "https://");
        let tls = "[tls]\ncertificate_file = \"tls.pem\"\nkey_file = \"tls.key\"\n";
        std::fs::write(&config, format!("origin = \"{origin}\"\n{before}\n{tls}")).expect("it is ours");
        self.start_again();
    }

    /// Starts it again, under the same address, after [`Keystore::kill`] or [`Keystore::stop`].
    #[track_caller]
    pub fn start_again(&mut self) {
        let config = self.folder.path().join("config.toml");
        let listen = self.listening.trim_start_matches("http://");
        let text = std::fs::read_to_string(&config).expect("init wrote it");
        std::fs::write(&config, text.replace("127.0.0.1:0", listen)).expect("it is ours");
        (self.server, self.url) = serve(&self.program, &config, self.log.as_ref());
    }
}

impl Drop for Keystore {
    fn drop(&mut self) {
        self.kill();
    }
}

#[track_caller]
fn serve(program: &Path, config: &Path, log: Option<&(PathBuf, String)>) -> (Child, String) {
    let mut command = Command::new(program);
    command.args(["serve", "--config"]).arg(config).stdout(Stdio::piped());
    // A line for each request is much, beside what a test says.
    command.env("PLOMBE_LOG", "warn");
    if let Some((file, level)) = log {
        let log = std::fs::File::options().create(true).append(true).open(file).expect("it is ours");
        command.env("PLOMBE_LOG", level).stderr(log);
    }
    let mut server = command.spawn().expect("it was built");
    let mut line = String::new();
    let stdout = server.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
    let url = after(&line, "listening on ");
    (server, url)
}

#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().expect("it was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it speaks UTF-8")
}

#[track_caller]
fn after(text: &str, words: &str) -> String {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {text:?}"));
    rest.lines().next().unwrap_or_default().to_owned()
}

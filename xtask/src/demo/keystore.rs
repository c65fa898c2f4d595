// SPDX-License-Identifier: LGPL-2.0-or-later
//! The organisation's keystore, for as long as the story lasts.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::stage::indented;

/// A running keystore in a folder of the stage.
pub(crate) struct Keystore {
    program: PathBuf,
    folder: PathBuf,
    server: Child,
    url: String,
    admin: String,
    admin_code: String,
}

impl Keystore {
    /// Sets one up for `domain` and starts it, on a port that is free.
    pub(crate) fn start(program: &Path, folder: PathBuf, domain: &str) -> Result<Self> {
        println!("  admin$ plombe-keystore init --data keystore --domain {domain}");
        let mut init = Command::new(program);
        init.args(["init", "--listen", "127.0.0.1:0", "--domain", domain, "--data"]).arg(&folder);
        let said = output(&mut init)?;
        print!("{}", indented(&said));
        println!("  admin$ plombe-keystore serve --config keystore/config.toml");
        let mut server = Command::new(program)
            .args(["serve", "--config"])
            .arg(folder.join("config.toml"))
            .stdout(Stdio::piped())
            // One line for each request: worth a look, but not here.
            .stderr(fs::File::create(folder.join("keystore.log"))?)
            .spawn()
            .context("cannot start plombe-keystore")?;
        let mut line = String::new();
        let stdout = server.stdout.take().context("plombe-keystore has no standard output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        print!("{}", indented(&line));
        let url = after(&line, "listening on ")?;
        let admin_code = after(&said, "enrolment code: ")?;
        let admin = format!("admin@{domain}");
        Ok(Self { program: program.to_owned(), folder, server, url, admin, admin_code })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Lets somebody in: their first enrolment code.
    pub(crate) fn add(&self, address: &str) -> Result<String> {
        if address.eq_ignore_ascii_case(&self.admin) {
            return Ok(self.admin_code.clone());
        }
        self.code("add", address)
    }

    /// A code for a further device of somebody.
    pub(crate) fn code_for(&self, address: &str) -> Result<String> {
        self.code("code", address)
    }

    fn code(&self, verb: &str, address: &str) -> Result<String> {
        println!("  admin$ plombe-keystore user {verb} {address} --config keystore/config.toml");
        let mut user = Command::new(&self.program);
        user.args(["user", verb, address, "--config"]).arg(self.folder.join("config.toml"));
        let said = output(&mut user)?;
        print!("{}", indented(&said));
        after(&said, "enrolment code: ")
    }

    /// Configuration, root key and database.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Keystore {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot start plombe-keystore")?;
    if !output.status.success() {
        bail!("plombe-keystore: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn after(text: &str, words: &str) -> Result<String> {
    let (_, rest) = text.split_once(words).with_context(|| format!("no {words:?} in {text:?}"))?;
    Ok(rest.lines().next().unwrap_or_default().to_owned())
}

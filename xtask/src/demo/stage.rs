// SPDX-License-Identifier: LGPL-2.0-or-later
//! The scene: a scratch folder, one home per person, and a way to run `plombe` so that the reader sees it.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::target;

/// A scratch folder with homes in it.
pub(crate) struct Stage {
    folder: PathBuf,
    plombe: PathBuf,
}

impl Stage {
    /// An empty one.
    pub(crate) fn new(plombe: &Path) -> Result<Self> {
        let folder = target().join("demo");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, plombe: plombe.to_owned() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn read(&self, file: &str) -> Result<Vec<u8>> {
        fs::read(self.folder.join(file)).with_context(|| format!("cannot read {file}"))
    }

    pub(crate) fn write(&self, file: &str, bytes: &[u8]) -> Result<()> {
        fs::write(self.folder.join(file), bytes).with_context(|| format!("cannot write {file}"))
    }

    /// Behind the scenes: nothing is shown.
    pub(crate) fn plombe(&self, who: &str, args: &[&str], input: &[u8]) -> Result<Output> {
        let mut child = self
            .command(who, args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start plombe")?;
        child.stdin.take().context("plombe has no standard input")?.write_all(input)?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("plombe {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output)
    }

    /// Shows the command and what it says; standard output goes to a file when one is named.
    pub(crate) fn shown(&self, who: &str, args: &[&str], output: Option<&str>) -> Result<()> {
        self.act(who, args, None, output)
    }

    /// The same with a file on standard input.
    pub(crate) fn piped(&self, who: &str, args: &[&str], input: &str, output: &str) -> Result<()> {
        self.act(who, args, Some(input), Some(output))
    }

    fn act(&self, who: &str, args: &[&str], input: Option<&str>, output: Option<&str>) -> Result<()> {
        print_command(who, args, input, output);
        let mut command = self.command(who, args);
        if let Some(input) = input {
            command.stdin(File::open(self.folder.join(input))?);
        }
        if let Some(output) = output {
            command.stdout(File::create(self.folder.join(output))?);
        }
        let ran = command.output().context("cannot start plombe")?;
        print!("{}", indented(&said(&ran)));
        if !ran.status.success() {
            bail!("plombe {} ended with {}", args.join(" "), ran.status);
        }
        Ok(())
    }

    /// Shows a command that has to fail, with the exit code that scripts would see.
    pub(crate) fn refused(&self, who: &str, args: &[&str], input: &str, output: &Path) -> Result<()> {
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        print_command(who, args, Some(input), Some(&name));
        let mut command = self.command(who, args);
        command.stdin(File::open(self.folder.join(input))?).stdout(File::create(output)?);
        let ran = command.output().context("cannot start plombe")?;
        print!("{}", indented(&said(&ran)));
        match ran.status.code() {
            Some(code) if code != 0 => tell(&format!("    (exit code {code})")),
            _ => bail!("plombe opened what it had to refuse: please report it (SECURITY.md)"),
        }
        Ok(())
    }

    fn command(&self, who: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.plombe);
        command.args(args).current_dir(&self.folder).env("PLOMBE_HOME", self.folder.join(who));
        command.stdin(Stdio::null());
        command
    }
}

/// What the program said to a person, whichever way.
fn said(ran: &Output) -> String {
    [&ran.stdout, &ran.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

fn print_command(who: &str, args: &[&str], input: Option<&str>, output: Option<&str>) {
    let input = input.map(|file| format!(" < {file}")).unwrap_or_default();
    let output = output.map(|file| format!(" > {file}")).unwrap_or_default();
    println!("  {who}$ plombe {}{input}{output}", args.join(" "));
}

/// A paragraph of the story.
pub(crate) fn tell(text: &str) {
    println!("{text}");
}

/// Set apart from the story. Ends with a line end unless there is nothing.
pub(crate) fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {line}\n")).collect()
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! Other people's programs, for tests that run them beside ours: looks which are missing and installs those.
//!
//! Debian packages through apt (see [`setup`]), OpenPGP.js, its directory clients, oidc-provider and what drives browsers through npm beside their scripts, pysequoia
//! through pip into a virtual environment under `target/`, rPGP through cargo. Versions of all but Debian's are pinned in
//! `tests/interop`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    root, setup,
    steps::{cargo, output_of, run, say},
    target,
};

/// Program and the Debian package that has it. Whoever has the program from elsewhere keeps theirs.
const PROGRAMS: &[(&str, &str)] = &[
    ("gpg", "gpg"),
    ("gpg-agent", "gpg-agent"),
    ("dirmngr", "dirmngr"),
    // A network of its own for programs that insist on names and ports.
    ("ip", "iproute2"),
    ("sq", "sq"),
    ("sqop", "sqop"),
    ("gosop", "gosop"),
    ("rnp", "rnp"),
    ("rnpkeys", "rnp"),
    ("pgpainless-cli", "pgpainless-cli"),
    ("java", "default-jre-headless"),
    ("age", "age"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("python3", "python3"),
    // A PKCS#11 token in software, another program to look into it, and core dumps of a running process.
    ("softhsm2-util", "softhsm2"),
    ("pkcs11-tool", "opensc"),
    ("gcore", "gdb"),
    // Looks at the keystore's unit.
    ("systemd-analyze", "systemd"),
    ("chromedriver", "chromium-driver"),
    ("chromium", "chromium"),
    ("firefox-esr", "firefox-esr"),
    // What a thief of the database would see, in the demo.
    ("sqlite3", "sqlite3"),
    // In which order a server syncs and answers.
    ("strace", "strace"),
];

/// `cargo xtask peers [--thunderbird]`: only install.
pub(crate) fn run_installer(args: &[String]) -> Result<()> {
    match args {
        [] => install(),
        [flag] if flag == "--thunderbird" => install_thunderbird(),
        _ => bail!("cargo xtask peers takes no arguments but --thunderbird"),
    }
}

/// Installs what the interoperability tests and the benchmarks run. Does nothing, quickly, when all is there.
pub(crate) fn install() -> Result<()> {
    let mut packages: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !is_on_path(program)).map(|(_, package)| *package).collect();
    packages.dedup();
    // Debian keeps this part of Python in a package of its own.
    if output_of("python3", &["-c", "import ensurepip, venv"]).is_none() {
        packages.push("python3-venv");
    }
    // Its programs are not on the path.
    if fs::read_dir("/usr/lib/postgresql").is_err() {
        packages.push("postgresql");
    }
    // Nor are those of Postfix that the tests run.
    if !Path::new("/usr/lib/postfix/sbin/master").is_file() {
        packages.push("postfix");
    }
    if !packages.is_empty() {
        setup::packages("testing beside other programs", &packages)?;
    }
    node_modules("installing OpenPGP.js", &root().join("tests/interop/node"))?;
    node_modules("installing OpenPGP.js's directory clients", &root().join("tests/interop/directory"))?;
    node_modules("installing oidc-provider", &root().join("tests/interop/oidc"))?;
    node_modules("installing what drives browsers", &root().join("tests/web"))?;
    python(&root().join("tests/interop/python/requirements.txt"))?;
    rpgp()
}

/// Makes sure that there is Node, for programs of npm's.
pub(crate) fn node() -> Result<()> {
    let missing: Vec<&str> = ["node", "npm"].into_iter().filter(|program| !is_on_path(program)).collect();
    let packages: Vec<&str> =
        missing.iter().map(|name| if *name == "node" { "nodejs" } else { name }).collect();
    if packages.is_empty() { Ok(()) } else { setup::packages("building for browsers", &packages) }
}

/// Installs Thunderbird and what drives it. Apart from the others: it is large, and has a job of its own.
pub(crate) fn install_thunderbird() -> Result<()> {
    if !is_on_path("thunderbird") {
        setup::packages("testing with Thunderbird", &["thunderbird"])?;
    }
    python(&root().join("tests/interop/thunderbird/requirements.txt"))
}

/// Builds rPGP's program. Not part of the workspace, see its `Cargo.toml`.
fn rpgp() -> Result<()> {
    let mut build =
        cargo(["build", "--quiet", "--locked", "--manifest-path", "tests/interop/rpgp/Cargo.toml"]);
    run("building rPGP", build.arg("--target-dir").arg(target().join("peers/rpgp")))
}

/// Interpreter of the virtual environment; exists after [`install`].
pub(crate) fn python_interpreter() -> PathBuf {
    environment().join("bin/python")
}

fn environment() -> PathBuf {
    target().join("peers/python")
}

/// Installs exactly what the lock file says, when that is not what is there.
pub(crate) fn node_modules(step: &str, folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    if is_current(&lock, &folder.join("node_modules/.installed"))? {
        return Ok(());
    }
    // No install scripts: nothing that is fetched runs before a test runs it.
    let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(step, Command::new("npm").args(args).current_dir(folder).stdin(Stdio::null()))?;
    remember(&lock, &folder.join("node_modules/.installed"))
}

/// Installs `requirements` into the virtual environment, which is made when there is none.
fn python(requirements: &Path) -> Result<()> {
    let interpreter = python_interpreter();
    if !interpreter.exists() {
        let mut venv = Command::new("python3");
        run(
            "making a Python environment",
            venv.args(["-m", "venv"]).arg(environment()).stdin(Stdio::null()),
        )?;
    }
    let area =
        requirements.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let stamp = environment().join(format!("{area}.installed"));
    if is_current(requirements, &stamp)? {
        return Ok(());
    }
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run("installing Python packages", pip.arg(requirements).stdin(Stdio::null()))?;
    remember(requirements, &stamp)
}

fn is_current(wanted: &Path, installed: &Path) -> Result<bool> {
    let wanted = fs::read(wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    Ok(fs::read(installed).is_ok_and(|installed| installed == wanted))
}

fn remember(wanted: &Path, installed: &Path) -> Result<()> {
    fs::copy(wanted, installed).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(())
}

fn is_on_path(program: &str) -> bool {
    let found = env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        say(&format!("{program} is not installed"));
    }
    found
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! The programs under test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Path of the `plombe` binary. `PLOMBE_BIN` names it when somebody has built it already (`cargo xtask test` does);
/// otherwise cargo is asked once per test process, so that a test never runs yesterday's code.
pub fn plombe() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| program("PLOMBE_BIN", "plombe"))
}

/// Path of the `plombe-keystore` binary; `PLOMBE_KEYSTORE_BIN` names it.
pub fn plombe_keystore() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| program("PLOMBE_KEYSTORE_BIN", "plombe-keystore"))
}

fn program(variable: &str, package: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "{variable} is {}, and there is no such file", path.display());
            path
        }
        None => build(package),
    }
}

/// Root of the checkout.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate lies one folder below the root")
}

/// Where cargo puts what it builds. `CARGO_TARGET_DIR` and cargo's configuration are honoured, because this test
/// itself lies there: `TARGET/PROFILE/deps/interop-…`.
pub fn target_dir() -> PathBuf {
    let profile = profile_dir();
    profile.parent().expect("a profile's folder lies in the target folder").to_owned()
}

fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let deps = test.parent().expect("a program lies in a folder");
    deps.parent().expect("cargo puts tests in PROFILE/deps").to_owned()
}

fn build(package: &str) -> PathBuf {
    let profile_dir = profile_dir();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", package, "--target-dir"]).arg(target_dir());
    if profile_dir.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(repository()).status().expect("cargo runs, since it runs this test");
    assert!(status.success(), "{package} does not build: {status}");
    profile_dir.join(package)
}

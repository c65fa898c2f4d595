// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where cargo put the source of a dependency.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// The folder of a dependency of the workspace, as this build resolved it.
pub(crate) fn folder(name: &str) -> PathBuf {
    static METADATA: OnceLock<Value> = OnceLock::new();
    package(METADATA.get_or_init(|| metadata(Path::new("Cargo.toml"))), name)
}

/// rPGP's folder. It is the dependency of a program outside the workspace.
pub(crate) fn rpgp() -> PathBuf {
    static METADATA: OnceLock<Value> = OnceLock::new();
    package(METADATA.get_or_init(|| metadata(Path::new("tests/interop/rpgp/Cargo.toml"))), "pgp")
}

/// Cargo fetches what is not here yet.
fn metadata(manifest: &Path) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("core lies in the repository");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(root.join(manifest))
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn package(metadata: &Value, name: &str) -> PathBuf {
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages.iter().find(|package| package["name"] == name).expect("a dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a folder").to_owned()
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where cargo put the source of a dependency.

use std::{path::PathBuf, process::Command, sync::OnceLock};

/// The folder of the package called `name`, as this build resolved it.
pub(crate) fn folder(name: &str) -> PathBuf {
    static METADATA: OnceLock<serde_json::Value> = OnceLock::new();
    let metadata = METADATA.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON")
    });
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages.iter().find(|package| package["name"] == name).expect("a dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a folder").to_owned()
}

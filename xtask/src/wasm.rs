// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask wasm`: plombe-wasm, its JavaScript and its types, in `target/wasm/{web,node}`.
//!
//! Compiled by the toolchain that runs us where it has the target (`rustup target add wasm32-unknown-unknown`), otherwise
//! by Debian's Rust for browsers, which comes with the source of the standard library. `wasm-bindgen` is the library of the
//! version in the lock file (`wasm/bindgen`), `wasm-opt` is npm's binaryen.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    peers, root, setup,
    steps::{cargo, output_of, run},
    target,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// Switches that every browser of the last years understands, and one that picks the browser's randomness.
const FLAGS: &str = "--cfg getrandom_backend=\"wasm_js\" -C target-feature=+simd128,+bulk-memory";

/// What Debian calls its current Rust, which it keeps for building browsers.
const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// `cargo xtask wasm`.
pub(crate) fn run_build(args: &[String]) -> Result<()> {
    if !args.is_empty() {
        bail!("cargo xtask wasm takes no arguments");
    }
    setup::for_building()?;
    peers::node()?;
    build().map(drop)
}

/// Builds it and says in which folder `web` and `node` are.
pub(crate) fn build() -> Result<PathBuf> {
    let compiled = compile()?;
    let out = target().join("wasm");
    let (web, node) = (out.join("web"), out.join("node"));
    run("building wasm-bindgen", &mut cargo(["build", "--locked", "--package", "plombe-wasm-bindgen"]))?;
    let mut bindgen = Command::new(target().join("debug/plombe-wasm-bindgen"));
    run("JavaScript and types", bindgen.arg(&compiled).arg(&web).stdin(Stdio::null()))?;
    let module = web.join("plombe_bg.wasm");
    optimise(&module)?;
    fs::create_dir_all(&node)?;
    for name in ["plombe.js", "plombe.d.ts", "plombe_bg.wasm", "plombe_bg.wasm.d.ts"] {
        fs::copy(web.join(name), node.join(name)).with_context(|| format!("no {name}"))?;
    }
    fs::copy(root().join("wasm/tools/node.mjs"), node.join("index.mjs"))?;
    let mut sizes = Command::new("node");
    run("its size", sizes.arg(root().join("wasm/tools/sizes.mjs")).arg(&module).stdin(Stdio::null()))?;
    Ok(out)
}

fn compile() -> Result<PathBuf> {
    let folder = target().join("wasm/build");
    let mut command = match Toolchain::find() {
        Toolchain::Own => cargo(["build"]),
        Toolchain::Debian { linker } => {
            setup::packages("compiling for WebAssembly", DEBIAN)?;
            let mut command = Command::new("/usr/bin/cargo");
            command.args(["build", "-Zbuild-std=std,panic_abort"]).current_dir(root()).stdin(Stdio::null());
            command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
            // What the toolchain that runs us tells its children is not meant for another one.
            for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTDOC", "LD_LIBRARY_PATH"] {
                command.env_remove(variable);
            }
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            command
        }
    };
    command.args(["--locked", "--profile", "wasm", "--lib", "--package", "plombe-wasm", "--target", TARGET]);
    command.arg("--target-dir").arg(&folder).env("RUSTFLAGS", FLAGS).env("CARGO_INCREMENTAL", "0");
    run("compiling for WebAssembly", &mut command)?;
    Ok(folder.join(TARGET).join("wasm/plombe_wasm.wasm"))
}

enum Toolchain {
    /// The one that runs us.
    Own,
    /// Debian's, which has no linker for this target.
    Debian { linker: PathBuf },
}

impl Toolchain {
    fn find() -> Self {
        let sysroot = output_of("rustc", &["--print", "sysroot"]).unwrap_or_default();
        let libraries = Path::new(sysroot.trim()).join("lib/rustlib");
        if libraries.join(TARGET).is_dir() {
            return Self::Own;
        }
        let host = output_of("rustc", &["-vV"]).unwrap_or_default();
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        let linker = libraries.join(host).join("bin/rust-lld");
        // Without rustup there is LLVM's own.
        Self::Debian { linker: if linker.exists() { linker } else { "wasm-ld".into() } }
    }
}

/// What the compiler may have used, and browsers and Node have.
const FEATURES: &[&str] = &[
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// In place. What is slow in there was compiled for speed already; this is about size.
fn optimise(module: &Path) -> Result<()> {
    let tools = root().join("wasm/tools");
    peers::node_modules("installing binaryen", &tools)?;
    let mut command = Command::new(tools.join("node_modules/.bin/wasm-opt"));
    command
        .arg(LEVEL)
        .args(FEATURES)
        .args(["--strip-debug", "--strip-producers", "-o"])
        .arg(module)
        .arg(module);
    run("optimising", command.stdin(Stdio::null()))
}

const LEVEL: &str = "-Os";

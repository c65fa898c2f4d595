// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask`: everything about this repository that is more than one cargo command.
//!
//! It depends on next to nothing, so that it builds on a machine where OpenSSL's headers are still missing:
//! putting them there is its job ([`setup`]).

use std::{env, path::PathBuf, process::ExitCode};

mod bench;
mod demo;
mod deny;
mod drill;
mod fuzz;
mod interop;
mod interop_table;
mod peers;
mod setup;
mod steps;
mod tally;
mod test;
mod wasm;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [MAIL.eml]              seal a mail, look at it as the provider does, open it, tamper with it
  test [--no-peers]            everything that CI checks, set-up included
  ci                           the same, and every peer must be there
  interop [--thunderbird]      run the other OpenPGP programs against ours, write docs/interop.md
  bench [--quick] [--json]     measure speed and memory beside the peers
  bench keystore [--long] [load] [log] [directory]
                               measure the running keystore beside bare crypto and bare HTTP
  bench web [--quick]          measure plombe-wasm beside OpenPGP.js in Chromium, write docs/wasm-benchmarks.md
  fuzz TARGET [--seconds N]    look for crashes; without TARGET: list the targets
  fuzz --long [--seconds N]    every target for five minutes, write docs/fuzzing.md
  drill [--long]               kill keystores under load: 5 times on each database, or 100 times
  wasm                         build core for browsers and Node, into target/wasm
  peers [--thunderbird]        install the other OpenPGP programs that tests run
  deny                         licences, sources and banned crates
  setup                        only install what building needs
";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    let done = match command.as_deref() {
        Some("demo") => demo::run(&rest),
        Some("test") => test::run(&rest),
        Some("ci") => test::run_with_every_peer(&rest),
        Some("interop") => interop::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("fuzz") => fuzz::run_targets(&rest),
        Some("drill") => drill::run(&rest),
        Some("peers") => peers::run_installer(&rest),
        Some("wasm") => wasm::run_build(&rest),
        Some("deny") => deny::check(),
        Some("setup") => setup::for_building(),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Root of the repository: the folder above this crate's.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Where builds and scratch files go.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

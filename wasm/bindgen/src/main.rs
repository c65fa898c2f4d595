// SPDX-License-Identifier: LGPL-2.0-or-later
//! Writes the JavaScript and the types around plombe-wasm: `plombe-wasm-bindgen INPUT.wasm FOLDER`.
//!
//! The library of the same version as the one that plombe-wasm is built with, held there by the lock file: the two
//! speak a protocol of their own that changes with each version.

use std::{env, path::Path};

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [input, folder] = &args[..] else { bail!("usage: plombe-wasm-bindgen INPUT.wasm FOLDER") };
    let mut bindgen = Bindgen::new();
    // The module is looked for beside its JavaScript.
    bindgen.web(true)?.omit_default_module_path(false);
    bindgen.input_path(input).out_name("plombe").typescript(true).generate(Path::new(folder))
}

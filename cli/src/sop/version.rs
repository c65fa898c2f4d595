// SPDX-License-Identifier: LGPL-2.0-or-later
//! `version`.

use super::{args::Version, failure::Result, write_stdout};

/// Not all of it: one session key at a time, no hardware keys, and stricter about wrong signatures.
const SPEC: &str = "~draft-dkg-openpgp-stateless-cli-14";
/// `version`, `verify` and `inline-verify` are complete.
const SOPV: &str = "1.0";

pub(super) fn version(args: &Version) -> Result<()> {
    let ours = concat!("plombe ", env!("CARGO_PKG_VERSION"));
    let text = if args.backend {
        plombe_core::engine()
    } else if args.extended {
        format!("{ours}\n{}\ndraft: {SPEC}\nsopv: {SOPV}", plombe_core::engine())
    } else if args.sop_spec {
        SPEC.to_owned()
    } else if args.sopv {
        SOPV.to_owned()
    } else {
        ours.to_owned()
    };
    write_stdout(format!("{text}\n").as_bytes())
}

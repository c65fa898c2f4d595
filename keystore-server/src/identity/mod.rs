// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who asks: what proves a name, and what proves a device.

pub mod oidc;
pub mod passkey;

mod nonce;
mod proof;

pub use nonce::Nonces;
pub use proof::verify_es256;

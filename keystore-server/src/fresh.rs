// SPDX-License-Identifier: LGPL-2.0-or-later
//! New random things.

use std::time::{SystemTime, UNIX_EPOCH};

use plombe_core::keystore::SessionToken;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Fills an array.
pub fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("a system without randomness cannot run a keystore");
    bytes
}

/// An identity that sorts by when it was made.
pub fn uuid(now: SystemTime) -> Uuid {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
}

/// An identity that says nothing.
pub fn random_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(*random()).into_uuid()
}

/// A session's value.
pub fn session_token() -> SessionToken {
    SessionToken::from_random(&random())
}

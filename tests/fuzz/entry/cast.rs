// SPDX-License-Identifier: LGPL-2.0-or-later
//! Alice, who signed; Bob, who reads. The keys are for this and nothing else.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, LockedTsk, Tsk},
    crypto_policy::CryptoPolicy,
    message::{Limits, OpenContext, SealedMessage, UnwrapError},
    session_key::SessionKey,
};

pub(crate) static POLICY: LazyLock<CryptoPolicy> = LazyLock::new(CryptoPolicy::standard);

static ALICE: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
    Certificate::parse_all(include_bytes!("../keys/alice.pgp")).expect("checked in and readable")
});

/// v4 and v6.
static BOB: LazyLock<Vec<Tsk>> = LazyLock::new(|| {
    let locked = LockedTsk::parse_all(include_bytes!("../keys/bob.tsk")).expect("checked in and readable");
    locked.into_iter().map(|tsk| tsk.unlock(None).expect("it has no passphrase")).collect()
});

static READERS: LazyLock<Vec<Fingerprint>> = LazyLock::new(|| BOB.iter().map(Tsk::fingerprint).collect());

/// 2026-12-01: after everything in the corpus was made.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_083_200)
}

pub(crate) fn context() -> OpenContext<'static> {
    OpenContext {
        signers: &*ALICE,
        readers: &READERS,
        policy: &POLICY,
        now: now(),
        // Small, so that the fuzzer does not spend its time on unpacking.
        limits: Limits { compressed_free_bytes: 1 << 20, ..Limits::default() },
        hash_content: true,
    }
}

/// Bob's keys. Passwords are not tried: one Argon2 takes longer than a thousand other inputs.
pub(crate) fn session_key(sealed: &SealedMessage<'_>) -> Result<SessionKey, UnwrapError> {
    sealed.unwrap_session_key(&BOB, &POLICY, now())
}

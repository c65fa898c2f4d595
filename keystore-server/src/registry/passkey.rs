// SPDX-License-Identifier: LGPL-2.0-or-later
//! A passkey, and what showing one is good for.

use plombe_core::keystore::{Bytes, PasskeyId, PrincipalId, TenantId};
use serde::{Deserialize, Serialize};

use crate::identity::passkey::PasskeyKey;

/// What a person shows beside a device of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// Identity.
    pub id: PasskeyId,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Whose it is. Looked up through them alone, so that nobody else's counts.
    pub principal: PrincipalId,
    /// What its owner calls it.
    pub name: String,
    /// The authenticator's name for it.
    pub credential: Bytes,
    /// What it signs with.
    pub key: PasskeyKey,
    /// Its counter at the last use; 0 for those that do not count.
    pub counter: u32,
    /// Seconds since 1970.
    pub created: u64,
}

impl Passkey {
    /// May an answer with this counter be its next one? Authenticators that do not count say 0 each time.
    pub fn goes_on_at(&self, counter: u32) -> bool {
        counter > self.counter || (counter == 0 && self.counter == 0)
    }
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// What a passkey is shown for. One that is shown for the one counts for nothing else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Purpose {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Purpose {
            /// Stable word: in challenges, in the log, for the page.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

purposes! {
    /// A new passkey is made.
    NewPasskey = "new-passkey";
    /// The device that asks, and is pending, becomes one of theirs.
    ThisDevice = "this-device";
    /// Who else is them: devices, passkeys, the recovery code.
    Devices = "devices";
    /// A key comes into the keystore.
    Import = "import";
    /// Somebody else gets the use of a key.
    Delegation = "delegation";
    /// The key that certifies is used.
    Certification = "certification";
    /// A backup takes the place of another; keys are used, where a rule of the organisation demands it.
    KeyUse = "key-use";
    /// People, their roles, and what two administrators do together.
    Administration = "administration";
}

#[cfg(test)]
mod tests {
    use plombe_core::keystore::Bytes;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_counter_goes_on_or_is_none() {
        let at = |counter| Passkey {
            id: PasskeyId(Uuid::nil()),
            tenant: TenantId(Uuid::nil()),
            principal: PrincipalId(Uuid::nil()),
            name: String::new(),
            credential: Bytes(vec![1]),
            key: PasskeyKey::EdDsa(Bytes(vec![0; 32])),
            counter,
            created: 0,
        };
        assert!(at(0).goes_on_at(0) && at(0).goes_on_at(1) && at(7).goes_on_at(8));
        assert!(!at(7).goes_on_at(7) && !at(7).goes_on_at(6) && !at(7).goes_on_at(0));
    }
}

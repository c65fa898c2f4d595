// SPDX-License-Identifier: LGPL-2.0-or-later
//! Raw use of a key: by its owner alone, on a device that they allowed it to, and not for long.

use super::{Action, Decision, Identified, Permitted, refusal};
use crate::registry::Registry;

/// Longest time: who forgets about it is safe again within a week.
const LONGEST: u64 = 7 * 24 * 3600;

/// Allow it, end it, or do it. `decide()` has seen that the device is confirmed.
pub(super) fn decide(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    let key = action.key().and_then(|key| registry.key(key)).ok_or(refusal::NOT_FOUND)?;
    if key.tenant != who.principal.tenant {
        return Err(refusal::NOT_FOUND.into());
    }
    // A grant does not cover it, whatever it says.
    if key.owner != who.principal.id {
        return Err(refusal::KEY_NOT_YOURS.into());
    }
    match action {
        Action::AllowRaw { seconds, .. } if !(1..=LONGEST).contains(seconds) => {
            Err(refusal::RAW_UNBOUNDED.into())
        }
        Action::AllowRaw { .. } | Action::ForbidRaw { .. } => Ok(Permitted::by("owner")),
        Action::SharePoint { subkey, .. } => {
            let allowed = registry.raw_use(&key.id, who.device.id).filter(|it| it.owner == who.principal.id);
            if !allowed.is_some_and(|it| it.given <= now && now < it.expires) {
                return Err(refusal::RAW_NOT_ALLOWED.into());
            }
            match key.unwrapping.contains(subkey) {
                true => Ok(Permitted::by("raw-use-allowed")),
                false => Err(refusal::SUBKEY_UNFIT.into()),
            }
        }
        _ => Err(refusal::NOT_FOR_DEVICES.into()),
    }
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is written into an entry.

use std::time::SystemTime;

use plombe_core::{
    keystore::calls::custody::Context,
    log::entry::{self, Chain, Claimed, Decision, Entry},
};

use super::act::Job;
use crate::{
    access_policy::{Action, Actor, Refusal, seconds},
    registry::Registry,
};

/// The entry's bytes, as they are hashed and as readers get them.
pub(super) fn body(
    registry: &Registry,
    job: &dyn Job,
    action: &Action,
    decision: Result<&'static str, &Refusal>,
    chain: Option<Chain>,
    now: SystemTime,
) -> Vec<u8> {
    let mut about = action.about();
    about.note = about.note.as_deref().map(entry::claim);
    let entry = Entry {
        v: 1,
        time: seconds(now),
        request: job.request().map(|request| request.request_id),
        actor: actor(registry, job.actor()),
        action: action.code().to_owned(),
        about,
        decision: match decision {
            Ok(rule) => Decision { permitted: true, rule: rule.to_owned(), explanation: None },
            Err(refusal) => Decision {
                permitted: false,
                rule: refusal.rule.clone().into_owned(),
                explanation: Some(refusal.message.clone().into_owned()),
            },
        },
        claimed: claimed(job.context(), action),
        chain,
    };
    serde_json::to_vec(&entry).expect("entries have a JSON form")
}

fn actor(registry: &Registry, actor: &Actor) -> entry::Actor {
    let claimed = match actor {
        Actor::Server => return entry::Actor::Keystore,
        Actor::Newcomer { thumbprint } => {
            return entry::Actor::Newcomer { thumbprint: thumbprint.to_string() };
        }
        Actor::Device(claimed) => claimed,
    };
    let found = registry.session(claimed.session).and_then(|session| {
        let device = registry.device(session.device)?;
        let principal = registry.principal(device.principal)?;
        Some(entry::Actor::Device {
            tenant: device.tenant,
            principal: principal.id,
            device: device.id,
            session: session.id,
            roles: principal.roles.iter().copied().collect(),
        })
    });
    found.unwrap_or(entry::Actor::Unknown { session: claimed.session })
}

fn claimed(context: &Context, action: &Action) -> Option<Claimed> {
    let (signature_type, signature_created) = match action {
        Action::Sign { claim, .. } => (Some(claim.signature_type), Some(claim.created)),
        _ => (None, None),
    };
    if *context == Context::default() && signature_type.is_none() {
        return None;
    }
    let mut context = context.clone();
    context.message_id = context.message_id.as_deref().map(entry::claim);
    context.sender = context.sender.as_deref().map(entry::claim);
    Some(Claimed { context, signature_type, signature_created })
}

// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whether an entry may be written. Within these bounds a body always fits ([`MAX_BODY_BYTES`](super::MAX_BODY_BYTES)).

use super::{
    ActorEntry, Chain, ContextEntry, Entry, MAX_ITEMS, UnfitEntry,
    words::{MAX_DETAIL_BYTES, MAX_TEXT_BYTES, is_code, is_text},
};

pub(super) fn fit(entry: &Entry) -> Result<(), UnfitEntry> {
    code("action", &entry.action)?;
    code("rule", &entry.decision.rule)?;
    text("explanation", &entry.decision.explanation, MAX_TEXT_BYTES)?;
    if let ActorEntry::Device { roles, .. } = &entry.actor {
        few(roles.len())?;
        roles.iter().try_for_each(|role| code("role", role))?;
    }
    if let Some(context) = &entry.context {
        fit_context(context)?;
    }
    few(entry.details.len())?;
    for (name, value) in &entry.details {
        code("detail", name)?;
        text("detail", value, MAX_DETAIL_BYTES)?;
    }
    entry.chain.as_ref().map_or(Ok(()), fit_chain)
}

fn fit_context(context: &ContextEntry) -> Result<(), UnfitEntry> {
    code("purpose", &context.purpose)?;
    for (name, claim) in [("message_id", &context.message_id), ("sender", &context.sender)] {
        text(name, claim.as_deref().unwrap_or_default(), MAX_TEXT_BYTES)?;
    }
    Ok(())
}

fn fit_chain(chain: &Chain) -> Result<(), UnfitEntry> {
    let is_first = chain.counter == 1;
    if chain.counter == 0 || is_first != chain.previous.is_none() {
        Err(UnfitEntry::BrokenChain)
    } else {
        Ok(())
    }
}

fn code(name: &'static str, value: &str) -> Result<(), UnfitEntry> {
    if is_code(value) { Ok(()) } else { Err(UnfitEntry::NotACode(name)) }
}

fn text(name: &'static str, value: &str, limit: usize) -> Result<(), UnfitEntry> {
    if is_text(value, limit) { Ok(()) } else { Err(UnfitEntry::BadText(name)) }
}

fn few(count: usize) -> Result<(), UnfitEntry> {
    if count > MAX_ITEMS { Err(UnfitEntry::TooMany) } else { Ok(()) }
}

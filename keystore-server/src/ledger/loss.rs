// SPDX-License-Identifier: LGPL-2.0-or-later
//! Lost history is put on record, so that it is known on every server and after every restart.

use plombe_core::log::SignedCheckpoint;

use super::{Act, Effects, Halt, Scene};
use crate::{
    access_policy::{Action, Actor, Refusal, refusal, seconds},
    registry::{Loss, Record},
};

/// Somebody showed a checkpoint of this keystore that its log does not extend.
pub struct ShowLoss {
    /// The checkpoint.
    pub shown: SignedCheckpoint,
    /// In what way it does not fit.
    pub halt: Halt,
    /// From where on history is lost, if the database says so.
    pub restored_at: Option<u64>,
}

impl Act for ShowLoss {
    type Answer = ();

    fn action(&self) -> Action {
        Action::ShowLoss { lost: *self.shown.head(), halt: self.halt.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        if !matches!(scene.actor, Actor::Server) {
            return Err(refusal::NOT_FOR_DEVICES.into());
        }
        let registry = scene.registry;
        if registry.losses().any(|known| known.covers(self.shown.checkpoint())) {
            return Ok(Effects::none(()));
        }
        // A restore before the last loss that was acknowledged explains that one.
        let explained =
            registry.losses().flat_map(|loss| &loss.acknowledged).map(|known| known.position).max();
        // Whoever has the database can put an older one of these facts back.
        let possible = |at: &u64| *at <= scene.position && *at < self.shown.head().size;
        let from = self.restored_at.filter(possible);
        let from = from.filter(|at| explained.is_none_or(|explained| *at > explained));
        let from = from.or_else(|| (self.halt == Halt::RolledBack).then_some(scene.position));
        let loss = Loss::new(&self.shown, from, seconds(scene.now));
        // What is found now stands for all that was found before and waits. There is no end of it only where something goes on signing.
        let covered = registry
            .losses()
            .filter(|known| known.acknowledged.is_empty() && loss.covers(&known.checkpoint()));
        let covered: Vec<&Loss> = covered.collect();
        let from = covered.iter().filter_map(|known| known.from).chain(loss.from).min();
        let ended = covered.into_iter().map(|known| Record::Loss(known.clone()).key()).collect();
        Ok(Effects { put: vec![Record::Loss(Loss { from, ..loss })], ended, ..Effects::none(()) })
    }
}

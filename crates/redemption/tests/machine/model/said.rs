//! What the embedder is told and what is on screen, held against the truth.

use super::world::World;
use redemption::{CardState, Outcome, OutcomeKind, Screen};

impl World {
    pub(super) fn tell(&mut self, at: usize, outcome: &Outcome) {
        let keeps = self.proxy.keeps();
        self.truth.told(outcome, &self.mozarto, keeps);
        let Some(tab) = self.browser.tabs[at].as_mut() else { return };
        let key = &outcome.attempt;
        let before = tab.told_unconfirmed.contains(key);
        match outcome.kind {
            OutcomeKind::Unconfirmed => {
                self.truth.must(!before, || format!("{key:?} is told unconfirmed twice"));
                tab.told_unconfirmed.push(key.clone());
            }
            OutcomeKind::Failed => self.truth.must(!before, || format!("{key:?} is told failed after unconfirmed")),
            _ => {}
        }
        if outcome.kind != OutcomeKind::Unconfirmed {
            tab.forbidden.retain(|other| other != key);
            tab.ended.push(key.clone());
        }
    }

    /// What is on screen must be true as well.
    pub(super) fn look_at(&mut self, at: usize) {
        let Some(tab) = self.browser.tab(at) else { return };
        let (view, in_hand, keeps) = (tab.machine.view(), tab.in_hand.clone(), self.proxy.keeps());
        match &view.screen {
            Screen::Redeemed { outcome, .. } | Screen::Failed { outcome, .. } | Screen::Unconfirmed { outcome, .. } => {
                self.truth.shown(outcome, &self.mozarto, keeps);
            }
            Screen::Waiting { in_doubt: false, .. } => {
                let taken = in_hand.as_ref().is_some_and(|key| self.mozarto.taken_by(key));
                self.truth.must(!taken, || format!("{in_hand:?} waits as if nothing were taken"));
            }
            _ => {}
        }
        for card in &view.cards {
            if let CardState::Ended(outcome) = &card.state {
                self.truth.shown(outcome, &self.mozarto, keeps);
            }
        }
    }
}

//! Wishes: what uttering one, or its failure, changes.

use crate::{
    conversation::Leg,
    endpoint::Line,
    ids::LegId,
    limits,
    output::{Action, HangUpReason},
    time::Timestamp,
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_wish(&mut self, at: Timestamp, wish: &Action) {
        if wish.is_hearing()
            && let Some(found) = wish.conversation().and_then(|id| self.conversations.get_mut(&id))
        {
            found.mixed = None;
        }
        match wish {
            Action::Mix { conversation, parties, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.mixed = Some(parties.clone());
                }
            }
            Action::HangUp { leg, reason, .. } => {
                self.timers.clear(Timer::HangUpAgain(*leg));
                self.mark_ending(at, *leg, *reason);
            }
            Action::StopRecording { recording, .. } => {
                if let Some(open) = self.recordings.get_mut(recording) {
                    open.stopping = true;
                    if let Some(found) = self.conversations.get_mut(&open.conversation)
                        && found.recording == Some(*recording)
                    {
                        found.recording = None;
                    }
                    self.timers.set(Timer::Recording(*recording), at + limits::RECORDING_CLOSE_MAX);
                    self.end_pause(*recording, at);
                }
            }
            Action::Survey { line } => self.timers.clear(Timer::Survey(*line)),
            _ => {}
        }
    }

    pub(super) fn mark_ending(&mut self, at: Timestamp, id: LegId, reason: HangUpReason) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.ending {
            return;
        }
        leg.ending = true;
        leg.ending_reason = Some(reason);
        self.timers.clear(Timer::Answer(id));
        self.timers.clear(Timer::TransferRing(id));
        self.timers.set(Timer::HangUp(id), at + limits::HANG_UP_MAX);
    }

    /// Some wishes have to be uttered again later when they cannot be carried out now.
    pub(super) fn apply_failure(&mut self, at: Timestamp, wish: &Action) {
        match wish {
            Action::Survey { line } if self.misses(*line) => {
                let pause = at.since(self.took_over_at).clamp(limits::SURVEY_RETRY, limits::SURVEY_RETRY_MAX);
                self.timers.set(Timer::Survey(*line), at + pause);
            }
            Action::HangUp { leg, .. } if self.legs.contains_key(leg) => {
                self.timers.set(Timer::HangUpAgain(*leg), at + limits::HANG_UP_RETRY);
            }
            _ => {}
        }
    }

    /// Whether it matters what lives on this line: legs of a former process do, or somebody is reached over it.
    pub(super) fn misses(&self, line: Line) -> bool {
        let former = |leg: &Leg| leg.line == line && leg.since < self.took_over;
        self.settings.outbound_line == Some(line)
            || self.numbers.values().any(|number| number.line == line)
            || self.agents.values().any(|agent| agent.settings.line == line)
            || self.conversations.values().flat_map(|found| &found.legs).any(former)
    }
}

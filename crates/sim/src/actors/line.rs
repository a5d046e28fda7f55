//! Lines: they carry out actions, in order per conversation and each after some time, and have legs of their own opinion.

use crate::{
    chance::{Chance, Stream},
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Action, Input,
    conversation::{Cause, CauseKind, Hearing, Quality, Role},
    endpoint::Line,
    ids::{ActionId, ConversationId, LegId, RecordingId},
    output::{ActionFailure, Prompt},
    time::{Millis, Timestamp},
};

/// A leg as it is at the line, which is the truth; what the core knows of it may be old.
#[derive(Debug)]
pub struct FarLeg {
    pub line: Line,
    pub who: Who,
    pub state: FarState,
    /// Whom it hears.
    pub peer: Option<LegId>,
    pub chance: Chance,
}

/// Who is at the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Caller(usize),
    Telephone(usize),
    Outside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarState {
    Coming,
    Up,
    Down,
}

/// What happens at a line.
#[derive(Debug)]
pub enum LineStep {
    /// An action is carried out.
    Effect { action: ActionId, wish: Box<Action>, answered: bool },
    /// A telephone is picked up.
    PickUp(LegId),
    /// Whoever picked up presses the key that takes the call.
    Confirm(LegId),
    /// A telephone refuses or cannot be had.
    Refuse(LegId, CauseKind),
    /// A connection breaks.
    Break(LegId, CauseKind),
    /// A prompt ends.
    PlayOver { leg: LegId, play: ActionId },
    /// A recording is on disk, or not.
    Recorded { recording: RecordingId, well: bool },
}

impl FarLeg {
    pub fn new(line: Line, who: Who, chance: Chance) -> FarLeg {
        FarLeg { line, who, state: FarState::Coming, peer: None, chance }
    }

    pub fn caller(&self) -> Option<usize> {
        match self.who {
            Who::Caller(caller) => Some(caller),
            Who::Telephone(_) | Who::Outside => None,
        }
    }
}

pub fn index_of(line: Line) -> usize {
    match line {
        Line::Connected => 0,
        Line::Extended => 1,
        Line::Unified => 2,
    }
}

impl Stage<'_> {
    /// The owner hands an action to its line.
    pub fn carry_out(&mut self, action: ActionId, wish: Action) {
        if let Action::AskService { conversation, .. } = wish {
            return self.ask_service(action, conversation);
        }
        let faults = self.plan.faults;
        let line = wish.line();
        let is_down = line.is_some_and(|line| self.outages[index_of(line)] > 0);
        let name = line.map_or("missing", Line::as_str);
        let conversation = wish.conversation();
        let chance = self.chance_for(conversation);
        let latency = chance.between(faults.latency_least, faults.latency_most);
        let ignored = chance.happens(if is_down { 0.5 } else { faults.ignored });
        let refused = chance.happens(if is_down { 1.0 } else { faults.refused });
        let answered = !chance.happens(faults.unanswered);
        let mut at = self.now + latency;
        if let Some(conversation) = conversation {
            let queued = self.queued_until.entry(conversation).or_default();
            at = at.max(*queued);
            *queued = at;
        }
        if ignored {
            self.trace.note(self.now, &format!("the {} line does nothing about {}", name, crate::trace::kind(&wish)));
        } else if refused {
            self.trace.note(self.now, &format!("the {} line refuses to {}", name, crate::trace::kind(&wish)));
            self.agenda.put(at, Entry::Give(Box::new(Input::ActionFailed { action, failure: failure("the line refuses") })));
        } else {
            self.agenda.put(at, Entry::Line(LineStep::Effect { action, wish: Box::new(wish), answered }));
        }
    }

    /// The stream that decides what happens to the next action of a conversation.
    pub fn chance_for(&mut self, conversation: Option<ConversationId>) -> &mut Chance {
        let leg = conversation.and_then(|id| self.caller_of.get(&id)).and_then(|caller| self.callers[*caller].leg);
        match leg.and_then(|leg| self.legs.get_mut(&leg)) {
            Some(far) => &mut far.chance,
            None => &mut self.chance,
        }
    }

    pub fn at_line(&mut self, step: LineStep) {
        match step {
            LineStep::Effect { action, wish, answered } => {
                let outcome = self.effect(action, *wish);
                match outcome {
                    Ok(()) if answered => self.give_later(Input::ActionDone { action }),
                    Ok(()) => {}
                    Err(detail) => self.give_later(Input::ActionFailed { action, failure: failure(detail) }),
                }
            }
            LineStep::PickUp(leg) => self.pick_up(leg),
            LineStep::Confirm(leg) => {
                if self.legs.get(&leg).is_some_and(|far| far.state == FarState::Up) {
                    self.report(leg, Input::Digit { leg, digit: '1' });
                }
            }
            LineStep::Refuse(leg, kind) | LineStep::Break(leg, kind) => self.leg_down(leg, Some(kind)),
            LineStep::PlayOver { leg, play } => {
                if self.legs.get(&leg).is_some_and(|far| far.state == FarState::Up) {
                    self.report(leg, Input::PlayFinished { leg, play });
                }
            }
            LineStep::Recorded { recording, well } => {
                let since = self.recorded_since.remove(&recording);
                let input = if well {
                    let path = format!("{recording}.wav");
                    Input::RecordingFinished { recording, path, duration: self.now.since(since.unwrap_or(self.now)), channels: 2 }
                } else {
                    Input::RecordingFailed { recording, reason: "the disk is full".to_owned() }
                };
                self.give_later(input);
            }
        }
    }

    /// Makes true what an action asks for. Idempotent, as lines have to be.
    fn effect(&mut self, action: ActionId, wish: Action) -> Result<(), &'static str> {
        match wish {
            Action::Answer { leg, .. } => {
                let Some(far) = self.legs.get_mut(&leg).filter(|far| far.state != FarState::Down) else { return Err("the leg is over") };
                if far.state == FarState::Coming {
                    far.state = FarState::Up;
                    let token = Some(format!("token of {leg}"));
                    self.report(leg, Input::Connected { leg, token });
                }
                Ok(())
            }
            Action::Reject { leg, .. } | Action::HangUp { leg, .. } => {
                match self.legs.get(&leg).map(|far| far.state) {
                    Some(FarState::Coming | FarState::Up) => self.leg_down(leg, Some(CauseKind::Ours)),
                    // Whoever asks again was not told.
                    Some(FarState::Down) | None => self.report_end(leg, CauseKind::Ours),
                }
                Ok(())
            }
            Action::Dial { conversation, leg, line, to, .. } => self.dial(conversation, leg, line, &to),
            Action::Play { leg, repeat, prompt, .. } => {
                let Some(far) = self.legs.get_mut(&leg).filter(|far| far.state == FarState::Up) else { return Err("the leg is over") };
                far.peer = None;
                let asked = matches!(&prompt, Prompt::Text { text, .. } if text.starts_with("Press") || text.starts_with("Bitte"));
                let caller = far.caller().filter(|_| asked);
                if !repeat {
                    const PROMPT: Millis = Millis::from_secs(4);
                    self.agenda.put(self.now + PROMPT, Entry::Line(LineStep::PlayOver { leg, play: action }));
                }
                if let Some(caller) = caller {
                    self.is_asked(caller);
                }
                Ok(())
            }
            Action::Silence { leg, .. } => {
                let Some(far) = self.legs.get_mut(&leg).filter(|far| far.state == FarState::Up) else { return Err("the leg is over") };
                far.peer = None;
                Ok(())
            }
            Action::Bridge { a, b, .. } => self.bridge(a, b),
            Action::Mix { parties, .. } => self.mix_voices(&parties),
            Action::StartRecording { conversation, recording, .. } => {
                self.recorded_since.entry(recording).or_insert(self.now);
                const FAIL: f64 = 0.3;
                let breaks = self.plan.faults.refused;
                if self.chance_for(Some(conversation)).happens(breaks * FAIL) {
                    let after = Millis::from_secs(20);
                    self.agenda.put(self.now + after, Entry::Line(LineStep::Recorded { recording, well: false }));
                }
                Ok(())
            }
            Action::StopRecording { conversation, recording, .. } => {
                let faults = self.plan.faults;
                let chance = self.chance_for(Some(conversation));
                let takes = chance.between(faults.latency_least, Millis(faults.latency_most.0 * 5));
                if !chance.happens(faults.lost) {
                    let well = !chance.happens(faults.refused);
                    self.agenda.put(self.now + takes, Entry::Line(LineStep::Recorded { recording, well }));
                }
                Ok(())
            }
            Action::EndGhost { leg, .. } => {
                if let Some(far) = self.legs.get(&leg)
                    && far.state != FarState::Down
                {
                    self.leg_down(leg, None);
                }
                Ok(())
            }
            Action::Survey { line } => {
                let alive = |far: &FarLeg| far.line == line && far.state != FarState::Down;
                let live = self.legs.iter().filter(|(_, far)| alive(far)).map(|(id, _)| *id).collect();
                self.give_later(Input::Survey { line, live });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn bridge(&mut self, a: LegId, b: LegId) -> Result<(), &'static str> {
        let up = |leg: LegId| self.legs.get(&leg).is_some_and(|far| far.state == FarState::Up);
        if !up(a) || !up(b) {
            return Err("one of the two is not there");
        }
        for (one, other) in [(a, b), (b, a)] {
            if let Some(far) = self.legs.get_mut(&one) {
                far.peer = Some(other);
            }
        }
        let caller_of = |leg: LegId| self.legs.get(&leg).and_then(FarLeg::caller);
        if let Some((caller, partner)) = caller_of(a).map(|caller| (caller, b)).or_else(|| caller_of(b).map(|caller| (caller, a)))
            && self.hears(caller, partner)
        {
            self.begin_talk(caller, partner);
        } else {
            self.stranger_talks(&[a, b]);
        }
        Ok(())
    }

    /// Somebody who was called back at a number that none of the callers has: says goodbye some time, or the talk would last
    /// until the core ends it, which may be after the day.
    fn stranger_talks(&mut self, legs: &[LegId]) {
        let is_customer = |leg: LegId| self.engine.world().leg(leg).is_some_and(|leg| leg.role == Role::Customer);
        let Some(stranger) = legs.iter().copied().find(|leg| is_customer(*leg)) else { return };
        if let Some(far) = self.legs.get_mut(&stranger).filter(|far| far.who == Who::Outside) {
            let after = far.chance.exponential(self.profile.callers.talk);
            self.agenda.put(self.now + after, Entry::Line(LineStep::Break(stranger, CauseKind::FarEnd)));
        }
    }

    fn mix_voices(&mut self, parties: &[Hearing]) -> Result<(), &'static str> {
        let up = |party: &Hearing| self.legs.get(&party.leg).is_some_and(|far| far.state == FarState::Up);
        if !parties.iter().all(up) {
            return Err("one of them is not there");
        }
        for party in parties {
            let peer = party.voices.first().copied();
            let Some(far) = self.legs.get_mut(&party.leg) else { continue };
            far.peer = peer;
            if let (Some(caller), Some(partner)) = (far.caller(), peer)
                && self.hears(caller, partner)
            {
                self.begin_talk(caller, partner);
            }
        }
        Ok(())
    }

    /// A leg is over at the line. `None` = without a word to the core.
    pub fn leg_down(&mut self, leg: LegId, kind: Option<CauseKind>) {
        let Some(far) = self.legs.get_mut(&leg).filter(|far| far.state != FarState::Down) else { return };
        far.state = FarState::Down;
        let (who, peer, measured) = (far.who, far.peer.take(), far.chance.happens(0.5));
        if let Some(kind) = kind {
            if measured && kind != CauseKind::Unreachable {
                self.report(leg, Input::Measured { leg, quality: Quality::default() });
            }
            self.report_end(leg, kind);
        }
        match who {
            Who::Caller(caller) => self.caller_gone(caller),
            Who::Telephone(_) | Who::Outside => {
                let waiting = peer.and_then(|peer| self.legs.get(&peer)).and_then(FarLeg::caller).or_else(|| self.callers_with(leg));
                if let Some(caller) = waiting.filter(|caller| self.callers[*caller].partner == Some(leg)) {
                    self.wait_again(caller);
                }
            }
        }
    }

    /// Who was put on hold by this leg.
    fn callers_with(&self, partner: LegId) -> Option<usize> {
        let conversation = self.engine.world().conversation_of(partner)?;
        self.caller_of.get(&conversation.id).copied()
    }

    pub fn report_end(&mut self, leg: LegId, kind: CauseKind) {
        self.report(leg, Input::Ended { leg, cause: Cause { kind, detail: None } });
    }

    /// A line stops working: its actions fail, and some of its legs break.
    pub fn outage(&mut self, line: Line, chance: &mut Chance) {
        self.outages[index_of(line)] += 1;
        self.trace.note(self.now, &format!("the {} line fails", line.as_str()));
        let lasts = chance.between(Millis::from_secs(5), Millis::from_secs(240));
        self.agenda.put(self.now + lasts, Entry::OutageOver(line));
        let legs: Vec<LegId> =
            self.legs.iter().filter(|(_, far)| far.line == line && far.state != FarState::Down).map(|(id, _)| *id).collect();
        for leg in legs {
            if chance.happens(0.4) {
                let after = chance.between(Millis(0), Millis::from_secs(20));
                self.agenda.put(self.now + after, Entry::Line(LineStep::Break(leg, CauseKind::Network)));
            }
        }
    }

    pub fn outage_over(&mut self, line: Line) {
        let count = &mut self.outages[index_of(line)];
        *count = count.saturating_sub(1);
        self.trace.note(self.now, &format!("the {} line works again", line.as_str()));
    }

    /// A chance for a leg that is called on a caller's behalf.
    pub fn chance_of_called(&mut self, conversation: ConversationId) -> Chance {
        let Some(caller) = self.caller_of.get(&conversation).and_then(|index| self.callers.get_mut(*index)) else {
            return Chance::new(self.plan.seed, Stream::Outside, self.chance.bits());
        };
        caller.called += 1;
        Chance::new(self.plan.seed, Stream::AgentLine, caller.plan.index * 64 + caller.called)
    }

    /// When a report that leaves now is there.
    pub fn arrival(&self, chance: &mut Chance) -> Timestamp {
        let faults = &self.plan.faults;
        self.now + chance.between(faults.latency_least, faults.latency_most)
    }
}

pub fn failure(detail: &str) -> ActionFailure {
    ActionFailure { code: "simulated".to_owned(), detail: detail.to_owned() }
}

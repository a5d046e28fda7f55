//! Who hears whom, as a function of what a conversation is: the one place where hold, consult, conference and supervision meet,
//! so that they cannot disagree.

use super::{Conversation, Facing, Leg, Supervision, SupervisionMode};
use crate::{ids::LegId, input::TransferTarget, output::Prompt};
use serde::{Deserialize, Serialize};

/// What one leg hears.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hearing {
    /// Who hears.
    pub leg: LegId,
    /// Whom, all at once.
    pub voices: Vec<LegId>,
    /// What instead, where there is nobody to hear; nothing where this is `None` too.
    pub prompt: Option<Prompt>,
}

impl Conversation {
    /// Whether more than two hear each other, or could: then its line is told the whole of [`Conversation::hearing`] at once.
    pub fn is_mixed(&self) -> bool {
        self.talk.is_some() && (!self.members.is_empty() || self.supervisors.iter().any(|one| one.answered_at.is_some()))
    }

    /// What every leg in the talk hears; nobody but those named hears anything. Empty without a talk. `music` is what people
    /// hear who are kept waiting.
    ///
    /// Customer, agent, members of a conference and who is consulted either talk with each other or wait, as hold and consult
    /// say. Supervisors follow the agent: they hear those who talk there; who whispers is heard by the agent alone, who barges
    /// is one of those who talk. Whoever puts the own telephone on hold is not heard, so that no other music disturbs the rest.
    pub fn hearing(&self, music: &Prompt) -> Vec<Hearing> {
        let (Some(talk), Some(customer)) = (&self.talk, self.customer) else { return Vec::new() };
        let agent = talk.leg;
        let is_held = |leg: LegId| self.leg(leg).is_some_and(|leg: &Leg| leg.held);
        let consulted = self.consult.as_ref().and_then(|consult| consult.answered_leg());
        let members = || self.members.iter().map(|member| member.leg).filter(|leg| !is_held(*leg));

        let mut talking = Vec::new();
        let mut waiting = Vec::new();
        match self.consult.as_ref().map(|consult| consult.facing) {
            Some(Facing::Target) => {
                talking.push(agent);
                talking.extend(consulted);
                waiting.push(customer);
                waiting.extend(members());
            }
            Some(Facing::Customer) => {
                talking.extend([customer, agent]);
                talking.extend(members());
                waiting.extend(consulted);
            }
            None if talk.held_since.is_some() => {
                talking.extend(Some(agent).filter(|agent| !is_held(*agent)));
                talking.extend(members());
                waiting.push(customer);
            }
            None => {
                talking.extend([customer, agent]);
                talking.extend(members());
            }
        }
        let following = |modes: &[SupervisionMode]| {
            let there = |one: &&Supervision| one.answered_at.is_some() && modes.contains(&one.mode);
            self.supervisors.iter().filter(there).map(|one| one.leg).collect::<Vec<_>>()
        };
        talking.extend(following(&[SupervisionMode::Barge]).into_iter().filter(|leg| !is_held(*leg)));
        let whispering: Vec<LegId> = following(&[SupervisionMode::Whisper]).into_iter().filter(|leg| !is_held(*leg)).collect();

        let alone = |leg: LegId| match leg {
            _ if waiting.contains(&leg) => Some(music.clone()),
            _ if leg == agent => self.consult.as_ref().map(|_| self.consult_sound(music)),
            // Left alone by an agent whose own telephone holds.
            _ if talking.contains(&leg) && self.members.iter().any(|member| member.leg == leg) => Some(music.clone()),
            _ => None,
        };
        let hears = |leg: LegId| {
            let follows = self.supervisors.iter().any(|one| one.leg == leg);
            let among = talking.contains(&leg) || follows;
            let mut voices: Vec<LegId> = talking.iter().copied().filter(|other| among && *other != leg).collect();
            if leg == agent {
                voices.extend(&whispering);
            }
            let prompt = if voices.is_empty() { alone(leg) } else { None };
            Hearing { leg, voices, prompt }
        };
        let everybody = [customer, agent].into_iter().chain(self.members.iter().map(|member| member.leg)).chain(consulted);
        let supervisors = following(&[SupervisionMode::Listen, SupervisionMode::Whisper, SupervisionMode::Barge]);
        everybody.chain(supervisors).map(hears).collect()
    }

    /// What an agent hears whose consult nobody has answered yet.
    fn consult_sound(&self, music: &Prompt) -> Prompt {
        match self.consult.as_ref().map(|consult| &consult.to) {
            Some(TransferTarget::Queue(_)) if self.offer.is_none() => music.clone(),
            _ => Prompt::Ringback,
        }
    }
}

//! Supervisors, who step in: into conversations, and into what agents do.

use crate::{chance::Chance, profile::company::SHOP_HOURS, stage::Stage};
use dreiklang_core::{
    Actor, Command,
    agent::{Availability, Duty},
    endpoint::Party,
    hours::Switch,
    ids::{AgentId, CallbackId, ConversationId, MessageId},
    input::TransferTarget,
    output::Prompt,
    time::Millis,
    voicemail::MessageState,
};

impl Stage<'_> {
    pub fn supervise(&mut self, chance: &mut Chance) {
        if chance.happens(0.3) {
            self.begin_following(chance);
            return;
        }
        let world = self.engine.world();
        let conversations: Vec<ConversationId> = world.conversations().map(|found| found.id).collect();
        let conversation = chance.pick(&conversations).copied();
        let (Some(agent), Some(queue)) = (chance.pick(&self.profile.agents).copied(), chance.pick(&self.profile.queues).copied()) else {
            return;
        };
        let other: AgentId = chance.pick(&self.profile.agents).copied().unwrap_or(agent);
        if chance.happens(0.1) {
            return self.look_after_messages(chance);
        }
        if chance.happens(0.12) {
            return self.look_after_letters(chance);
        }
        if chance.happens(0.15) {
            return self.look_after_callbacks(chance);
        }
        let command = match chance.below(28) {
            0..=2 => conversation.map(|conversation| Command::Transfer { conversation, to: TransferTarget::Queue(queue) }),
            3 => conversation.map(|conversation| Command::Transfer { conversation, to: TransferTarget::Agent(other) }),
            4 => conversation.map(|conversation| Command::HangUp { conversation }),
            5 => Some(Command::SetDuty { agent, duty: Duty::OffDuty }),
            6 => Some(Command::SetAvailability { agent, availability: Availability::NotReady { reason: "meeting".to_owned() } }),
            7 => Some(Command::FinishWrapUp { agent, disposition: Some("closed by supervisor".to_owned()) }),
            8 => Some(Command::Decline { agent }),
            14 => conversation.map(|conversation| Command::StartRecording { conversation }),
            15 => conversation.map(|conversation| Command::StopRecording { conversation }),
            16 => {
                let until = Some(self.engine.world().at() + Millis::from_secs(600));
                let to = if chance.happens(0.5) { Switch::ForcedClosed { until } } else { Switch::ForcedOpen { until } };
                Some(Command::SetHoursOverride { hours: SHOP_HOURS, to })
            }
            25..=26 => {
                let priority = chance.below(101) as u8;
                conversation.map(|conversation| Command::SetPriority { conversation, priority })
            }
            17 => Some(Command::SetHoursOverride { hours: SHOP_HOURS, to: Switch::Automatic }),
            18..=19 => {
                let waiting: Vec<ConversationId> =
                    world.conversations().filter(|found| found.visit.is_some()).map(|found| found.id).collect();
                let by = if chance.happens(0.5) { Actor::Agent(agent) } else { Actor::User("supervisor".to_owned()) };
                if let Some(conversation) = chance.pick(&waiting).copied() {
                    self.ask(by, Command::Pull { conversation, agent }, None);
                }
                None
            }
            27 => {
                let profiles = self.engine.world().agent(agent).map(|agent| agent.settings.profiles.keys().cloned().collect::<Vec<_>>());
                let profile = profiles.and_then(|profiles| chance.pick(&profiles).cloned()).filter(|_| chance.happens(0.7));
                Some(Command::ChooseProfile { agent, profile })
            }
            22 => Some(Command::SignOutOfQueue { agent, queue }),
            23..=24 => Some(Command::SignIntoQueue { agent, queue }),
            20..=21 => {
                let talks: Vec<ConversationId> = world.conversations().filter(|found| found.talk.is_some()).map(|found| found.id).collect();
                let (queue, keep_wait) = (chance.happens(0.3).then_some(queue), chance.happens(0.5));
                chance.pick(&talks).map(|conversation| Command::Requeue { conversation: *conversation, queue, keep_wait })
            }
            10 => {
                let until = chance.happens(0.5).then(|| self.engine.world().at() + Millis::from_secs(300));
                Some(Command::CloseQueue { queue, reason: "fire drill".to_owned(), until })
            }
            11..=12 => Some(Command::OpenQueue { queue }),
            13 => {
                let text = "We know of the outage.".to_owned();
                let notice = chance.happens(0.5).then(|| Prompt::Text { text, language: "en".to_owned() });
                Some(Command::SetNotice { queue, notice })
            }
            _ => conversation.map(
                |conversation| {
                    if chance.happens(0.5) { Command::Hold { conversation } } else { Command::Resume { conversation } }
                },
            ),
        };
        if let Some(command) = command {
            self.ask(Actor::User("supervisor".to_owned()), command, None);
        }
    }

    fn look_after_callbacks(&mut self, chance: &mut Chance) {
        let callbacks: Vec<CallbackId> = self.engine.world().callbacks().iter().map(|callback| callback.id).collect();
        let callback = chance.pick(&callbacks).copied();
        let later = Some(self.engine.world().at() + Millis::from_secs(1_200));
        let again = callback.and_then(|id| self.engine.world().callback(id)).map(|open| (open.queue, open.number.clone()));
        let command = match (chance.below(5), callback) {
            // The customer has filled in the form once more.
            (2, Some(_)) => {
                let Some((queue, number)) = again else { return };
                let party = Party { number: Some(number), name: None };
                Command::RequestCallback { queue, party, at: None, priority: None, language: None }
            }
            (0, Some(callback)) => Command::CancelCallback { callback },
            (1, Some(callback)) => Command::RescheduleCallback { callback, at: later.filter(|_| chance.happens(0.7)) },
            _ => {
                let Some(queue) = chance.pick(&self.profile.queues).copied() else { return };
                // Somebody who calls today, too.
                let number = Some(format!("+491701{:06}", chance.below(1_000)));
                let party = Party { number, name: None };
                let at = later.filter(|_| chance.happens(0.5));
                Command::RequestCallback { queue, party, at, priority: chance.happens(0.3).then_some(70), language: None }
            }
        };
        self.ask(Actor::User("supervisor".to_owned()), command, None);
    }

    /// The day is over: nobody is called back any more.
    pub fn cancel_callbacks(&mut self) {
        let open: Vec<CallbackId> = self.engine.world().callbacks().iter().map(|callback| callback.id).collect();
        for callback in open {
            self.ask(Actor::User("supervisor".to_owned()), Command::CancelCallback { callback }, None);
        }
    }

    fn look_after_messages(&mut self, chance: &mut Chance) {
        let messages: Vec<MessageId> = self.engine.world().messages().iter().map(|message| message.id).collect();
        let Some(message) = chance.pick(&messages).copied() else { return };
        let command = match chance.below(3) {
            0 => Command::MarkMessage { message, state: MessageState::Heard },
            1 => Command::MarkMessage { message, state: MessageState::Done },
            _ => Command::DeleteMessage { message },
        };
        self.ask(Actor::User("supervisor".to_owned()), command, None);
    }
}

//! A small contact center to tell stories about: a queue, its number, agents, and lines that do what they are told.

use dreiklang_core::{
    Action, Actor, Command, Engine, Event, Input, Output, Refusal, Stamped,
    agent::{self, Availability, Duty},
    config::{Change, Number, Target, Tenant},
    conversation::{Cause, CauseKind, Conversation},
    endpoint::{Endpoint, Line, Party},
    ids::{ActionId, AgentId, CommandId, ConversationId, LegId, NumberId, QueueId, TenantId},
    output::ActionFailure,
    queue,
    time::Timestamp,
};
use std::collections::BTreeSet;

pub const QUEUE: QueueId = QueueId(1);
pub const OTHER_QUEUE: QueueId = QueueId(2);
pub const ANNA: AgentId = AgentId(1);
pub const BERT: AgentId = AgentId(2);
pub const SUPPORT: &str = "+49301000";
pub const SALES: &str = "+49302000";

/// The engine, everything that came out of it, and a clock that only tests move.
pub struct Office {
    pub engine: Engine,
    pub events: Vec<Stamped>,
    pub actions: Vec<(ActionId, Action)>,
    pub replies: Vec<Result<(), Refusal>>,
    pub wake_at: Option<Timestamp>,
    pub now: Timestamp,
    next_id: u128,
}

/// Settings of a queue that the tests begin with.
pub fn queue(id: QueueId, name: &str) -> queue::Settings {
    queue::Settings { max_waiting: 10, ..queue::Settings::new(id, name) }
}

/// Settings of an agent who serves both queues.
pub fn agent(id: AgentId, name: &str) -> agent::Settings {
    agent::Settings {
        queues: BTreeSet::from([QUEUE, OTHER_QUEUE]),
        ..agent::Settings::new(id, name, Line::Connected, Endpoint::Desk(name.to_lowercase()))
    }
}

/// A number without greeting.
pub fn number(id: u128, text: &str, target: Target) -> Number {
    Number::new(NumberId(id), text, Line::Connected, target)
}

impl Office {
    /// Two queues with a number each, nobody at work.
    pub fn new() -> Office {
        let mut office = Office {
            engine: Engine::new(TenantId(7)),
            events: Vec::new(),
            actions: Vec::new(),
            replies: Vec::new(),
            wake_at: None,
            now: Timestamp(1_700_000_000_000),
            next_id: 1_000,
        };
        office.put(Change::PutTenant(Tenant {
            name: "Test".to_owned(),
            caller_number: Some("+4930999".to_owned()),
            outbound_line: Some(Line::Connected),
            ..Tenant::default()
        }));
        office.put(Change::PutQueue(queue(QUEUE, "Support")));
        office.put(Change::PutQueue(queue(OTHER_QUEUE, "Sales")));
        office.put(Change::PutNumber(number(1, SUPPORT, Target::Queue(QUEUE))));
        office.put(Change::PutNumber(number(2, SALES, Target::Queue(OTHER_QUEUE))));
        office
    }

    /// The same with agents who are ready, the first of them idle longest.
    pub fn with_agents(agents: &[AgentId]) -> Office {
        let mut office = Office::new();
        for id in agents {
            let name = if *id == ANNA {
                "Anna".to_owned()
            } else if *id == BERT {
                "Bert".to_owned()
            } else {
                format!("Agent{}", id.0)
            };
            office.put(Change::PutAgent(agent(*id, &name)));
            office.ready(*id);
        }
        office
    }

    pub fn put(&mut self, change: Change) {
        self.give(Input::Configure { change });
    }

    pub fn ready(&mut self, id: AgentId) {
        self.pass(1);
        self.give(Input::Reachable { agent: id, reachable: true });
        self.ask(Command::SetDuty { agent: id, duty: Duty::OnDuty }).unwrap();
        self.ask(Command::SetAvailability { agent: id, availability: Availability::Ready }).unwrap();
    }

    /// Hands in an input now.
    pub fn give(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Action(id, action) => self.actions.push((id, action)),
                Output::Reply(_, reply) => self.replies.push(reply),
                Output::WakeAt(at) => self.wake_at = Some(at),
            }
        }
    }

    /// Lets time pass, waking the engine when it asked for it.
    pub fn pass(&mut self, ms: i64) {
        let until = Timestamp(self.now.0 + ms);
        while let Some((due, _)) = self.engine.world().timers().next().filter(|(due, _)| *due <= until) {
            assert_eq!(self.wake_at, Some(due), "the engine asked to be woken at its earliest deadline");
            self.now = self.now.max(due);
            self.give(Input::Wake);
        }
        self.now = until;
    }

    pub fn ask(&mut self, command: Command) -> Result<(), Refusal> {
        self.ask_as(Actor::User("test".to_owned()), command)
    }

    pub fn ask_as(&mut self, by: Actor, command: Command) -> Result<(), Refusal> {
        self.next_id += 1;
        let replies = self.replies.len();
        self.give(Input::Command { id: CommandId(self.next_id), by, command });
        assert_eq!(self.replies.len(), replies + 1, "every command is answered once");
        self.replies.last().cloned().unwrap()
    }

    /// Somebody calls; the leg is not connected yet.
    pub fn arrive(&mut self, dialed: &str) -> LegId {
        self.next_id += 1;
        let leg = LegId(self.next_id);
        let caller = Party { number: Some(format!("+4917{}", self.next_id)), name: None };
        self.give(Input::Arrived { leg, line: Line::Connected, caller, dialed: dialed.to_owned() });
        leg
    }

    /// Somebody calls and is connected.
    pub fn call(&mut self, dialed: &str) -> LegId {
        let leg = self.arrive(dialed);
        self.connect(leg);
        leg
    }

    pub fn connect(&mut self, leg: LegId) {
        self.give(Input::Connected { leg, token: Some(format!("token of {leg}")) });
    }

    pub fn end(&mut self, leg: LegId, kind: CauseKind) {
        self.give(Input::Ended { leg, cause: Cause { kind, detail: None } });
    }

    /// What was wished last cannot be carried out.
    pub fn fail_last_action(&mut self) {
        let (action, _) = self.actions.last().cloned().expect("something was wished");
        self.fail(action);
    }

    /// What was wished cannot be carried out.
    pub fn fail(&mut self, action: ActionId) {
        let failure = ActionFailure { code: "LINE-001".to_owned(), detail: "it cannot be done".to_owned() };
        self.give(Input::ActionFailed { action, failure });
    }

    /// Every leg that was told to end ends.
    pub fn obey_hang_ups(&mut self) {
        loop {
            let ending: Vec<LegId> =
                self.engine.world().conversations().flat_map(|found| &found.legs).filter(|leg| leg.ending).map(|leg| leg.id).collect();
            if ending.is_empty() {
                return;
            }
            for leg in ending {
                self.end(leg, CauseKind::Ours);
            }
        }
    }

    pub fn conversation(&self, leg: LegId) -> &Conversation {
        self.engine.world().conversation_of(leg).expect("the leg lives")
    }

    pub fn conversation_id(&self, leg: LegId) -> ConversationId {
        self.conversation(leg).id
    }

    pub fn agent(&self, id: AgentId) -> &agent::Agent {
        self.engine.world().agent(id).expect("the agent exists")
    }

    /// The leg of the offer to this agent.
    pub fn offered_leg(&self, id: AgentId) -> Option<LegId> {
        let offers = self.engine.world().conversations().filter_map(|found| found.offer.as_ref());
        offers.into_iter().find(|offer| offer.agent == id).map(|offer| offer.leg)
    }

    /// Calls, and lets the agent who is offered the call take it; both legs.
    pub fn talk(&mut self, dialed: &str, agent: AgentId) -> (LegId, LegId) {
        let customer = self.call(dialed);
        let leg = self.offered_leg(agent).expect("the call is offered to the agent");
        self.connect(leg);
        (customer, leg)
    }

    /// Whom somebody hears by the last wish about it.
    pub fn voices(&self, wanted: LegId) -> Vec<LegId> {
        let wish = self.actions.iter().rev().find(|(_, action)| action.is_hearing() && action.needs_leg(wanted)).map(|(_, action)| action);
        match wish {
            Some(Action::Bridge { a, b, .. }) => vec![if *a == wanted { *b } else { *a }],
            Some(Action::Mix { parties, .. }) => parties.iter().find(|party| party.leg == wanted).unwrap().voices.clone(),
            _ => Vec::new(),
        }
    }

    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|stamped| wanted(&stamped.event)).count()
    }
}

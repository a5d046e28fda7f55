//! Configuration documents the core decides by. They come in through `Input::Configure` and are journaled, so that a replayed
//! world decides by what was valid then.

mod destination;
mod outbound;
mod validate;

pub use destination::{Destination, Mailbox};
pub use outbound::{Barred, OutboundRules};
pub(crate) use validate::{
    check_announcement, check_destination, check_language, check_name, check_skill, check_span, check_unique, invalid, room,
};
pub use validate::{is_outside_number, is_sign_in_name, validate};

use crate::{
    agent,
    callers::CallerList,
    endpoint::{Endpoint, Line},
    flow::Flow,
    hours::{Holidays, Hours},
    ids::{AgentId, CallerListId, FlowId, HolidaysId, HoursId, NumberId, QueueId, ServiceId, SkillId},
    output::Prompt,
    queue::{self, SkillRequirement},
};
use serde::{Deserialize, Serialize};

/// A document written or removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", content = "value", rename_all = "snake_case")]
pub enum Change {
    /// A skill was written.
    PutSkill(Skill),
    /// A queue was written.
    PutQueue(queue::Settings),
    /// An agent was written.
    PutAgent(agent::Settings),
    /// A number was written.
    PutNumber(Number),
    /// A flow was published: calls that come from now on go through this version.
    PutFlow(Box<Flow>),
    /// The tenant's own settings were written.
    PutTenant(Tenant),
    /// A skill was removed; refused while queues, numbers or agents use it.
    RemoveSkill(SkillId),
    /// A queue was removed; refused while numbers lead to it. Waiting conversations end.
    RemoveQueue(QueueId),
    /// An agent was removed; one who is busy disappears when done.
    RemoveAgent(AgentId),
    /// A number was removed.
    RemoveNumber(NumberId),
    /// A flow was removed; refused while something leads to it. Who is in it stays in it.
    RemoveFlow(FlowId),
    /// A service that flows ask was written.
    PutService(Service),
    /// A service was removed; refused while a published flow asks it.
    RemoveService(ServiceId),
    /// A list of callers was written.
    PutCallerList(Box<CallerList>),
    /// A list of callers was removed; calls under way keep what it gave them.
    RemoveCallerList(CallerListId),
    /// Opening hours were written.
    PutHours(Box<Hours>),
    /// A set of holidays was written.
    PutHolidays(Holidays),
    /// Opening hours were removed; refused while something goes by them.
    RemoveHours(HoursId),
    /// A set of holidays was removed; refused while opening hours name it.
    RemoveHolidays(HolidaysId),
}

/// Something agents are able to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Which.
    pub id: SkillId,
    /// Shown to people; unique in the tenant.
    pub name: String,
}

/// A service of the organization that flows ask about a customer or an order. Where it is and how one is let in there is known
/// to whoever asks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Which.
    pub id: ServiceId,
    /// Shown to people; unique in the tenant.
    pub name: String,
}

/// A number callers dial, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// Which.
    pub id: NumberId,
    /// As the line delivers it; `+` and digits for public numbers. Unique in the tenant.
    pub number: String,
    /// The line it arrives on.
    pub line: Line,
    /// Said before anything else.
    #[serde(default)]
    pub greeting: Option<Prompt>,
    /// Where it leads.
    pub target: Target,
    /// Asked of the agent on top of the queue's skills (a language, say).
    #[serde(default)]
    pub skills: Vec<SkillRequirement>,
    /// Overrides the queue's priority.
    #[serde(default)]
    pub priority: Option<u8>,
    /// The language of those who dial it, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// The agent who is waited for first.
    #[serde(default)]
    pub preferred: Option<queue::Preferred>,
}

/// Where a number leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Target {
    /// Into a queue.
    Queue(QueueId),
    /// To one agent.
    Agent(AgentId),
    /// Into a call flow.
    Flow(FlowId),
}

/// The tenant's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Shown to people.
    pub name: String,
    /// Shown to the network when we call outside for nobody in particular.
    #[serde(default)]
    pub caller_number: Option<String>,
    /// Line for calls to numbers outside.
    #[serde(default)]
    pub outbound_line: Option<Line>,
    /// Codes agents may choose for not being ready.
    #[serde(default)]
    pub not_ready_reasons: Vec<String>,
    /// Codes for what became of a conversation, where its queue has none of its own.
    #[serde(default)]
    pub dispositions: Vec<queue::Disposition>,
    /// Which numbers outside may be called.
    #[serde(default)]
    pub outbound: Box<OutboundRules>,
}

impl Number {
    /// A number that leads to `target` without greeting anybody.
    pub fn new(id: NumberId, number: &str, line: Line, target: Target) -> Number {
        Number {
            id,
            number: number.to_owned(),
            line,
            greeting: None,
            target,
            skills: Vec::new(),
            priority: None,
            language: None,
            preferred: None,
        }
    }

    /// The endpoint that stands for this number.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Number(self.number.clone())
    }
}

//! Lists of callers, as programs see them.

use super::{
    kind::Kind,
    number::Preferred,
    queue::{Prompt, SkillNeed},
    reference::Reference,
};
use crate::{api::extract, error::Problem};
use dreiklang_core::{callers, config::Change, ids::CallerListId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Callers who are treated apart. Of several lists that name a caller, one that blocks goes first, then the one with the highest
/// priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerList {
    /// Shown to people; unique.
    #[schema(example = "Best customers")]
    pub name: String,
    /// Who is meant.
    #[serde(default)]
    pub callers: Vec<Caller>,
    /// Callers who show no number are meant too.
    #[serde(default)]
    pub withheld: bool,
    /// What becomes of them.
    pub treatment: Treatment,
}

/// One caller, or all whose numbers begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The number as the line delivers it; a `*` at the end stands for anything that follows.
    #[schema(example = "+4989*")]
    pub number: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What becomes of a caller who is on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Treatment {
    /// Not let in.
    Block {
        /// Said to the caller, who is then let go; absent: the call is refused without being answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Prompt>,
    },
    /// Let through sooner, or to somebody in particular.
    Favor {
        /// The priority in every queue is at least this.
        #[schema(maximum = 100)]
        priority: u8,
        /// Asked of the agent on top of what number and queue ask.
        #[serde(default)]
        skills: Vec<SkillNeed>,
        /// The agent who is waited for first, in place of the number's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preferred: Option<Preferred>,
    },
}

impl CallerList {
    /// The prompt it plays.
    pub(super) fn prompt(&self) -> Option<&Prompt> {
        match &self.treatment {
            Treatment::Block { message } => message.as_ref(),
            Treatment::Favor { .. } => None,
        }
    }
}

impl Treatment {
    fn to_core(&self) -> Result<callers::Treatment, Problem> {
        Ok(match self {
            Treatment::Block { message } => callers::Treatment::Block { message: message.as_ref().map(Prompt::to_core) },
            Treatment::Favor { priority, skills, preferred } => callers::Treatment::Favor {
                priority: *priority,
                skills: skills.iter().map(SkillNeed::to_core).collect::<Result<_, _>>()?,
                preferred: preferred.as_ref().map(Preferred::to_core).transpose()?,
            },
        })
    }
}

impl Kind for CallerList {
    const KIND: &'static str = "caller_list";
    const WHAT: &'static str = "list of callers";
    const PREFIX: &'static str = CallerListId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        match &mut self.treatment {
            Treatment::Block { .. } => Vec::new(),
            Treatment::Favor { skills, preferred, .. } => {
                let skills = skills.iter_mut().map(|need| (Reference::Skill, &mut need.skill));
                skills.chain(preferred.iter_mut().map(|preferred| (Reference::Agent, &mut preferred.agent))).collect()
            }
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let mut seen = std::collections::BTreeSet::new();
        match self.callers.iter().find(|caller| !seen.insert(&caller.number)) {
            Some(twice) => Err(Problem::invalid("callers", format!("{} is named twice.", twice.number))),
            None => Ok(()),
        }
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let callers: BTreeMap<_, _> = self.callers.iter().map(|caller| (caller.number.clone(), caller.note.clone())).collect();
        let list = callers::CallerList::new(extract::id("list of callers", id)?, &self.name, self.treatment.to_core()?);
        Ok(Some(Change::PutCallerList(Box::new(callers::CallerList { callers, withheld: self.withheld, ..list }))))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveCallerList(extract::id("list of callers", id)?)))
    }
}

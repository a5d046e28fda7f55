//! Lists of callers who are treated apart: those who are let through sooner, and those who are not let in.
//!
//! A caller is written as the line delivers the number; a `*` at the end stands for anything that follows, so that a whole country,
//! company or carrier is one entry. Where several lists name a caller, one that blocks goes before those that favor.

use crate::{
    ids::CallerListId,
    limits::CALLER_PREFIX_CHARS,
    output::Prompt,
    queue::{Preferred, SkillRequirement},
    world::World,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A list of callers, and how they are treated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerList {
    /// Which.
    pub id: CallerListId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// Numbers, or beginnings of numbers with a `*` behind, each with a note for people.
    #[serde(default)]
    pub callers: BTreeMap<String, String>,
    /// Callers who show no number are meant too.
    #[serde(default)]
    pub withheld: bool,
    /// What becomes of them.
    pub treatment: Treatment,
}

/// What becomes of a caller who is on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Treatment {
    /// Not let in.
    Block {
        /// Said to the caller, who is then let go; `None` refuses the call without answering it.
        #[serde(default)]
        message: Option<Prompt>,
    },
    /// Let through sooner, or to somebody in particular.
    Favor {
        /// The priority in every queue is at least this: 0 to [`crate::limits::PRIORITY_MAX`].
        priority: u8,
        /// Asked of the agent on top of what number and queue ask.
        #[serde(default)]
        skills: Vec<SkillRequirement>,
        /// The agent who is waited for first, in place of the number's.
        #[serde(default)]
        preferred: Option<Preferred>,
    },
}

impl CallerList {
    /// A list without callers.
    pub fn new(id: CallerListId, name: &str, treatment: Treatment) -> CallerList {
        CallerList { id, name: name.to_owned(), callers: BTreeMap::new(), withheld: false, treatment }
    }

    /// Whether a caller is meant; `None` is one who shows no number.
    pub fn names(&self, caller: Option<&str>) -> bool {
        let Some(number) = caller else { return self.withheld };
        self.callers.contains_key(number) || prefixes(number).any(|prefix| self.callers.contains_key(&prefix))
    }

    /// How it ranks among several that name the same caller; the least decides.
    fn rank(&self) -> (u8, CallerListId) {
        match &self.treatment {
            Treatment::Block { .. } => (0, self.id),
            Treatment::Favor { priority, .. } => (u8::MAX - priority, self.id),
        }
    }
}

/// Every beginning of a number as a list would write it, the longest first.
fn prefixes(number: &str) -> impl Iterator<Item = String> {
    // A caller may claim a number of any length.
    let ends: Vec<usize> = number.char_indices().map(|(at, _)| at).skip(1).chain([number.len()]).take(CALLER_PREFIX_CHARS).collect();
    ends.into_iter().rev().filter_map(|end| Some(format!("{}*", number.get(..end)?)))
}

impl World {
    /// The list that decides about a caller; `None` is one who shows no number.
    pub fn list_of(&self, caller: Option<&str>) -> Option<&CallerList> {
        self.caller_lists.values().filter(|list| list.names(caller)).min_by_key(|list| list.rank())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(callers: &[&str]) -> CallerList {
        let treatment = Treatment::Block { message: None };
        let callers = callers.iter().map(|caller| ((*caller).to_owned(), String::new())).collect();
        CallerList { callers, ..CallerList::new(CallerListId(1), "List", treatment) }
    }

    #[test]
    fn a_number_is_meant_by_itself_and_by_any_beginning_of_it() {
        let list = list(&["+49301234567", "+4989*", "anonymous*"]);
        for caller in ["+49301234567", "+4989", "+49891", "+49899999999999", "anonymous@elsewhere"] {
            assert!(list.names(Some(caller)), "{caller}");
        }
        for caller in ["+4930123456", "+493012345678", "+498", "", "4989"] {
            assert!(!list.names(Some(caller)), "{caller}");
        }
        assert!(!list.names(None));
        assert!(CallerList { withheld: true, ..list }.names(None));
    }

    #[test]
    fn a_number_of_several_bytes_per_character_is_no_trouble() {
        let list = list(&["ä*"]);
        assert!(list.names(Some("äöü")));
        assert!(!list.names(Some("öäü")));
    }
}

//! Ids and names: people write names, what is stored are ids.

use crate::error::Problem;
use dreiklang_core::ids::TenantId;
use dreiklang_store::Store;
use std::collections::HashMap;

/// What kind of document is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A skill.
    Skill,
    /// A queue.
    Queue,
    /// An agent.
    Agent,
    /// Opening hours.
    Hours,
    /// A set of holidays.
    Holidays,
    /// A call flow.
    Flow,
    /// A service that flows ask.
    Service,
}

impl Reference {
    /// The store's word for the kind.
    pub fn kind(self) -> &'static str {
        match self {
            Reference::Skill => "skill",
            Reference::Queue => "queue",
            Reference::Agent => "agent",
            Reference::Hours => "hours",
            Reference::Holidays => "holidays",
            Reference::Flow => "flow",
            Reference::Service => "service",
        }
    }

    /// The text before the underscore of its ids.
    pub fn prefix(self) -> &'static str {
        match self {
            Reference::Skill => "skl",
            Reference::Queue => "que",
            Reference::Agent => "agt",
            Reference::Hours => "hrs",
            Reference::Holidays => "hol",
            Reference::Flow => "flw",
            Reference::Service => "svc",
        }
    }

    fn is_id(self, text: &str) -> bool {
        // All ids have the same form; only the prefix differs.
        text.strip_prefix(self.prefix())
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|digits| format!("cmd_{digits}").parse::<dreiklang_core::ids::CommandId>().is_ok())
    }
}

/// Turns the names among `references` into ids.
///
/// # Errors
/// `API-002` when there is nothing of that name.
pub async fn resolve(store: &Store, tenant: TenantId, references: Vec<(Reference, &mut String)>) -> Result<(), Problem> {
    for (reference, text) in references {
        if reference.is_id(text) {
            continue;
        }
        match store.get_by_name(tenant, reference.kind(), text).await? {
            Some(document) => *text = document.id,
            None => return Err(missing(reference, text)),
        }
    }
    Ok(())
}

fn missing(reference: Reference, text: &str) -> Problem {
    let what = match reference {
        Reference::Skill => "skill",
        Reference::Queue => "queue",
        Reference::Agent => "agent",
        Reference::Hours => "document of opening hours",
        Reference::Holidays => "set of holidays",
        Reference::Flow => "flow",
        Reference::Service => "service",
    };
    Problem::invalid(reference.kind(), format!("There is no {what} \"{text}\"; create it first, or use its id."))
}

/// All names of a tenant's skills, queues, agents and flows.
#[derive(Clone, Debug, Default)]
pub struct Names {
    ids: HashMap<(Reference, String), String>,
    names: HashMap<String, String>,
}

impl Names {
    /// Adds one.
    pub fn add(&mut self, reference: Reference, id: &str, name: &str) {
        self.ids.insert((reference, name.to_owned()), id.to_owned());
        self.names.insert(id.to_owned(), name.to_owned());
    }

    /// The id of a name.
    pub fn id(&self, reference: Reference, name: &str) -> Option<&str> {
        self.ids.get(&(reference, name.to_owned())).map(String::as_str)
    }

    /// Whether this id is among them.
    pub fn has(&self, id: &str) -> bool {
        self.names.contains_key(id)
    }

    /// Turns names into ids.
    ///
    /// # Errors
    /// `API-002` when there is nothing of that name.
    pub fn to_ids(&self, references: Vec<(Reference, &mut String)>) -> Result<(), Problem> {
        for (reference, text) in references {
            if reference.is_id(text) {
                continue;
            }
            *text = self.ids.get(&(reference, text.clone())).cloned().ok_or_else(|| missing(reference, text))?;
        }
        Ok(())
    }

    /// Turns ids into names; an id of something that is not there stays.
    pub fn to_names(&self, references: Vec<(Reference, &mut String)>) {
        for (_, text) in references {
            if let Some(name) = self.names.get(text) {
                *text = name.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreiklang_core::ids::QueueId;

    #[test]
    fn names_become_ids_and_ids_become_names() {
        let mut names = Names::default();
        let id = QueueId(7).to_string();
        names.add(Reference::Queue, &id, "Support");
        let mut text = "Support".to_owned();
        names.to_ids(vec![(Reference::Queue, &mut text)]).unwrap();
        assert_eq!(text, id);
        names.to_ids(vec![(Reference::Queue, &mut text)]).unwrap();
        assert_eq!(text, id, "an id stays");
        names.to_names(vec![(Reference::Queue, &mut text)]);
        assert_eq!(text, "Support");
        let problem = names.to_ids(vec![(Reference::Skill, &mut text)]).unwrap_err();
        assert_eq!(problem.offending_field(), Some("skill"), "a queue is not a skill");
    }
}

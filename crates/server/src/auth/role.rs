//! Who may do what: one table.
//!
//! A person or program has one or more roles; it may do what any of them may. Whether an agent touches *its own* state or
//! conversation is decided where the request is answered, because only there it is known whose it is.

use serde::{Deserialize, Serialize};

/// What somebody is to the contact center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes conversations; sees and changes the own state.
    Agent,
    /// Watches queues, agents and conversations and acts on them.
    Supervisor,
    /// Sets everything up.
    Administrator,
    /// Reads everything, audit included; changes nothing.
    Auditor,
    /// Shows figures on a wall; reads live figures only, no names of callers.
    Wallboard,
    /// A program that reads everything and acts on conversations and agents, but sets nothing up.
    Program,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 6] = [Role::Agent, Role::Supervisor, Role::Administrator, Role::Auditor, Role::Wallboard, Role::Program];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Administrator => "administrator",
            Role::Auditor => "auditor",
            Role::Wallboard => "wallboard",
            Role::Program => "program",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a role; roles are {}", Role::ALL.map(Role::as_str).join(", ")))
    }
}

/// Something one may be allowed to do. Every operation of the API asks for exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Be signed in at all.
    SignedIn,
    /// See live figures of queues and agents.
    ReadLive,
    /// See queues, agents, skills, numbers and the tenant's settings.
    ReadConfiguration,
    /// See trunks, telephones, webhooks, users and tokens.
    ReadSetup,
    /// Change any document.
    WriteConfiguration,
    /// Change one's own duty, availability and wrap-up.
    ChangeOwnState,
    /// Change that of every agent.
    ChangeAnyState,
    /// See one's own conversations.
    ReadOwnConversations,
    /// See every conversation.
    ReadAnyConversation,
    /// Hold, resume, transfer and end one's own conversations.
    ControlOwnConversations,
    /// The same with every conversation.
    ControlAnyConversation,
    /// List and hear recordings; every playback is audited.
    HearRecordings,
    /// See reports.
    ReadReports,
    /// See who did what.
    ReadAudit,
    /// Create and remove users and tokens.
    ManageUsers,
}

use Permission as P;
use Role as R;

/// The table. A change here changes the golden matrix in the tests.
const TABLE: &[(Permission, &[Role])] = &[
    (P::SignedIn, &Role::ALL),
    (P::ReadLive, &Role::ALL),
    (P::ReadConfiguration, &[R::Agent, R::Supervisor, R::Administrator, R::Auditor, R::Program]),
    (P::ReadSetup, &[R::Administrator, R::Auditor]),
    (P::WriteConfiguration, &[R::Administrator]),
    (P::ChangeOwnState, &[R::Agent, R::Supervisor, R::Administrator, R::Program]),
    (P::ChangeAnyState, &[R::Supervisor, R::Administrator, R::Program]),
    (P::ReadOwnConversations, &[R::Agent, R::Supervisor, R::Administrator, R::Auditor, R::Program]),
    (P::ReadAnyConversation, &[R::Supervisor, R::Administrator, R::Auditor, R::Program]),
    (P::ControlOwnConversations, &[R::Agent, R::Supervisor, R::Administrator, R::Program]),
    (P::ControlAnyConversation, &[R::Supervisor, R::Administrator, R::Program]),
    (P::HearRecordings, &[R::Supervisor, R::Administrator, R::Auditor, R::Program]),
    (P::ReadReports, &[R::Supervisor, R::Administrator, R::Auditor, R::Program]),
    (P::ReadAudit, &[R::Administrator, R::Auditor]),
    (P::ManageUsers, &[R::Administrator]),
];

impl Permission {
    /// Roles that have it.
    pub fn roles(self) -> &'static [Role] {
        TABLE.iter().find(|(permission, _)| *permission == self).map_or(&[], |(_, roles)| roles)
    }

    /// In words, for a refusal.
    pub fn in_words(self) -> &'static str {
        match self {
            P::SignedIn => "be signed in",
            P::ReadLive => "see live figures",
            P::ReadConfiguration => "see the configuration",
            P::ReadSetup => "see trunks, telephones, webhooks, users and tokens",
            P::WriteConfiguration => "change the configuration",
            P::ChangeOwnState => "change an agent's state",
            P::ChangeAnyState => "change the state of other agents",
            P::ReadOwnConversations => "see conversations",
            P::ReadAnyConversation => "see conversations of others",
            P::ControlOwnConversations => "act on conversations",
            P::ControlAnyConversation => "act on conversations of others",
            P::HearRecordings => "hear recordings",
            P::ReadReports => "see reports",
            P::ReadAudit => "see the audit log",
            P::ManageUsers => "manage users and tokens",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_in_the_table_once() {
        for (index, (permission, roles)) in TABLE.iter().enumerate() {
            assert!(!roles.is_empty(), "{permission:?} belongs to nobody");
            assert!(TABLE.iter().skip(index + 1).all(|(other, _)| other != permission), "{permission:?} twice");
        }
        assert_eq!(TABLE.len(), P::ManageUsers as usize + 1);
    }

    #[test]
    fn an_auditor_and_a_wallboard_change_nothing() {
        for permission in [
            P::WriteConfiguration,
            P::ChangeOwnState,
            P::ChangeAnyState,
            P::ControlOwnConversations,
            P::ControlAnyConversation,
            P::ManageUsers,
        ] {
            assert!(!permission.roles().contains(&R::Auditor) && !permission.roles().contains(&R::Wallboard), "{permission:?}");
        }
    }

    #[test]
    fn a_role_reads_back_from_its_word() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }
}

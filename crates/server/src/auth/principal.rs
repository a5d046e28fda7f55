//! On whose behalf a request is answered.

use super::role::{Permission, Role};
use crate::error::{Code, Problem};
use dreiklang_core::{
    Actor,
    ids::{AgentId, TenantId},
};
use dreiklang_store::SecretHash;
use std::collections::BTreeSet;

/// A signed-in person or a program with a token; bound to one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The one tenant whose data is visible.
    pub tenant: TenantId,
    /// The user's or token's id.
    pub id: String,
    /// The user's or token's name, for audit and facts.
    pub name: String,
    /// What it may be.
    pub roles: BTreeSet<Role>,
    /// The agent this person is, if any.
    pub agent: Option<AgentId>,
    /// How it proved who it is.
    pub proof: Proof,
    /// What is kept of the secret it came with.
    pub key: SecretHash,
}

/// How a principal proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A browser's cookie after sign-in.
    Cookie,
    /// An API token.
    Token,
}

impl Principal {
    /// Whether one of the roles allows it.
    pub fn may(&self, permission: Permission) -> bool {
        permission.roles().iter().any(|role| self.roles.contains(role))
    }

    /// Refuses unless one of the roles allows it.
    ///
    /// # Errors
    /// `AUTH-004` with the roles that would do.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.may(permission) {
            return Ok(());
        }
        let roles: Vec<_> = permission.roles().iter().map(|role| role.as_str()).collect();
        Err(Problem::new(Code::NotAllowed, format!("To {}, one of these roles is needed: {}.", permission.in_words(), roles.join(", "))))
    }

    /// Refuses unless the roles allow it for everybody, or for oneself and `agent` is oneself.
    ///
    /// # Errors
    /// `AUTH-004`.
    pub fn require_for(&self, own: Permission, any: Permission, agent: Option<AgentId>) -> Result<(), Problem> {
        if self.may(own) && agent.is_some() && agent == self.agent {
            return Ok(());
        }
        self.require(any)
    }

    /// Who did it, for facts about `agent`: the agent itself, or somebody else.
    pub fn actor(&self, agent: Option<AgentId>) -> Actor {
        match (self.proof, self.agent) {
            (_, Some(own)) if Some(own) == agent => Actor::Agent(own),
            (Proof::Cookie, _) => Actor::User(self.name.clone()),
            (Proof::Token, _) => Actor::Token(self.name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: u128) -> Principal {
        Principal {
            tenant: TenantId(1),
            id: "usr_1".into(),
            name: "ada".into(),
            roles: BTreeSet::from([Role::Agent]),
            agent: Some(AgentId(id)),
            proof: Proof::Cookie,
            key: [0; 32],
        }
    }

    #[test]
    fn an_agent_changes_only_its_own_state() {
        let ada = agent(7);
        let change = |agent| ada.require_for(Permission::ChangeOwnState, Permission::ChangeAnyState, agent);
        assert!(change(Some(AgentId(7))).is_ok());
        assert_eq!(change(Some(AgentId(8))).unwrap_err().code(), "AUTH-004");
        assert_eq!(change(None).unwrap_err().code(), "AUTH-004", "nobody's is not one's own");
    }

    #[test]
    fn what_an_agent_does_to_itself_is_its_own_doing() {
        let ada = agent(7);
        assert_eq!(ada.actor(Some(AgentId(7))), Actor::Agent(AgentId(7)));
        assert_eq!(ada.actor(Some(AgentId(8))), Actor::User("ada".into()));
        assert_eq!(Principal { proof: Proof::Token, agent: None, ..ada }.actor(None), Actor::Token("ada".into()));
    }
}

//! Skills, as programs see them.

use super::kind::Kind;
use crate::{api::extract, error::Problem};
use dreiklang_core::{
    config::{self, Change},
    ids::SkillId,
};
use serde::{Deserialize, Serialize};

/// Something agents are able to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Shown to people; unique.
    #[schema(example = "german")]
    pub name: String,
}

impl Kind for Skill {
    const KIND: &'static str = "skill";
    const WHAT: &'static str = "skill";
    const PREFIX: &'static str = SkillId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::PutSkill(config::Skill { id: extract::id("skill", id)?, name: self.name.clone() })))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveSkill(extract::id("skill", id)?)))
    }
}

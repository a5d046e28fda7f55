//! The tenant's own settings, as programs see them.

use super::{agent::Line, kind::Kind, queue_agents::Disposition};
use crate::error::Problem;
use dreiklang_core::{
    config::{self, Change},
    ids::TenantId,
};
use serde::{Deserialize, Serialize};

/// The tenant's own settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Shown to people.
    pub name: String,
    /// Shown to the network when we call outside for nobody in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_number: Option<String>,
    /// Line for calls to numbers outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_line: Option<Line>,
    /// Codes agents may choose for not being ready.
    #[serde(default)]
    pub not_ready_reasons: Vec<String>,
    /// Codes for what became of a conversation, where its queue has none of its own.
    #[serde(default)]
    pub dispositions: Vec<Disposition>,
    /// Which numbers outside may be called.
    #[serde(default)]
    pub outbound: OutboundRules,
}

/// Which numbers outside may be called, whoever wants it: agents, rules of queues, flows, callers who ask to be called back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboundRules {
    /// Beginnings of numbers that may be called, such as `+49`. Empty: all that `denied` does not name.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// Beginnings of numbers that may not. Where beginnings of both fit, the longer one decides.
    #[serde(default)]
    pub denied: Vec<String>,
    /// Numbers outside being called or talked to at the same time; absent: as many as the lines carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u16>,
}

impl Kind for Tenant {
    const KIND: &'static str = "tenant";
    const WHAT: &'static str = "tenant";
    const PREFIX: &'static str = TenantId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn change(&self, _id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::PutTenant(config::Tenant {
            name: self.name.clone(),
            caller_number: self.caller_number.clone(),
            outbound_line: self.outbound_line.map(Into::into),
            not_ready_reasons: self.not_ready_reasons.clone(),
            dispositions: self.dispositions.iter().map(Disposition::to_core).collect(),
            outbound: Box::new(config::OutboundRules {
                allowed: self.outbound.allowed.clone(),
                denied: self.outbound.denied.clone(),
                at_once: self.outbound.at_once,
            }),
        })))
    }
}

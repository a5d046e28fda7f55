//! Webhooks, as programs see them.

use super::kind::Kind;
use crate::{auth::secret, error::Problem, limits, webhooks::event};
use serde::{Deserialize, Serialize};

/// What the secret begins with.
const SECRET_PREFIX: &str = "whsec_";

/// Somebody who is told what happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Unique.
    #[schema(example = "CRM")]
    pub name: String,
    /// Where events are sent by POST.
    #[schema(example = "https://crm.example.com/hooks/calls")]
    pub url: String,
    /// Types of events to send; all when empty.
    #[serde(default)]
    #[schema(example = json!(["dev.dreiklang.conversation.answered.v1"]))]
    pub types: Vec<String>,
    /// Send at all.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Key of the signatures; made up when left out at first. Shown only when it is made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(write_only)]
    pub secret: String,
}

fn enabled() -> bool {
    true
}

impl Kind for Webhook {
    const KIND: &'static str = "webhook";
    const WHAT: &'static str = "webhook";
    const PREFIX: &'static str = "whk";
    const MOST: usize = limits::WEBHOOKS_PER_TENANT;
    const SHOWS_SECRETS_ONCE: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), Problem> {
        super::write::check_name(&self.name)?;
        if self.url.len() > limits::WEBHOOK_URL_BYTES {
            return Err(Problem::invalid("url", format!("An address has at most {} bytes.", limits::WEBHOOK_URL_BYTES)));
        }
        if let Some(unknown) = self.types.iter().find(|kind| !event::TYPES.contains(&kind.as_str())) {
            return Err(Problem::invalid("types", format!("{unknown:?} is not a type; types are {}.", event::TYPES.join(", "))));
        }
        if !(16..=200).contains(&self.secret.len()) {
            return Err(Problem::invalid("secret", "A secret has 16 to 200 characters; leave it out to have one made up."));
        }
        Ok(())
    }

    fn keep_secrets(&mut self, former: Option<&Self>) {
        if self.secret.is_empty() {
            self.secret = former.map_or_else(|| secret::generate(SECRET_PREFIX), |former| former.secret.clone());
        }
    }

    fn hide_secrets(&mut self) {
        self.secret.clear();
    }
}

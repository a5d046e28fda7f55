//! Agents' telephones on the Connected line, as programs see them.

use super::{kind::Kind, reference::Reference, trunk::MediaEncryption};
use crate::{api::extract, error::Problem};
use dreiklang_lines::connected::settings;
use serde::{Deserialize, Serialize};

/// Shortest password of a telephone, in characters: it is typed once, and guessed for ever.
const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password and user name, in characters.
const CHARS_MAX: usize = 64;

/// An agent's own telephone, which signs in with us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// User name; unique in the whole installation. The agent's endpoint is `desk` with this name.
    #[schema(example = "ada")]
    pub user: String,
    /// Whose telephone: the agent's id or name.
    pub agent: String,
    /// Password for signing in. Never shown; leave it out to keep the present one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(write_only)]
    pub password: String,
    /// Whether audio is encrypted (SRTP with keys in signalling).
    #[serde(default)]
    pub media_encryption: MediaEncryption,
}

impl Phone {
    /// In the line's words.
    ///
    /// # Errors
    /// When the agent is not an id.
    pub fn to_line(&self) -> Result<settings::Phone, Problem> {
        Ok(settings::Phone {
            user: self.user.clone(),
            agent: extract::id("agent", &self.agent)?,
            password: self.password.clone(),
            media_encryption: self.media_encryption.into(),
        })
    }
}

impl Kind for Phone {
    const KIND: &'static str = "phone";
    const WHAT: &'static str = "telephone";
    const PREFIX: &'static str = "phn";
    const MOST: usize = crate::limits::PHONES_PER_TENANT;

    fn name(&self) -> &str {
        &self.user
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        vec![(Reference::Agent, &mut self.agent)]
    }

    fn check(&self) -> Result<(), Problem> {
        let length = self.user.chars().count();
        if !(1..=CHARS_MAX).contains(&length) || !self.user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
            return Err(Problem::invalid(
                "user",
                format!("A user name has 1 to {CHARS_MAX} letters, digits, dots, dashes or underscores."),
            ));
        }
        if !(PASSWORD_CHARS_MIN..=CHARS_MAX).contains(&self.password.chars().count()) {
            return Err(Problem::invalid(
                "password",
                format!("A telephone's password has {PASSWORD_CHARS_MIN} to {CHARS_MAX} characters."),
            ));
        }
        Ok(())
    }

    fn keep_secrets(&mut self, former: Option<&Self>) {
        if let Some(former) = former.filter(|_| self.password.is_empty()) {
            self.password.clone_from(&former.password);
        }
    }

    fn hide_secrets(&mut self) {
        self.password.clear();
    }
}

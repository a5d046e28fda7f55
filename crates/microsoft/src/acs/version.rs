//! What differs between the versions of the interface.

use serde::{Deserialize, Serialize};

/// A version of the interface, such as `2026-03-12`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiVersion(pub String);

impl Default for ApiVersion {
    fn default() -> ApiVersion {
        ApiVersion("2026-03-12".to_owned())
    }
}

impl ApiVersion {
    /// Participants can be moved from call to call.
    pub fn has_move(&self) -> bool {
        self.at_least("2026-03-12")
    }

    /// Agents of Teams Phone extensibility and its resource accounts are known.
    pub fn has_teams(&self) -> bool {
        self.at_least("2025-06-15")
    }

    /// Versions are dates, so that their texts are in their order; a preview is as old as its date.
    fn at_least(&self, date: &str) -> bool {
        self.0.get(..10).unwrap_or(&self.0) >= date
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_know_what_came_with_them() {
        let version = |text: &str| ApiVersion(text.to_owned());
        assert!(ApiVersion::default().has_move() && ApiVersion::default().has_teams());
        assert!(!version("2025-06-15").has_move() && version("2025-06-15").has_teams());
        assert!(version("2025-08-15-preview").has_teams() && !version("2025-08-15-preview").has_move());
        assert!(!version("2025-05-15").has_teams());
    }
}

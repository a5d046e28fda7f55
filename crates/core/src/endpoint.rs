//! Where a leg ends, who is there, and which way leads to it.

use serde::{Deserialize, Serialize};

/// One of the three ways a contact center reaches Teams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Through the session border controller.
    Connected,
    /// Through a calling bot.
    Extended,
    /// Through Teams Phone extensibility.
    Unified,
}

impl Line {
    /// The word used on the wire and in the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Line::Connected => "connected",
            Line::Extended => "extended",
            Line::Unified => "unified",
        }
    }
}

/// Where a leg ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Endpoint {
    /// A telephone number, E.164 with `+` where it is a public one.
    Number(String),
    /// An agent's own telephone that signs in with us under this user name.
    Desk(String),
    /// An address in the line's own notation, reachable without signing in.
    Address(String),
    /// A person of the organization, by sign-in name (`name@domain`); not an agent of ours.
    Person(String),
}

/// Who is at the far end, as far as the line knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Number or address; `None` when withheld.
    pub number: Option<String>,
    /// Name shown by the network; not to be trusted.
    pub name: Option<String>,
}

//! Identifiers: 128 bits inside, a prefix and 26 characters outside (`cnv_01jz…`), so that any id can be
//! recognized and searched for in a log.
//!
//! The core never draws random numbers: ids of what it creates come from [`crate::World`]'s own state
//! (see `engine/mint.rs`), ids of what happens outside (an arriving leg) come with the input.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Crockford's base 32 in lower case: no `i`, `l`, `o`, `u`, so it survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

/// A text that is not an id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not an id of the form {prefix}_ and 26 characters")]
pub struct InvalidId {
    /// What was given (cut to 64 characters).
    pub text: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

fn encode(value: u128) -> [u8; DIGITS] {
    let mut out = [b'0'; DIGITS];
    let mut rest = value;
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    out
}

fn decode(digits: &str) -> Option<u128> {
    if digits.len() != DIGITS {
        return None;
    }
    let mut value: u128 = 0;
    for (index, byte) in digits.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&c| c == byte.to_ascii_lowercase())? as u128;
        // 26 digits hold 130 bits: the first may only carry three.
        if index == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | digit;
    }
    Some(value)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// The text before the underscore on the wire.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digits = encode(self.0);
                f.write_str(concat!($prefix, "_"))?;
                // The alphabet is ASCII, so this cannot fail.
                f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map($name)
                    .ok_or_else(|| InvalidId { text: text.chars().take(64).collect(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A customer organization; every other id lives inside one.
    TenantId = "ten";
    /// One customer request, across transfers.
    ConversationId = "cnv";
    /// One party's connection within a conversation.
    LegId = "leg";
    /// A waiting line.
    QueueId = "que";
    /// One stay of one conversation in one queue.
    VisitId = "vis";
    /// One attempt to give a conversation to one agent.
    OfferId = "ofr";
    /// A person who takes conversations.
    AgentId = "agt";
    /// Something an agent is able to do, in levels.
    SkillId = "skl";
    /// A number that callers dial.
    NumberId = "num";
    /// A call flow.
    FlowId = "flw";
    /// A service of the organization that flows ask.
    ServiceId = "svc";
    /// Opening hours.
    HoursId = "hrs";
    /// A set of holidays.
    HolidaysId = "hol";
    /// A list of callers who are treated apart.
    CallerListId = "lst";
    /// What an agent does on a kind of duty.
    ProfileId = "pro";
    /// A promise to call somebody back.
    CallbackId = "cbk";
    /// A message that a caller left.
    MessageId = "msg";
    /// A recording of a conversation.
    RecordingId = "rec";
    /// A wish of the core, answered by its executor.
    ActionId = "act";
    /// A request of a person or program, answered by the core.
    CommandId = "cmd";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        for value in [0, 1, u128::MAX, 0x0190_0000_0000_7000_8000_0000_0000_0001] {
            let id = ConversationId(value);
            assert_eq!(id.to_string().len(), 30);
            assert_eq!(id.to_string().parse::<ConversationId>().unwrap(), id);
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let queue = QueueId(7).to_string();
        assert!(queue.parse::<AgentId>().is_err());
        assert!("que_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<QueueId>().is_err(), "130 bits do not fit");
        assert!("que_0".parse::<QueueId>().is_err());
    }
}

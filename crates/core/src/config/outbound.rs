//! Which numbers outside may be called, and how many at once: what keeps a stolen password or a clever caller from running up a
//! bill.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Rules for calls to numbers outside, whoever wants them: agents, rules of queues, flows, callers who ask to be called back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundRules {
    /// Beginnings of numbers that may be called, such as `+49`. Empty = all that `denied` does not name.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// Beginnings of numbers that may not. Where beginnings of both fit, the longer one decides.
    #[serde(default)]
    pub denied: Vec<String>,
    /// Numbers outside being called or talked to at the same time; `None` = as many as the lines carry.
    #[serde(default)]
    pub at_once: Option<u16>,
}

/// Why a number is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// It is none of those that may be called.
    Destination,
    /// So many are called already.
    AtOnce(u16),
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Barred::Destination => f.write_str(
                "may not be called; an administrator decides which numbers may (outbound.allowed and outbound.denied of the tenant)",
            ),
            Barred::AtOnce(most) => {
                write!(f, "must wait: {most} numbers outside are called already, the most that outbound.at_once of the tenant allows")
            }
        }
    }
}

impl OutboundRules {
    /// Whether a number may be called at all.
    pub fn allows(&self, number: &str) -> bool {
        let number = international(number);
        let longest = |beginnings: &[String]| {
            let fitting = beginnings.iter().map(|begin| international(begin)).filter(|begin| number.starts_with(begin.as_ref()));
            fitting.map(|begin| begin.len()).max()
        };
        match (longest(&self.allowed), longest(&self.denied)) {
            (Some(allowed), Some(denied)) => allowed > denied,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.allowed.is_empty(),
        }
    }
}

/// `00` is how many people dial what is written with `+`; rules must not be got around by it.
fn international(number: &str) -> Cow<'_, str> {
    match number.strip_prefix("00") {
        Some(rest) => format!("+{rest}").into(),
        None => number.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str], denied: &[&str]) -> OutboundRules {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        OutboundRules { allowed: texts(allowed), denied: texts(denied), at_once: None }
    }

    #[test]
    fn without_rules_everything_may_be_called() {
        assert!(rules(&[], &[]).allows("+882161234567"));
    }

    #[test]
    fn the_longer_beginning_decides_and_what_no_beginning_names_is_denied_where_some_are_allowed() {
        let rules = rules(&["+49", "+43", "+4990012345", "110"], &["+49900", "+49137"]);
        for (number, may) in [
            ("+4930123", true),
            ("+4366012345", true),
            ("+49900123", false),
            ("+499001234567", true),
            ("+491371234", false),
            ("+3370012345", false),
            ("110", true),
            ("0900123456", false),
        ] {
            assert_eq!(rules.allows(number), may, "{number}");
        }
    }

    #[test]
    fn two_zeros_are_a_plus() {
        let rules = rules(&[], &["+88", "0049137"]);
        for (number, may) in
            [("0088123456", false), ("+88123456", false), ("+49137555", false), ("0049137555", false), ("0088", false), ("0049301", true)]
        {
            assert_eq!(rules.allows(number), may, "{number}");
        }
    }
}

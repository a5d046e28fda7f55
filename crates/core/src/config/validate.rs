//! Whether a configuration document holds together with the rest.

use super::Change;
use crate::{Refusal, World};

/// Says what is wrong with a change, or nothing.
pub fn validate(_world: &World, _change: &Change) -> Result<(), Refusal> {
    Ok(())
}

/// Whether a text can be dialed as a telephone number outside: `+` and digits, or digits.
pub fn is_outside_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

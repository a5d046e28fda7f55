//! A value of an enumeration that the service may extend, and spells one way or another.

use serde::{Deserialize, Serialize};

/// One value. Compared without regard to case: the same value comes as `phoneNumber` and `PhoneNumber`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Word(pub String);

impl Word {
    /// Whether it is this one.
    pub fn is(&self, wanted: &str) -> bool {
        self.0.eq_ignore_ascii_case(wanted)
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Word) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Word {}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word(text.to_owned())
    }
}

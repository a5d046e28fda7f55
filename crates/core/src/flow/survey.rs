//! A node that asks the customer to rate something with one key.

use super::{NodeKey, Step, Told, defaults};
use crate::{expression::Value, time::Millis};
use serde::{Deserialize, Serialize};

/// A question answered with a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// What is asked about, for reports, such as `satisfaction`.
    pub question: String,
    /// The question.
    pub says: Told,
    /// The lowest score.
    #[serde(default = "defaults::least_score")]
    pub least: u8,
    /// The highest, and best, score.
    #[serde(default = "defaults::most_score")]
    pub most: u8,
    /// The variable, a whole number, that takes the score.
    #[serde(default)]
    pub into: Option<String>,
    /// How long a key is waited for once all is said.
    #[serde(default = "defaults::wait")]
    pub wait: Millis,
    /// How often the question is put.
    #[serde(default = "defaults::attempts")]
    pub attempts: u8,
    /// Said instead of the question after a wrong key or none.
    #[serde(default)]
    pub wrong: Option<Told>,
    /// A key may come while the question is being said.
    #[serde(default = "defaults::interrupt")]
    pub interrupt: bool,
    /// What follows a score.
    pub next: NodeKey,
    /// What follows when no attempt brought one.
    pub otherwise: NodeKey,
}

/// A score that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) question: String,
    pub(crate) score: u8,
    pub(crate) least: u8,
    pub(crate) most: u8,
}

impl Survey {
    /// A question for a score from 1 to 5, with the usual patience.
    pub fn new(question: &str, says: Told, next: &str, otherwise: &str) -> Survey {
        Survey {
            question: question.to_owned(),
            says,
            least: defaults::least_score(),
            most: defaults::most_score(),
            into: None,
            wait: defaults::wait(),
            attempts: defaults::attempts(),
            wrong: None,
            interrupt: true,
            next: next.to_owned(),
            otherwise: otherwise.to_owned(),
        }
    }

    /// The way on when this key is a score.
    pub(super) fn scored(&self, key: char) -> Option<Step> {
        let score = u8::try_from(key.to_digit(10)?).ok().filter(|score| (self.least..=self.most).contains(score))?;
        let set = self.into.iter().map(|name| (name.clone(), Value::Int(score.into()))).collect();
        let given = Score { question: self.question.clone(), score, least: self.least, most: self.most };
        Some(Step { set, score: Some(given), ..Step::new("next", &self.next) })
    }
}

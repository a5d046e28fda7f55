//! What goes wrong on purpose. Everything is off until somebody turns it on; chances come from a seed, so that a day repeats.

use crate::dice::Dice;
use serde::{Deserialize, Serialize};

/// Switches. Chances are between 0 (never) and 1 (always).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Faults {
    /// Where the chances begin.
    pub seed: u64,
    /// Callbacks come late.
    pub late: f64,
    /// How late, at most.
    pub late_ms: u64,
    /// Callbacks come twice.
    pub duplicate: f64,
    /// Callbacks are overtaken by the next ones.
    pub reorder: f64,
    /// Callbacks do not come at all.
    pub lose: f64,
    /// The same for Event Grid.
    pub grid_duplicate: f64,
    /// Events of Event Grid come late, by at most [`Faults::late_ms`].
    pub grid_late: f64,
    /// Requests are refused with 429 and Retry-After.
    pub throttle: f64,
    /// Seconds of Retry-After.
    pub retry_after_s: u32,
    /// Requests fail with 500 before anything is done.
    pub fail_before: f64,
    /// Requests fail with 500 though everything was done.
    pub fail_after: f64,
    /// Everything answers 503.
    pub outage: bool,
    /// Tokens of callbacks and sockets have expired.
    pub expired_tokens: bool,
    /// Participants are missing from lists.
    pub wrong_roster: bool,
    /// Persons with the Teams client cannot be added (Microsoft's pages contradict each other).
    pub no_teams_users: bool,
    /// Answering a redirected call looks like a success, as it does at the service.
    pub answer_after_redirect: bool,
    /// A transfer to an identifier of an unexpected kind fails with 500, as it does at the service.
    pub transfer_wrong_kind_500: bool,
    /// Answering and connecting are taken and fail afterwards: `AnswerFailed`, `ConnectFailed`.
    pub setup_fails: bool,
    /// Starting to record is taken and fails afterwards: `StartRecordingFailed`.
    pub recording_fails: bool,
    /// Keys that are told one by one are not understood: `ContinuousDtmfRecognitionToneFailed`.
    pub tones_fail: bool,
    /// Calls on behalf of a resource account do not say so.
    pub omit_on_behalf_of: bool,
    /// Callbacks may go to https only, as at the service.
    pub https_callbacks_only: bool,
}

impl Default for Faults {
    fn default() -> Faults {
        Faults {
            seed: 1,
            late: 0.0,
            late_ms: 500,
            duplicate: 0.0,
            reorder: 0.0,
            lose: 0.0,
            grid_duplicate: 0.0,
            grid_late: 0.0,
            throttle: 0.0,
            retry_after_s: 1,
            fail_before: 0.0,
            fail_after: 0.0,
            outage: false,
            expired_tokens: false,
            wrong_roster: false,
            no_teams_users: false,
            answer_after_redirect: false,
            transfer_wrong_kind_500: false,
            setup_fails: false,
            recording_fails: false,
            tones_fail: false,
            omit_on_behalf_of: false,
            https_callbacks_only: false,
        }
    }
}

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fortune {
    pub(crate) is_lost: bool,
    pub(crate) copies: u32,
    pub(crate) delay_ms: u64,
    /// Does not hold up those behind it.
    pub(crate) is_overtaken: bool,
}

/// Decides, one delivery after the other.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    dice: Dice,
    seed: u64,
}

impl Chance {
    pub(crate) fn new() -> Chance {
        Chance { dice: Dice::new(1), seed: 1 }
    }

    fn seeded(&mut self, faults: &Faults) -> &mut Dice {
        if self.seed != faults.seed {
            *self = Chance { dice: Dice::new(faults.seed), seed: faults.seed };
        }
        &mut self.dice
    }

    /// Starts from the seed again.
    pub(crate) fn reset(&mut self, faults: &Faults) {
        *self = Chance { dice: Dice::new(faults.seed), seed: faults.seed };
    }

    /// What happens to a callback.
    pub(crate) fn callback(&mut self, faults: &Faults) -> Fortune {
        let dice = self.seeded(faults);
        let is_late = dice.chance(faults.late);
        let is_overtaken = dice.chance(faults.reorder);
        let delay_ms = if is_late || is_overtaken { 1 + dice.next() % faults.late_ms.max(1) } else { 0 };
        Fortune { is_lost: dice.chance(faults.lose), copies: if dice.chance(faults.duplicate) { 2 } else { 1 }, delay_ms, is_overtaken }
    }

    /// What happens to an event of Event Grid.
    pub(crate) fn grid(&mut self, faults: &Faults) -> Fortune {
        let dice = self.seeded(faults);
        let delay_ms = if dice.chance(faults.grid_late) { 1 + dice.next() % faults.late_ms.max(1) } else { 0 };
        Fortune { is_lost: false, copies: if dice.chance(faults.grid_duplicate) { 2 } else { 1 }, delay_ms, is_overtaken: false }
    }

    /// Whether something of this chance happens to a request.
    pub(crate) fn happens(&mut self, faults: &Faults, chance: f64) -> bool {
        self.seeded(faults).chance(chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_day_and_nothing_happens_when_all_is_off() {
        let faults = Faults { late: 0.5, duplicate: 0.5, reorder: 0.2, lose: 0.1, ..Faults::default() };
        let day = |faults: &Faults| {
            let mut chance = Chance::new();
            (0..100).map(|_| chance.callback(faults)).collect::<Vec<_>>()
        };
        assert_eq!(day(&faults), day(&faults));
        assert_ne!(day(&faults), day(&Faults { seed: 2, ..faults.clone() }));
        assert!(day(&Faults::default()).iter().all(|fortune| *fortune == Fortune { copies: 1, ..Fortune::default() }));
        let lost = day(&Faults { lose: 1.0, ..Faults::default() });
        assert!(lost.iter().all(|fortune| fortune.is_lost));
    }

    #[test]
    fn a_switch_that_does_not_exist_is_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"late":0.5}"#).is_ok());
        assert!(serde_json::from_str::<Faults>(r#"{"latte":0.5}"#).is_err());
    }
}

//! Spans of a day.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Minutes of a day.
pub(super) const DAY_MINUTES: u16 = 24 * 60;

/// What a clock shows, to the minute: `00:00` to `24:00`, the end of the day. Written like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

/// A text that is not a time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time of day; write hours and minutes such as 09:30, from 00:00 to 24:00")]
pub struct InvalidTimeOfDay(String);

/// From a time of day to a later one, or, when `to` is not later, to that time on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first minute.
    pub from: TimeOfDay,
    /// The minute it is over.
    pub to: TimeOfDay,
}

impl TimeOfDay {
    /// The beginning of the day.
    pub const MIDNIGHT: TimeOfDay = TimeOfDay(0);
    /// The end of the day.
    pub const END: TimeOfDay = TimeOfDay(DAY_MINUTES);

    /// A time of day; nothing when clocks never show it.
    pub fn new(hour: u16, minute: u16) -> Option<TimeOfDay> {
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && minutes <= DAY_MINUTES).then_some(TimeOfDay(minutes))
    }

    /// Minutes since the beginning of the day.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl Span {
    /// From one time of day to another.
    pub fn new(from: TimeOfDay, to: TimeOfDay) -> Span {
        Span { from, to }
    }

    /// A whole day.
    pub const ALL_DAY: Span = Span { from: TimeOfDay::MIDNIGHT, to: TimeOfDay::END };

    /// Minutes from the beginning of its day to its end, which may lie on the next day.
    pub(super) fn end(self) -> u16 {
        if self.to > self.from { self.to.0 } else { self.to.0 + DAY_MINUTES }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;
    fn from_str(text: &str) -> Result<TimeOfDay, InvalidTimeOfDay> {
        let invalid = || InvalidTimeOfDay(text.chars().take(20).collect());
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (hour, minute) = text.split_once(':').filter(|(hour, minute)| digits(hour) && digits(minute)).ok_or_else(invalid)?;
        match (hour.parse(), minute.parse()) {
            (Ok(hour), Ok(minute)) => TimeOfDay::new(hour, minute).ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_hours_and_minutes_of_two_digits() {
        for (text, minutes) in [("00:00", 0), ("09:30", 570), ("23:59", 1_439), ("24:00", 1_440)] {
            let time: TimeOfDay = text.parse().unwrap();
            assert_eq!((time.minutes(), time.to_string().as_str()), (minutes, text));
        }
        for text in ["9:30", "24:01", "12:60", "1230", "", "12:3a", "+1:30", "12:30:00"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }
}

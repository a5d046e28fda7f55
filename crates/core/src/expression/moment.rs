//! Moments and durations as texts, and what they are made of.

use super::function::Part;
use crate::zone;
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};

const NANOSECONDS: i64 = 1_000_000_000;
/// Longest fraction of a second that is looked at, in digits.
const FRACTION_DIGITS: usize = 9;

/// Seconds of the first moment of year 1.
const FIRST_SECOND: i64 = -62_135_596_800;

/// Whether the language knows a moment: not before year 1. The calendar itself ends a day before year 10000.
pub(super) fn in_range(at: Timestamp) -> bool {
    at.as_nanosecond() >= i128::from(FIRST_SECOND) * i128::from(NANOSECONDS)
}

/// Reads `2026-11-27T14:30:00Z` or the like with a fraction and an offset (RFC 3339 §5.6).
pub(super) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let time = rest.strip_prefix('T')?;
    let (clock, rest) = (time.get(..8)?, time.get(8..)?);
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (Some(rest.get(..digits).filter(|digits| !digits.is_empty())?), rest.get(digits..)?)
        }
        None => (None, rest),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let nanosecond = i32::try_from(fraction.map_or(Some(0), nanoseconds)?).ok()?;
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, nanosecond).ok()?;
    let offset = if zone == "Z" { Offset::UTC } else { offset(zone, true)? };
    let at = offset.to_timestamp(date.to_datetime(time)).ok()?;
    in_range(at).then_some(at)
}

/// As [`parse_timestamp`] reads it, in UTC, with as many digits of the fraction as are needed.
pub(super) fn timestamp_text(at: Timestamp) -> String {
    let whole = TimeZone::UTC.to_datetime(at);
    let date = format!("{:04}-{:02}-{:02}", whole.year(), whole.month(), whole.day());
    let fraction = fraction_text(whole.subsec_nanosecond().unsigned_abs().into());
    format!("{date}T{:02}:{:02}:{:02}{fraction}Z", whole.hour(), whole.minute(), whole.second())
}

/// Reads `1h30m`, `1.5s`, `-20ms` or the like, in nanoseconds.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    while !rest.is_empty() || total == 0 {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(rest);
        let mut value: i128 = if whole == 0 { 0 } else { rest.get(..whole)?.parse().ok()? };
        rest = rest.get(whole..)?;
        let mut fraction = 0;
        let mut finer = 0;
        if let Some(after) = rest.strip_prefix('.') {
            finer = digits(after);
            fraction = if finer == 0 { 0 } else { i128::from(nanoseconds(after.get(..finer)?)?) };
            rest = after.get(finer..)?;
        }
        (whole + finer > 0).then_some(())?;
        // Two letters before one, so that `ms` is not `m` and `s`.
        let units = [("ms", 1_000_000), ("us", 1_000), ("ns", 1), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)];
        let (unit, size) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = rest.get(unit.len()..)?;
        value = value.checked_mul(size)?.checked_add(fraction * size / i128::from(NANOSECONDS))?;
        total = total.checked_add(value)?;
        if rest.is_empty() {
            break;
        }
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// Seconds with as many digits of the fraction as are needed, and an `s`.
pub(super) fn duration_text(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (whole, rest) = (nanoseconds / NANOSECONDS, nanoseconds % NANOSECONDS);
    format!("{sign}{}{}s", whole.unsigned_abs(), fraction_text(rest.unsigned_abs()))
}

/// The zone of an IANA name, or of an offset such as `+05:30`; nothing in it means UTC.
pub(super) fn time_zone(text: &str) -> Option<TimeZone> {
    if text.is_empty() {
        return Some(TimeZone::UTC);
    }
    if text.contains(':') { offset(text, false).map(TimeZone::fixed) } else { zone::named(text) }
}

/// A part of a moment, as clocks and calendars of the zone show it.
pub(super) fn part_of_moment(part: Part, at: Timestamp, zone: &TimeZone) -> i64 {
    let shown = zone.to_datetime(at);
    match part {
        Part::FullYear => shown.year().into(),
        Part::Month => i64::from(shown.month()) - 1,
        Part::Date => shown.day().into(),
        Part::DayOfMonth => i64::from(shown.day()) - 1,
        Part::DayOfWeek => shown.weekday().to_sunday_zero_offset().into(),
        Part::DayOfYear => i64::from(shown.day_of_year()) - 1,
        Part::Hours => shown.hour().into(),
        Part::Minutes => shown.minute().into(),
        Part::Seconds => shown.second().into(),
        Part::Milliseconds => i64::from(shown.subsec_nanosecond()) / 1_000_000,
    }
}

/// The whole of a duration in a unit; the parts of a date there are none of.
pub(super) fn part_of_duration(part: Part, nanoseconds: i64) -> i64 {
    match part {
        Part::Hours => nanoseconds / (3_600 * NANOSECONDS),
        Part::Minutes => nanoseconds / (60 * NANOSECONDS),
        Part::Seconds => nanoseconds / NANOSECONDS,
        Part::Milliseconds => nanoseconds / 1_000_000,
        Part::FullYear | Part::Month | Part::Date | Part::DayOfMonth | Part::DayOfWeek | Part::DayOfYear => 0,
    }
}

/// Three numbers of fixed widths.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u32; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split(separator);
    for (slot, width) in found.iter_mut().zip(widths) {
        *slot = parts.next().filter(|part| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// Digits behind the point as nanoseconds; what is finer is cut off.
fn nanoseconds(digits: &str) -> Option<i64> {
    let kept = digits.get(..digits.len().min(FRACTION_DIGITS))?;
    Some(kept.parse::<i64>().ok()? * 10_i64.pow((FRACTION_DIGITS - kept.len()) as u32))
}

fn fraction_text(nanoseconds: u64) -> String {
    if nanoseconds == 0 { String::new() } else { format!(".{nanoseconds:09}").trim_end_matches('0').to_owned() }
}

/// An offset such as `+05:30`; without a sign it lies ahead of UTC.
fn offset(text: &str, needs_sign: bool) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ if needs_sign => return None,
        _ => (1, text),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(())?;
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

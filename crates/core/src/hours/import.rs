//! Holidays from calendars of others: whole-day events of an iCalendar text (RFC 5545).
//!
//! Understood: `VEVENT` with `DTSTART` as a date, `DTEND` (the day after the last) or `DURATION` in days or weeks, `SUMMARY`,
//! `STATUS:CANCELLED`, `EXDATE`, and `RRULE` with `FREQ=YEARLY` on the same date, with or without `INTERVAL`, `COUNT` and `UNTIL`.
//! Whatever else would change which days are meant is refused, never passed over; whatever would not is passed over.

use super::{Date, Holiday};
use crate::{
    limits::{CALENDAR_BYTES, EXCEPTION_DAYS, HOLIDAYS_PER_SET, NAME_CHARS},
    text::clip,
};
use jiff::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What cannot be taken over, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ImportError {
    /// The line of the text, counted from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

fn error<T>(line: usize, problem: impl Into<String>) -> Result<T, ImportError> {
    Err(ImportError { line, problem: problem.into() })
}

/// The days off that a calendar names, in order, each date once.
///
/// # Errors
/// The first line that cannot be taken over, with the remedy.
pub fn import(text: &str) -> Result<Vec<Holiday>, ImportError> {
    if text.len() > CALENDAR_BYTES {
        return error(1, format!("the calendar is larger than {CALENDAR_BYTES} bytes; export fewer years"));
    }
    let lines = unfolded(text)?;
    match lines.first() {
        Some(first) if first.is("BEGIN", "VCALENDAR") => {}
        first => {
            return error(
                first.map_or(1, |line| line.number),
                "is not a calendar: it has to begin with BEGIN:VCALENDAR; export it as iCalendar",
            );
        }
    }
    let mut found: BTreeMap<Date, Holiday> = BTreeMap::new();
    // Components that are open, the innermost last, and the event among them.
    let mut open: Vec<&str> = Vec::new();
    let mut event: Option<Event> = None;
    for line in &lines {
        if line.name == "BEGIN" {
            if line.is("BEGIN", "VEVENT") && event.is_none() {
                event = Some(Event::begun(line.number));
                open.clear();
            }
            open.push(&line.value);
        } else if line.name == "END" {
            match open.pop() {
                Some(begun) if begun.eq_ignore_ascii_case(&line.value) => {}
                Some(begun) => return error(line.number, format!("ends {} while {begun} is open; the text is damaged", line.value)),
                // The calendar itself was forgotten when the event began.
                None if line.is("END", "VCALENDAR") => {}
                None => return error(line.number, format!("ends {} which was not begun; the text is damaged", line.value)),
            }
            if open.is_empty()
                && line.is("END", "VEVENT")
                && let Some(event) = event.take()
            {
                event.add_to(&mut found)?;
            }
        } else if let Some(event) = &mut event
            && open.len() == 1
        {
            event.read(line)?;
        }
    }
    if let Some(event) = event {
        return error(event.line, "the event is not ended; the text is cut off");
    }
    Ok(found.into_values().collect())
}

/// A content line: `NAME;PARAMETER=VALUE:VALUE` (RFC 5545 §3.1).
struct Line {
    number: usize,
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

impl Line {
    fn is(&self, name: &str, value: &str) -> bool {
        self.name == name && self.value.trim().eq_ignore_ascii_case(value)
    }

    fn parse(number: usize, text: &str) -> Result<Line, ImportError> {
        let mut quoted = false;
        let mut parts = vec![String::new()];
        let mut characters = text.chars();
        loop {
            match characters.next() {
                None => return error(number, "is neither a property nor the continuation of one; the text is damaged"),
                Some('"') => quoted = !quoted,
                Some(':') if !quoted => break,
                Some(';') if !quoted => parts.push(String::new()),
                Some(other) => {
                    if let Some(part) = parts.last_mut() {
                        part.push(other);
                    }
                }
            }
        }
        let mut parts = parts.into_iter();
        let name = parts.next().unwrap_or_default().trim().to_ascii_uppercase();
        let parameters = parts.filter_map(|part| part.split_once('=').map(|(name, value)| (name.to_ascii_uppercase(), value.to_owned())));
        Ok(Line { number, name, parameters: parameters.collect(), value: characters.collect() })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Lines that were folded are put together (RFC 5545 §3.1); each keeps the number of its beginning.
fn unfolded(text: &str) -> Result<Vec<Line>, ImportError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => whole.push((index + 1, line.to_owned())),
        }
    }
    whole.into_iter().map(|(number, line)| Line::parse(number, &line)).collect()
}

/// A date as `20261224`; of a date with a time, the date.
fn date(text: &str) -> Option<Date> {
    let digits = text.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    if text.get(8..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('T')) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `\n`, `\,`, `\;` and `\\` (RFC 5545 §3.3.11), in one line.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out.trim().to_owned()
}

/// How an event comes again.
struct Rule {
    line: usize,
    interval: i16,
    count: Option<u32>,
    until: Option<Date>,
    month: Option<i8>,
    day: Option<i8>,
}

/// What is known of an event so far.
struct Event {
    line: usize,
    start: Option<Date>,
    end: Option<Date>,
    days: Option<i32>,
    name: String,
    rule: Option<Rule>,
    excluded: Vec<Date>,
    cancelled: bool,
}

impl Event {
    fn begun(line: usize) -> Event {
        Event { line, start: None, end: None, days: None, name: String::new(), rule: None, excluded: Vec::new(), cancelled: false }
    }

    fn read(&mut self, line: &Line) -> Result<(), ImportError> {
        let number = line.number;
        let value = line.value.trim();
        match line.name.as_str() {
            "SUMMARY" => self.name = clip(unescaped(value), NAME_CHARS),
            "STATUS" => self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "DTSTART" => self.start = Some(whole_day(line)?),
            "DTEND" => self.end = Some(whole_day(line)?),
            "DURATION" => {
                let count = |unit: char| value.strip_prefix('P')?.strip_suffix(unit)?.parse::<i32>().ok();
                match count('D').or_else(|| count('W').and_then(|weeks| weeks.checked_mul(7))) {
                    Some(days) => self.days = Some(days),
                    None => return error(number, format!("lasts {value}, which is not whole days; write P1D or DTEND")),
                }
            }
            "RRULE" => self.rule = Some(Rule::parse(number, value)?),
            "EXDATE" => {
                for one in value.split(',') {
                    match date(one.trim()) {
                        Some(date) => self.excluded.push(date),
                        None => return error(number, format!("leaves out {one}, which is not a date; write it like 20261224")),
                    }
                }
            }
            "RDATE" | "RECURRENCE-ID" => {
                let problem = format!("{} is not supported; write each day as an event of its own", line.name);
                return error(number, problem);
            }
            _ => {}
        }
        Ok(())
    }

    fn add_to(self, found: &mut BTreeMap<Date, Holiday>) -> Result<(), ImportError> {
        if self.cancelled {
            return Ok(());
        }
        let Some(start) = self.start else { return error(self.line, "the event has no DTSTART; give it a date") };
        if self.name.is_empty() {
            return error(self.line, format!("the event of {start} has no SUMMARY; give it a name"));
        }
        let days = match (self.end, self.days) {
            (Some(end), _) if end < start => return error(self.line, format!("\"{}\" ends before it begins; swap the dates", self.name)),
            (Some(end), _) => start.until(end).map_or(i32::MAX, |span| span.get_days()),
            (None, Some(days)) => days,
            (None, None) => 1,
        };
        // Some programs name the same day as beginning and end, though the end is the day after.
        let days = days.max(1);
        if days > EXCEPTION_DAYS {
            return error(self.line, format!("\"{}\" lasts more than {EXCEPTION_DAYS} days; shorten it", self.name));
        }
        let (starts, yearly) = match &self.rule {
            None => (vec![start], false),
            Some(rule) => rule.starts(start, &self.excluded)?,
        };
        for start in starts.into_iter().filter(|start| !self.excluded.contains(start)) {
            for date in start.series(Span::new().days(1)).take(days as usize) {
                let day = found.entry(date).or_insert_with(|| Holiday { date, name: self.name.clone(), yearly });
                day.yearly |= yearly;
                if found.len() > HOLIDAYS_PER_SET {
                    return error(self.line, format!("the calendar holds more than {HOLIDAYS_PER_SET} days; export fewer years"));
                }
            }
        }
        Ok(())
    }
}

/// The date of a property that has to be one.
fn whole_day(line: &Line) -> Result<Date, ImportError> {
    let value = line.value.trim();
    let is_date = line.parameter("VALUE").is_none_or(|kind| kind.eq_ignore_ascii_case("DATE")) && !value.contains('T');
    match date(value) {
        Some(date) if is_date => Ok(date),
        Some(_) => error(line.number, "the event has times of day; make it last the whole day, or leave it out and add an exception"),
        None => error(line.number, format!("{} is not a date; write it like 20261224", clip(value.to_owned(), 40))),
    }
}

impl Rule {
    fn parse(line: usize, text: &str) -> Result<Rule, ImportError> {
        let mut rule = Rule { line, interval: 1, count: None, until: None, month: None, day: None };
        let mut yearly = false;
        for part in text.split(';') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let known = match name.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    yearly = value.eq_ignore_ascii_case("YEARLY");
                    yearly
                }
                "INTERVAL" => value.parse().is_ok_and(|interval| {
                    rule.interval = interval;
                    (1..=100).contains(&interval)
                }),
                "COUNT" => {
                    rule.count = value.parse().ok();
                    rule.count.is_some()
                }
                "UNTIL" => {
                    rule.until = date(value);
                    rule.until.is_some()
                }
                "BYMONTH" => {
                    rule.month = value.parse().ok();
                    rule.month.is_some()
                }
                "BYMONTHDAY" => {
                    rule.day = value.parse().ok();
                    rule.day.is_some()
                }
                "WKST" => true,
                _ => false,
            };
            if !known {
                return error(
                    line,
                    format!("repeats by {part}, which is not supported; repeat yearly on the same date, or write each day"),
                );
            }
        }
        if yearly { Ok(rule) } else { error(line, "has no FREQ=YEARLY; repeat yearly on the same date, or write each day") }
    }

    /// The days the event begins on, and whether each comes again every year.
    fn starts(&self, first: Date, excluded: &[Date]) -> Result<(Vec<Date>, bool), ImportError> {
        if self.month.is_some_and(|month| month != first.month()) || self.day.is_some_and(|day| day != first.day()) {
            return error(self.line, "repeats on another date than it begins on; let it begin on the date it repeats on");
        }
        if self.count.is_none() && self.until.is_none() {
            return if self.interval == 1 && excluded.is_empty() {
                Ok((vec![first], true))
            } else {
                error(self.line, "repeats without end and not every year; give it COUNT or UNTIL")
            };
        }
        let last = self.until.unwrap_or(Date::MAX);
        let count = self.count.map_or(HOLIDAYS_PER_SET + 1, |count| count as usize).min(HOLIDAYS_PER_SET + 1);
        let years = (first.year()..=last.year()).step_by(self.interval.unsigned_abs().into());
        // The 29th of February is left out in years that have none, and not counted.
        let dates = years.filter_map(|year| Date::new(year, first.month(), first.day()).ok());
        Ok((dates.filter(|date| *date <= last).take(count).collect(), false))
    }
}

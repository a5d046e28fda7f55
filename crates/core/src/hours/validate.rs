//! Whether documents of opening hours hold together, with the remedy when they do not.

use super::{Exception, Holidays, Hours, Span, span::DAY_MINUTES};
use crate::{
    config::{check_name, check_unique, invalid, room},
    limits::{
        EXCEPTION_DAYS, EXCEPTIONS_PER_HOURS, HOLIDAY_SETS_PER_HOURS, HOLIDAY_SETS_PER_TENANT, HOLIDAYS_PER_SET, HOURS_PER_TENANT,
        SPANS_PER_DAY,
    },
    refusal::Refusal,
    world::World,
    zone,
};
use jiff::civil::Weekday;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn put_hours(world: &World, hours: &Hours) -> Result<(), Refusal> {
    check_name("hours.name", &hours.name)?;
    let others = world.hours.values().filter(|other| other.id != hours.id).map(|other| &other.name);
    check_unique("hours.name", &hours.name, others)?;
    room(world.hours.contains_key(&hours.id), world.hours.len(), HOURS_PER_TENANT, "opening hours")?;
    if zone::named(&hours.time_zone).is_none() {
        let given: String = hours.time_zone.chars().take(40).collect();
        return invalid("hours.time_zone", format!("\"{given}\" is not the name of a time zone; write one such as Europe/Berlin or UTC"));
    }
    check_week(hours)?;
    check_day("hours.on_holidays", &hours.on_holidays)?;
    check_exceptions(&hours.exceptions)?;
    if hours.holidays.len() > HOLIDAY_SETS_PER_HOURS {
        return invalid("hours.holidays", format!("names more than {HOLIDAY_SETS_PER_HOURS} sets; put the days into fewer"));
    }
    let mut seen = BTreeSet::new();
    for id in &hours.holidays {
        if !world.holidays.contains_key(id) {
            return invalid("hours.holidays", format!("names {id}, which does not exist; create the holidays first"));
        }
        if !seen.insert(id) {
            return invalid("hours.holidays", format!("names {id} twice"));
        }
    }
    Ok(())
}

pub(crate) fn put_holidays(world: &World, holidays: &Holidays) -> Result<(), Refusal> {
    check_name("holidays.name", &holidays.name)?;
    let others = world.holidays.values().filter(|other| other.id != holidays.id).map(|other| &other.name);
    check_unique("holidays.name", &holidays.name, others)?;
    room(world.holidays.contains_key(&holidays.id), world.holidays.len(), HOLIDAY_SETS_PER_TENANT, "sets of holidays")?;
    if holidays.days.len() > HOLIDAYS_PER_SET {
        return invalid("holidays.days", format!("holds more than {HOLIDAYS_PER_SET}; leave out years that are past"));
    }
    let mut seen = BTreeMap::new();
    for (index, day) in holidays.days.iter().enumerate() {
        check_name(&format!("holidays.days[{index}].name"), &day.name)?;
        if let Some(other) = seen.insert(day.date, &day.name) {
            let problem = format!("{} is \"{other}\" already; name it once", day.date);
            return invalid(&format!("holidays.days[{index}].date"), problem);
        }
    }
    Ok(())
}

fn check_week(hours: &Hours) -> Result<(), Refusal> {
    // Begins with a Sunday, so that each day has one before it.
    let days = [Weekday::Sunday, Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let days = days.into_iter().chain([Weekday::Saturday, Weekday::Sunday]);
    let mut before: Option<u16> = None;
    for day in days {
        let field = format!("hours.week.{}", name(day));
        let spans = hours.week.on(day);
        check_day(&field, spans)?;
        let first = spans.iter().min_by_key(|span| span.from);
        if let (Some(first), Some(before)) = (first, before)
            && first.from.minutes() + DAY_MINUTES < before
        {
            return invalid(&field, format!("{first} overlaps with the day before, which lasts past midnight; let it begin later"));
        }
        before = spans.iter().map(|span| span.end()).max();
    }
    Ok(())
}

fn check_exceptions(exceptions: &[Exception]) -> Result<(), Refusal> {
    if exceptions.len() > EXCEPTIONS_PER_HOURS {
        return invalid("hours.exceptions", format!("holds more than {EXCEPTIONS_PER_HOURS}; remove those that are past"));
    }
    let mut order: Vec<(usize, &Exception)> = exceptions.iter().enumerate().collect();
    for (index, exception) in &order {
        let field = |what: &str| format!("hours.exceptions[{index}].{what}");
        check_name(&field("name"), &exception.name)?;
        check_day(&field("spans"), &exception.spans)?;
        if exception.last_day() < exception.first {
            return invalid(&field("last"), format!("lies before {}; swap the two", exception.first));
        }
        let days = exception.first.until(exception.last_day()).map_or(i32::MAX, |span| span.get_days());
        if days >= EXCEPTION_DAYS {
            return invalid(&field("last"), format!("is more than {EXCEPTION_DAYS} days after the first; change the week instead"));
        }
    }
    order.sort_by_key(|(_, exception)| exception.first);
    for pair in order.windows(2) {
        let [(_, one), (index, other)] = pair else { continue };
        if other.first <= one.last_day() {
            let problem = format!("{} is in \"{}\" already; let one of them end before", other.first, one.name);
            return invalid(&format!("hours.exceptions[{index}].first"), problem);
        }
    }
    Ok(())
}

/// The spans of one day by themselves.
fn check_day(field: &str, spans: &[Span]) -> Result<(), Refusal> {
    if spans.len() > SPANS_PER_DAY {
        return invalid(field, format!("holds more than {SPANS_PER_DAY} spans; join some"));
    }
    let mut order: Vec<&Span> = spans.iter().collect();
    order.sort_by_key(|span| span.from);
    for span in &order {
        if span.from == span.to {
            return invalid(field, format!("{span} has no length; write 00:00 to 24:00 for a whole day"));
        }
        if span.from.minutes() == DAY_MINUTES {
            return invalid(field, format!("{span} begins at the end of the day; write it as 00:00 of the next"));
        }
    }
    for pair in order.windows(2) {
        let [one, other] = pair else { continue };
        if other.from.minutes() < one.end() {
            return invalid(field, format!("{other} overlaps with {one}; let one end where the other begins"));
        }
    }
    Ok(())
}

fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

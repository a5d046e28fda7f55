//! Weeks, exceptions and holidays.

use crate::shop::{because, exception, expect, holidays, shop, shown, spans, state};
use dreiklang_core::{
    hours::{Hours, Span, Week},
    ids::{HolidaysId, HoursId},
};
use std::collections::BTreeMap;

#[test]
fn several_spans_a_day_open_and_close_in_turn() {
    let hours = shop("Europe/Berlin", "13:00-17:30 09:00-12:00");
    // 2026-11-27 is a Friday; Berlin is an hour ahead of UTC then.
    expect(&hours, "2026-11-27T07:59:59.999Z", false, Some("2026-11-27T08:00:00Z"));
    expect(&hours, "2026-11-27T08:00:00Z", true, Some("2026-11-27T11:00:00Z"));
    expect(&hours, "2026-11-27T11:00:00Z", false, Some("2026-11-27T12:00:00Z"));
    expect(&hours, "2026-11-27T12:30:00Z", true, Some("2026-11-27T16:30:00Z"));
    expect(&hours, "2026-11-27T16:30:00Z", false, Some("2026-11-30T08:00:00Z"));
}

#[test]
fn a_span_may_last_past_midnight_and_belongs_to_the_day_it_begins_on() {
    let hours = shop("Europe/Berlin", "22:00-06:00");
    expect(&hours, "2026-11-27T20:59:00Z", false, Some("2026-11-27T21:00:00Z"));
    expect(&hours, "2026-11-27T21:00:00Z", true, Some("2026-11-28T05:00:00Z"));
    expect(&hours, "2026-11-28T04:59:59Z", true, Some("2026-11-28T05:00:00Z"));
    expect(&hours, "2026-11-28T05:00:00Z", false, Some("2026-11-30T21:00:00Z"));
    // On Monday morning it is closed: Sunday begins no span.
    expect(&hours, "2026-11-30T01:00:00Z", false, Some("2026-11-30T21:00:00Z"));
}

#[test]
fn spans_that_touch_are_one() {
    let hours = Hours {
        week: Week { friday: spans("09:00-12:00 12:00-24:00"), saturday: spans("00:00-02:00"), ..Week::default() },
        ..shop("UTC", "")
    };
    expect(&hours, "2026-11-27T10:00:00Z", true, Some("2026-11-28T02:00:00Z"));
    let hours = shop("UTC", "18:00-00:00");
    expect(&hours, "2026-11-27T20:00:00Z", true, Some("2026-11-28T00:00:00Z"));
}

#[test]
fn what_is_always_open_or_never_has_no_next_change() {
    let always = Hours { week: Week::every_day(&[Span::ALL_DAY]), ..shop("Europe/Berlin", "") };
    expect(&always, "2026-11-27T20:00:00Z", true, None);
    let never = Hours::new(HoursId(1), "Never", "Europe/Berlin");
    expect(&never, "2026-11-27T20:00:00Z", false, None);
    // Even at the ends of time nothing breaks.
    for moment in ["-009999-01-02T01:59:59Z", "9999-12-30T21:59:59Z"] {
        expect(&never, moment, false, None);
        state(&always, &BTreeMap::new(), moment);
        state(&shop("Pacific/Auckland", "09:00-17:00"), &BTreeMap::new(), moment);
    }
}

#[test]
fn an_exception_goes_before_a_holiday_and_a_holiday_before_the_week() {
    let mut hours = shop("Europe/Berlin", "09:00-17:00");
    hours.holidays = vec![HolidaysId(1)];
    hours.exceptions =
        vec![exception("Sale", "2026-12-26", None, "10:00-14:00"), exception("Inventory", "2026-12-28", Some("2026-12-30"), "")];
    let sets = holidays(&[("2020-12-25", "Christmas", true), ("2020-12-26", "Boxing Day", true), ("2026-12-31", "New Year's Eve", false)]);
    let told = |moment: &str| {
        let found = state(&hours, &sets, moment);
        (found.open, because(&found), found.until.map(shown).unwrap_or_default())
    };
    let row = |open: bool, why: &str, until: &str| (open, why.to_owned(), until.to_owned());
    assert_eq!(told("2026-12-24T15:00:00Z"), row(true, "week", "2026-12-24T16:00:00Z"));
    assert_eq!(told("2026-12-24T17:00:00Z"), row(false, "week", "2026-12-26T09:00:00Z"));
    assert_eq!(told("2026-12-25T10:00:00Z"), row(false, "holiday Christmas", "2026-12-26T09:00:00Z"));
    assert_eq!(told("2026-12-26T12:00:00Z"), row(true, "exception Sale", "2026-12-26T13:00:00Z"));
    assert_eq!(told("2026-12-29T12:00:00Z"), row(false, "exception Inventory", "2027-01-01T08:00:00Z"));
    assert_eq!(told("2026-12-31T12:00:00Z"), row(false, "holiday New Year's Eve", "2027-01-01T08:00:00Z"));
    assert_eq!(told("2027-12-31T12:00:00Z"), row(true, "week", "2027-12-31T16:00:00Z"), "the eve was a holiday in 2026 only");
    assert_eq!(told("2019-12-25T12:00:00Z"), row(true, "week", "2019-12-25T16:00:00Z"), "not before it was introduced");
}

#[test]
fn holidays_may_have_shorter_hours_and_the_night_before_is_not_cut() {
    let mut hours = shop("UTC", "20:00-04:00");
    hours.holidays = vec![HolidaysId(1)];
    hours.on_holidays = spans("10:00-12:00");
    let sets = holidays(&[("2026-12-25", "Christmas", true)]);
    let open = |moment: &str| state(&hours, &sets, moment).open;
    assert!(open("2026-12-25T03:00:00Z"), "Thursday's span lasts into the holiday");
    assert!(!open("2026-12-25T05:00:00Z") && open("2026-12-25T11:00:00Z") && !open("2026-12-25T21:00:00Z"));
}

#[test]
fn a_holiday_on_the_29th_of_february_comes_every_four_years() {
    let mut hours = shop("UTC", "09:00-17:00");
    hours.holidays = vec![HolidaysId(1)];
    let sets = holidays(&[("2024-02-29", "Leap Day", true)]);
    assert!(!state(&hours, &sets, "2028-02-29T10:00:00Z").open);
    assert!(state(&hours, &sets, "2027-03-01T10:00:00Z").open && state(&hours, &sets, "2028-03-01T10:00:00Z").open);
}

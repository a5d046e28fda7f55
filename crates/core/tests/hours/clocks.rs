//! When clocks are changed: an hour that is skipped, an hour that comes twice, a day that never was.

use crate::shop::{exception, expect, shop, spans};
use dreiklang_core::hours::{Hours, Span, Week};

fn daily(zone: &str, text: &str) -> Hours {
    Hours { week: Week::every_day(&spans(text)), ..shop(zone, "") }
}

#[test]
fn opening_times_follow_the_clock_of_the_zone_through_the_year() {
    let berlin = daily("Europe/Berlin", "09:00-17:00");
    expect(&berlin, "2026-03-28T20:00:00Z", false, Some("2026-03-29T07:00:00Z"));
    expect(&berlin, "2026-10-24T20:00:00Z", false, Some("2026-10-25T08:00:00Z"));
    let york = daily("America/New_York", "09:00-17:00");
    expect(&york, "2026-03-07T23:00:00Z", false, Some("2026-03-08T13:00:00Z"));
    expect(&york, "2026-10-31T23:00:00Z", false, Some("2026-11-01T14:00:00Z"));
    let sydney = daily("Australia/Sydney", "09:00-17:00");
    expect(&sydney, "2026-04-04T10:00:00Z", false, Some("2026-04-04T23:00:00Z"));
    expect(&sydney, "2026-10-03T10:00:00Z", false, Some("2026-10-03T22:00:00Z"));
}

#[test]
fn what_would_begin_or_end_in_a_skipped_hour_does_so_as_it_is_skipped() {
    // 2026-03-29 in Berlin: 02:00 becomes 03:00, at 01:00Z.
    expect(&daily("Europe/Berlin", "02:30-04:00"), "2026-03-29T00:00:00Z", false, Some("2026-03-29T01:00:00Z"));
    expect(&daily("Europe/Berlin", "01:00-02:30"), "2026-03-29T00:30:00Z", true, Some("2026-03-29T01:00:00Z"));
    expect(&daily("Europe/Berlin", "02:30-03:15"), "2026-03-29T01:00:00Z", true, Some("2026-03-29T01:15:00Z"));
    // Nothing is left of what lies inside.
    expect(&daily("Europe/Berlin", "02:15-02:45"), "2026-03-29T00:00:00Z", false, Some("2026-03-30T00:15:00Z"));
    expect(&daily("Europe/Berlin", "02:00-03:00"), "2026-03-29T00:00:00Z", false, Some("2026-03-30T00:00:00Z"));
    // 2026-03-08 in New York, at 07:00Z; 2026-10-04 in Sydney, at 16:00Z the day before.
    expect(&daily("America/New_York", "02:30-06:00"), "2026-03-08T06:00:00Z", false, Some("2026-03-08T07:00:00Z"));
    expect(&daily("Australia/Sydney", "02:30-06:00"), "2026-10-03T15:00:00Z", false, Some("2026-10-03T16:00:00Z"));
}

#[test]
fn in_an_hour_that_comes_twice_the_first_counts() {
    // 2026-10-25 in Berlin: 03:00 becomes 02:00, at 01:00Z.
    expect(&daily("Europe/Berlin", "02:30-04:00"), "2026-10-25T00:00:00Z", false, Some("2026-10-25T00:30:00Z"));
    expect(&daily("Europe/Berlin", "02:30-04:00"), "2026-10-25T01:10:00Z", true, Some("2026-10-25T03:00:00Z"));
    expect(&daily("Europe/Berlin", "22:00-02:30"), "2026-10-25T00:00:00Z", true, Some("2026-10-25T00:30:00Z"));
    expect(&daily("Europe/Berlin", "22:00-02:30"), "2026-10-25T01:10:00Z", false, Some("2026-10-25T21:00:00Z"));
    // Twice the hour makes the night an hour longer.
    expect(&daily("America/New_York", "00:00-06:00"), "2026-11-01T04:00:00Z", true, Some("2026-11-01T11:00:00Z"));
    expect(&daily("Australia/Sydney", "00:00-06:00"), "2026-04-04T13:00:00Z", true, Some("2026-04-04T20:00:00Z"));
}

#[test]
fn clocks_may_change_at_midnight_or_by_half_an_hour() {
    // 2026-04-05 on Lord Howe: 02:00 becomes 01:30.
    expect(&daily("Australia/Lord_Howe", "01:45-03:00"), "2026-04-04T14:00:00Z", false, Some("2026-04-04T14:45:00Z"));
    // 2018-11-04 in São Paulo began at 01:00, 2018-02-18 was preceded by 23:00 twice.
    expect(&daily("America/Sao_Paulo", "00:00-06:00"), "2018-11-04T02:00:00Z", false, Some("2018-11-04T03:00:00Z"));
    expect(&daily("America/Sao_Paulo", "08:00-23:30"), "2018-02-18T01:00:00Z", true, Some("2018-02-18T01:30:00Z"));
    expect(&daily("America/Sao_Paulo", "08:00-23:30"), "2018-02-18T02:10:00Z", false, Some("2018-02-18T11:00:00Z"));
}

#[test]
fn a_day_that_never_was_has_no_opening_hours() {
    // Samoa went from 2011-12-29 to 2011-12-31, at 10:00Z.
    let mut samoa = daily("Pacific/Apia", "");
    samoa.exceptions = vec![exception("Open", "2011-12-30", None, "09:00-17:00"), exception("Again", "2011-12-31", None, "09:00-17:00")];
    expect(&samoa, "2011-12-30T09:00:00Z", false, Some("2011-12-30T19:00:00Z"));
    let always = Hours { week: Week::every_day(&[Span::ALL_DAY]), ..samoa };
    expect(&Hours { exceptions: Vec::new(), ..always }, "2011-12-30T09:00:00Z", true, None);
}

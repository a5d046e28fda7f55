//! What holds for all opening hours at all times.

use crate::shop::at;
use dreiklang_core::{
    hours::{Date, Exception, Holiday, Holidays, Hours, HoursState, Override, Span, Switch, TimeOfDay, Week},
    ids::{HolidaysId, HoursId},
    input::Actor,
    time::Timestamp,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/St_Johns",
];

fn day() -> impl Strategy<Value = Vec<Span>> {
    // Few different times, so that spans often touch, overlap and meet the hours in which clocks change.
    let time = (0u16..48).prop_map(|half| TimeOfDay::new(half / 2, half % 2 * 30).unwrap());
    let end = (1u16..=48).prop_map(|half| TimeOfDay::new(half / 2, half % 2 * 30).unwrap());
    prop::collection::vec((time, end).prop_map(|(from, to)| Span::new(from, to)), 0..3)
}

fn hours() -> impl Strategy<Value = Hours> {
    let date = |offset: i32| Date::constant(2025, 12, 25).checked_add(jiff::Span::new().days(offset)).unwrap();
    let exception = (0i32..420, 0i32..5, day()).prop_map(move |(first, length, spans)| Exception {
        name: "exception".to_owned(),
        first: date(first),
        last: (length > 0).then(|| date(first + length)),
        spans,
    });
    (prop::sample::select(&ZONES[..]), prop::collection::vec(day(), 7), prop::collection::vec(exception, 0..4), day()).prop_map(
        |(zone, mut week, exceptions, on_holidays)| {
            let mut next = || week.pop().unwrap();
            let week = Week {
                monday: next(),
                tuesday: next(),
                wednesday: next(),
                thursday: next(),
                friday: next(),
                saturday: next(),
                sunday: next(),
            };
            Hours { week, exceptions, on_holidays, holidays: vec![HolidaysId(1)], ..Hours::new(HoursId(1), "Shop", zone) }
        },
    )
}

fn sets() -> impl Strategy<Value = BTreeMap<HolidaysId, Holidays>> {
    prop::collection::vec((0i32..420, any::<bool>()), 0..6).prop_map(|days| {
        let day = |(offset, yearly)| Holiday {
            date: Date::constant(2025, 12, 25).checked_add(jiff::Span::new().days(offset)).unwrap(),
            name: "holiday".to_owned(),
            yearly,
        };
        let id = HolidaysId(1);
        BTreeMap::from([(id, Holidays { id, name: "set".to_owned(), days: days.into_iter().map(day).collect() })])
    })
}

/// A moment of 2026, often near the hours in which clocks change somewhere.
fn moment() -> impl Strategy<Value = Timestamp> {
    let near = |text: &'static str| (-7_200_000i64..7_200_000).prop_map(move |off| Timestamp(at(text).0 + off));
    prop_oneof![
        4 => (0i64..365 * 86_400_000).prop_map(|off| Timestamp(at("2026-01-01T00:00:00Z").0 + off)),
        1 => near("2026-03-29T01:00:00Z"),
        1 => near("2026-10-25T01:00:00Z"),
        1 => near("2026-03-08T07:00:00Z"),
        1 => near("2026-11-01T06:00:00Z"),
        1 => near("2026-04-04T16:00:00Z"),
        1 => near("2026-10-03T16:00:00Z"),
    ]
}

/// A switch that stands until some hours later, or earlier, or for good.
fn switched() -> impl Strategy<Value = Option<(bool, Option<i64>)>> {
    prop::option::of((any::<bool>(), prop::option::of(-3_600_000i64..86_400_000)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_before_the_next_change_and_then_it_does(
        hours in hours(), sets in sets(), moment in moment(), switched in switched(), part in 0.0..1.0f64,
    ) {
        let switched = switched.map(|(open, until)| {
            let until = until.map(|off| Timestamp(moment.0 + off));
            let switch = if open { Switch::ForcedOpen { until } } else { Switch::ForcedClosed { until } };
            Override { switch, by: Actor::System, since: moment }
        });
        let state = |at: Timestamp| -> HoursState { hours.state_switched(&sets, switched.as_ref(), at) };
        let now = state(moment);
        if let Some(until) = now.until {
            prop_assert!(until > moment, "{:?}", now);
            let before = Timestamp(until.0 - 1);
            let between = Timestamp(moment.0 + ((before.0 - moment.0) as f64 * part) as i64);
            for at in [between, before] {
                let found = state(at);
                prop_assert_eq!((found.open, found.until), (now.open, now.until), "at {:?}", at);
            }
            prop_assert_ne!(state(until).open, now.open);
        } else {
            let later = Timestamp(moment.0 + (390.0 * 86_400_000.0 * part) as i64);
            prop_assert_eq!(state(later).open, now.open);
        }
    }

    #[test]
    fn away_from_clock_changes_it_is_open_when_the_clock_shows_so(hours in hours(), moment in moment()) {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(&hours.time_zone).unwrap();
        let shown = zone.to_datetime(jiff::Timestamp::from_millisecond(moment.0).unwrap());
        let near = jiff::Timestamp::from_millisecond(moment.0 - 26 * 3_600_000).unwrap();
        let changes = zone.following(near).take_while(|change| change.timestamp().as_millisecond() <= moment.0 + 26 * 3_600_000).count();
        prop_assume!(changes == 0);
        let minutes = shown.hour() as u16 * 60 + shown.minute() as u16;
        let spans = |date: Date| match hours.exceptions.iter().find(|one| (one.first..=one.last_day()).contains(&date)) {
            Some(one) => one.spans.clone(),
            None => hours.week.on(date.weekday()).to_vec(),
        };
        let today = spans(shown.date()).iter().any(|span| {
            span.from.minutes() <= minutes && (minutes < span.to.minutes() || span.to <= span.from)
        });
        let yesterday = spans(shown.date().yesterday().unwrap()).iter().any(|span| span.to <= span.from && minutes < span.to.minutes());
        prop_assert_eq!(hours.state(&BTreeMap::new(), moment).open, today || yesterday);
    }
}

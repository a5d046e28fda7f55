//! Calendars of others.

use dreiklang_core::hours::import;

/// A calendar around the lines of one event.
fn event(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", lines.replace('\n', "\r\n"))
}

fn days(text: &str) -> Vec<String> {
    let found = import(text).unwrap_or_else(|error| panic!("{error}"));
    found.into_iter().map(|day| format!("{} {}{}", day.date, day.name, if day.yearly { " yearly" } else { "" })).collect()
}

#[test]
fn whole_days_of_a_calendar_become_holidays() {
    let text = "\u{feff}BEGIN:VCALENDAR\r\nPRODID:-//Some//Program//EN\r\nVERSION:2.0\r\nX-WR-CALNAME:Feiertage\r\n\
        BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:2@x\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Weihnachten\\, 1. u\r\n nd 2. Tag\r\n\
        DESCRIPTION;ALTREP=\"http://x/;y:z\":mehr\r\n\tnoch mehr\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nDTSTART:egal\r\nEND:VALARM\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260101\nSUMMARY;LANGUAGE=de:Neujahr\nEND:VEVENT\n\
        BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260501\r\nSUMMARY:Abgesagt\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n\
        BEGIN:VTODO\r\nDUE:20260101T120000Z\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    assert_eq!(days(text), ["2026-01-01 Neujahr", "2026-12-25 Weihnachten, 1. und 2. Tag", "2026-12-26 Weihnachten, 1. und 2. Tag"]);
}

#[test]
fn yearly_rules_are_taken_over_as_such_or_written_out() {
    let days_of = |rule: &str, start: &str| days(&event(&format!("DTSTART;VALUE=DATE:{start}\nSUMMARY:Day\n{rule}")));
    assert_eq!(days_of("RRULE:FREQ=YEARLY", "20200501"), ["2020-05-01 Day yearly"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=5;BYMONTHDAY=1;WKST=MO", "20200501"), ["2020-05-01 Day yearly"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY;COUNT=3", "20200501"), ["2020-05-01 Day", "2021-05-01 Day", "2022-05-01 Day"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20240501", "20200501"), ["2020-05-01 Day", "2022-05-01 Day", "2024-05-01 Day"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY;UNTIL=20210430T235959Z", "20200501"), ["2020-05-01 Day"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY;COUNT=2", "20240229"), ["2024-02-29 Day", "2028-02-29 Day"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY;COUNT=3\nEXDATE;VALUE=DATE:20210501,20230501", "20200501"), ["2020-05-01 Day", "2022-05-01 Day"]);
    assert_eq!(days_of("RRULE:FREQ=YEARLY\nDURATION:P2D", "20201225"), ["2020-12-25 Day yearly", "2020-12-26 Day yearly"]);
    assert_eq!(days_of("DURATION:P1W", "20201225").len(), 7);
    assert_eq!(days_of("DTEND;VALUE=DATE:20201225", "20201225"), ["2020-12-25 Day"]);
}

#[test]
fn what_cannot_be_taken_over_is_named_with_its_line_and_a_remedy() {
    for (text, message) in [
        ("".to_owned(), "line 1: is not a calendar: it has to begin with BEGIN:VCALENDAR; export it as iCalendar"),
        ("\n<html>\n".to_owned(), "line 2: is neither a property nor the continuation of one; the text is damaged"),
        (
            event("DTSTART:20261225T100000Z\nSUMMARY:x"),
            "line 4: the event has times of day; make it last the whole day, or leave it out and add an exception",
        ),
        (
            event("DTSTART;TZID=Europe/Berlin:20261225T100000\nSUMMARY:x"),
            "line 4: the event has times of day; make it last the whole day, or leave it out and add an exception",
        ),
        (event("DTSTART;VALUE=DATE:2026-12-25\nSUMMARY:x"), "line 4: 2026-12-25 is not a date; write it like 20261224"),
        (event("DTSTART;VALUE=DATE:20260230\nSUMMARY:x"), "line 4: 20260230 is not a date; write it like 20261224"),
        (event("SUMMARY:x"), "line 3: the event has no DTSTART; give it a date"),
        (event("DTSTART;VALUE=DATE:20261225"), "line 3: the event of 2026-12-25 has no SUMMARY; give it a name"),
        (event("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261224\nSUMMARY:x"), "line 3: \"x\" ends before it begins; swap the dates"),
        (event("DTSTART;VALUE=DATE:20261225\nDURATION:PT5H\nSUMMARY:x"), "line 5: lasts PT5H, which is not whole days; write P1D or DTEND"),
        (
            event("DTSTART;VALUE=DATE:20261126\nSUMMARY:x\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
            "line 6: repeats by BYDAY=4TH, which is not supported; repeat yearly on the same date, or write each day",
        ),
        (
            event("DTSTART;VALUE=DATE:20261126\nSUMMARY:x\nRRULE:FREQ=MONTHLY"),
            "line 6: repeats by FREQ=MONTHLY, which is not supported; repeat yearly on the same date, or write each day",
        ),
        (
            event("DTSTART;VALUE=DATE:20261126\nSUMMARY:x\nRRULE:FREQ=YEARLY;BYMONTHDAY=1"),
            "line 6: repeats on another date than it begins on; let it begin on the date it repeats on",
        ),
        (
            event("DTSTART;VALUE=DATE:20261126\nSUMMARY:x\nRRULE:FREQ=YEARLY;INTERVAL=4"),
            "line 6: repeats without end and not every year; give it COUNT or UNTIL",
        ),
        (
            event("DTSTART;VALUE=DATE:20261126\nSUMMARY:x\nRDATE;VALUE=DATE:20261127"),
            "line 6: RDATE is not supported; write each day as an event of its own",
        ),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261126".to_owned(), "line 2: the event is not ended; the text is cut off"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VALARM".to_owned(), "line 3: ends VALARM while VEVENT is open; the text is damaged"),
        ("BEGIN:VCALENDAR\nEND:VEVENT".to_owned(), "line 2: ends VEVENT while VCALENDAR is open; the text is damaged"),
        (
            event("DTSTART;VALUE=DATE:10000101\nSUMMARY:x\nRRULE:FREQ=YEARLY;COUNT=9000"),
            "line 3: the calendar holds more than 500 days; export fewer years",
        ),
    ] {
        assert_eq!(import(&text).map_err(|error| error.to_string()), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn a_date_named_twice_is_one_day() {
    let text = event(
        "DTSTART;VALUE=DATE:20261225\nSUMMARY:One\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\nSUMMARY:Two\nRRULE:FREQ=YEARLY",
    );
    assert_eq!(days(&text), ["2026-12-25 One yearly"]);
}

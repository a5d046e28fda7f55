//! The figures of a morning.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{config::Change, conversation::CauseKind, queue::Allowance, stats::Interval, time::Millis};

#[test]
fn a_morning_is_counted_as_a_person_would_count_it() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::Timed { duration: Millis::from_secs(30) };
    office.put(Change::PutQueue(settings));

    // Answered after 3 s, talks 100 s, wraps up 30 s.
    let first = office.call(SUPPORT);
    office.pass(3_000);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    // One leaves after 4 s, one after 40 s; the third is answered after 128 s.
    let short = office.call(SUPPORT);
    let abandoning = office.call(SUPPORT);
    let patient = office.call(SUPPORT);
    office.pass(4_000);
    office.end(short, CauseKind::FarEnd);
    office.pass(36_000);
    office.end(abandoning, CauseKind::FarEnd);
    office.pass(60_000);
    office.end(first, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.pass(30_000);
    assert!(office.conversation(patient).offer.is_some());
    // The agent misses it once, another one takes it.
    office.pass(20_000);
    office.put(Change::PutAgent(crate::office::agent(BERT, "Bert")));
    office.ready(BERT);
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    office.pass(50_000);
    office.end(leg, CauseKind::FarEnd);
    office.end(patient, CauseKind::Ours);
    office.pass(30_000);

    let mut interval = Interval::default();
    for stamped in &office.events {
        if Interval::queue_of(&stamped.event) == Some(QUEUE) {
            interval.observe(&stamped.event, Millis::from_secs(20), stamped.at);
        }
    }
    interval.balance().unwrap();
    let figures = interval.figures();
    assert_eq!((figures.offered, figures.answered, figures.abandoned, figures.short_abandoned), (4, 2, 2, 1));
    assert_eq!(figures.service_level, Some(1.0 / 3.0));
    assert_eq!(figures.offers_no_answer, 1);
    assert_eq!(figures.handled, 2);
    assert_eq!(figures.average_talk, Some(75_000.0));
    assert_eq!(figures.average_wrap_up, Some(30_000.0));
    assert_eq!(figures.average_handle_time, Some(105_000.0));
    assert_eq!(figures.longest_wait, 150_001);
    assert_eq!(figures.average_speed_of_answer, Some((3_000.0 + 150_001.0) / 2.0));
}

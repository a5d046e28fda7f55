//! Every scenario of `tests/scenarios` over Connected: the same texts as on the core, with real calls and tones.

use anyhow::{Context, Result};
use dreiklang_tests::scenario::{self, connected_stage::ConnectedStage, text};
use std::{collections::BTreeSet, fs, path::Path};

/// What cannot be played over Connected, and why.
const NOT_HERE: &[(&str, &str)] = &[
    ("barge_agent_drops", BREAKS),
    ("consult_agent_drops", BREAKS),
    ("lost_agent", BREAKS),
    ("voicemail", MESSAGE),
    ("voicemail_ends", MESSAGE),
];
const BREAKS: &str = "a connection that breaks without a word is noticed by a minute without audio, and audio keeps real time";
const MESSAGE: &str = "a message is as long as its audio, which keeps real time, and one of an instant is none";

fn play(name: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.feature"));
    let scenario = text::read(&fs::read_to_string(&path)?)?;
    let played = ConnectedStage::open().and_then(|mut stage| scenario::play(&scenario, &mut stage));
    match NOT_HERE.iter().find(|(listed, _)| *listed == name) {
        None => played,
        Some((_, reason)) => {
            assert!(played.is_err(), "it can be played by now; take it off the list, which says: {reason}");
            Ok(())
        }
    }
}

/// One test for each text.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() -> Result<()> {
            play(stringify!($name))
        })*

        const ALL: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    abandoned
    announcements
    answer_longest_idle
    barge_agent_drops
    blocked_caller
    callback
    callback_again
    chat_and_calls
    chats_at_once
    closed_queue
    conference
    consult
    consult_agent_drops
    consult_comes_to_nothing
    declined_offer
    direct_number
    disposition
    duty_profile
    favored_caller
    flow_agent_missing
    flow_menu
    flow_number_asked
    flow_private
    flow_service
    flow_wrong_keys
    full_queue
    greeting
    hold
    hours_switched
    key_out_of_queue
    longest_wait
    lost_agent
    mailbox_answers
    missed_offer
    missed_offer_passed_over
    missed_offer_returns
    missed_offer_signed_out
    missed_offer_twice
    notice
    order_of_service
    overflow_after_wait
    overflow_when_long
    personal_queue
    planned_end_of_work
    pull
    queue_sign_in
    recording
    recording_by_choice
    requeue
    ring_all
    secure_pause
    skills
    supervision
    survey
    take_back
    take_over
    transfer_outside
    transfer_to_agent
    transfer_to_busy_agent
    transfer_to_person
    transfer_to_queue
    voicemail
    voicemail_ends
    wrap_up
    wrap_up_extended
    wrap_up_until_finished
}

#[test]
fn every_scenario_is_played_here() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).context("a scenario has a name");
    let written: BTreeSet<String> = fs::read_dir(folder)?.map(|entry| stem(&entry?.path())).collect::<Result<_>>()?;
    assert_eq!(written, ALL.iter().map(|name| (*name).to_owned()).collect());
    let unknown: Vec<_> = NOT_HERE.iter().filter(|(name, _)| !ALL.contains(name)).collect();
    assert!(unknown.is_empty(), "the list names what is no scenario: {unknown:?}");
    Ok(())
}

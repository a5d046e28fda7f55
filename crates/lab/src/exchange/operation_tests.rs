//! How prompts and recognitions go.

use super::*;

fn recognition(input: Input) -> Recognition {
    Recognition {
        input,
        target: "4:+1".to_owned(),
        interrupt_prompt: false,
        initial_silence_ms: 1_000,
        inter_tone_ms: 500,
        tones_max: Some(3),
        stop_tones: vec!["pound".to_owned()],
        choices: vec![
            Choice {
                label: "Sales".to_owned(),
                phrases: vec!["sales".to_owned(), "buy something".to_owned()],
                tone: Some("one".to_owned()),
            },
            Choice { label: "Help".to_owned(), phrases: vec!["help".to_owned()], tone: Some("two".to_owned()) },
        ],
        end_silence_ms: 200,
        has_speech: true,
        listening_since: None,
        tones: Vec::new(),
        last_tone: 0,
        said: None,
        speaks: false,
    }
}

/// An operation that is ready to play 100 ms.
fn ready(kind: Kind) -> Operation {
    let mut operation = Operation::new(1, kind, None, None);
    operation.sound = Sound::Ready(Ok(vec![vec![5; 1_600].into()]));
    operation
}

/// Steps until it is over; what was told.
fn run(operation: &mut Operation, from: u64, until: u64) -> Vec<(&'static str, u64)> {
    let mut frame = [0; FRAME];
    let mut all = Vec::new();
    for now in (from..until).step_by(20) {
        let step = operation.step(now, &mut frame);
        all.extend(step.told.iter().map(|(name, extra)| (*name, extra["resultInformation"]["subCode"].as_u64().unwrap())));
        if step.is_over {
            break;
        }
    }
    all
}

#[test]
fn a_prompt_begins_ends_and_can_be_repeated() {
    let mut once = ready(Kind::Play { to: Vec::new(), repeat: false });
    assert_eq!(run(&mut once, 0, 1_000), [("PlayStarted", 0), ("PlayCompleted", 0)]);
    let mut forever = ready(Kind::Play { to: Vec::new(), repeat: true });
    assert_eq!(run(&mut forever, 0, 1_000), [("PlayStarted", 0)]);
    assert_eq!(forever.canceled().0, "PlayCanceled");
}

#[test]
fn a_source_that_cannot_be_played_is_named() {
    let mut operation = Operation::new(1, Kind::Play { to: Vec::new(), repeat: false }, None, None);
    assert!(operation.step(0, &mut [0; FRAME]).told.is_empty());
    operation.sound = Sound::Ready(Err((1, Failure::Download)));
    let step = operation.step(20, &mut [0; FRAME]);
    assert_eq!(step.told[0].0, "PlayFailed");
    assert_eq!(step.told[0].1["failedPlaySourceIndex"], 1);
    assert_eq!(step.told[0].1["resultInformation"]["subCode"], 8_536);
}

#[test]
fn silence_keys_and_stop_tones_end_a_recognition_each_with_its_code() {
    let mut silent = ready(Kind::Recognize(Box::new(recognition(Input::Dtmf))));
    assert_eq!(run(&mut silent, 0, 3_000), [("PlayStarted", 0), ("RecognizeFailed", 8_510)]);

    let mut full = ready(Kind::Recognize(Box::new(recognition(Input::Dtmf))));
    assert_eq!(run(&mut full, 0, 200), [("PlayStarted", 0)]);
    for tone in ["one", "two", "three"] {
        full.press("4:+1", tone, 200);
    }
    assert_eq!(run(&mut full, 200, 3_000), [("RecognizeCompleted", 8_531)]);

    let mut slow = ready(Kind::Recognize(Box::new(recognition(Input::Dtmf))));
    run(&mut slow, 0, 200);
    slow.press("4:+1", "one", 200);
    assert_eq!(run(&mut slow, 200, 3_000), [("RecognizeFailed", 8_532)]);

    let mut stopped = ready(Kind::Recognize(Box::new(recognition(Input::Dtmf))));
    run(&mut stopped, 0, 200);
    stopped.press("4:+1", "one", 200);
    stopped.press("4:+1", "pound", 200);
    let step = stopped.step(220, &mut [0; FRAME]);
    assert_eq!(step.told[0].1["dtmfResult"], serde_json::json!({ "tones": ["one"] }));
}

#[test]
fn keys_in_a_prompt_count_only_when_it_may_be_interrupted() {
    let mut patient = ready(Kind::Recognize(Box::new(recognition(Input::Dtmf))));
    run(&mut patient, 0, 40);
    patient.press("4:+1", "one", 40);
    assert_eq!(run(&mut patient, 40, 3_000), [("RecognizeFailed", 8_510)]);

    let mut hasty = ready(Kind::Recognize(Box::new(Recognition { interrupt_prompt: true, ..recognition(Input::Choices) })));
    run(&mut hasty, 0, 40);
    hasty.press("4:+2", "one", 40);
    assert!(run(&mut hasty, 40, 60).is_empty(), "somebody else's key");
    hasty.press("4:+1", "two", 60);
    let step = hasty.step(60, &mut [0; FRAME]);
    assert!(!step.sounds, "the prompt stops");
    assert_eq!(step.told[0].1["choiceResult"]["label"], "Help");
}

#[test]
fn what_is_said_is_matched_by_words() {
    for (text, expected) in [("I want to BUY something, please", 8_545), ("salesman", 8_547)] {
        let mut operation = ready(Kind::Recognize(Box::new(recognition(Input::Choices))));
        run(&mut operation, 0, 200);
        operation.speech_began("4:+1", 200);
        assert!(run(&mut operation, 200, 3_000).is_empty(), "somebody speaks");
        operation.speech_ended("4:+1", text, 3_000);
        assert_eq!(run(&mut operation, 3_000, 5_000).last().unwrap().1, expected, "{text}");
    }
    let mut free = ready(Kind::Recognize(Box::new(recognition(Input::SpeechOrDtmf))));
    run(&mut free, 0, 200);
    free.speech_began("4:+1", 200);
    free.speech_ended("4:+1", "my card is broken", 400);
    assert_eq!(run(&mut free, 400, 3_000), [("RecognizeCompleted", 8_569)]);
}

#[test]
fn operations_for_the_same_ears_exclude_each_other() {
    let all = ready(Kind::Play { to: Vec::new(), repeat: false });
    let one = ready(Kind::Play { to: vec!["4:+1".to_owned()], repeat: false });
    let other = ready(Kind::Play { to: vec!["4:+2".to_owned()], repeat: false });
    let asks = ready(Kind::Recognize(Box::new(recognition(Input::Dtmf))));
    assert!(all.excludes(&all) && one.excludes(&one) && asks.excludes(&all) && one.excludes(&asks));
    assert!(!all.excludes(&one) && !one.excludes(&other) && !other.excludes(&asks));
    assert!(all.is_heard_by("4:+9") && !other.is_heard_by("4:+1") && asks.is_heard_by("4:+1"));
}

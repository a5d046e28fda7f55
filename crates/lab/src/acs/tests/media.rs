//! Prompts, answers, keys.

use super::*;

fn recognize(kind: &str, more: Value) -> Value {
    let mut options = json!({ "targetParticipant": raw(CALLER), "interruptPrompt": true, "initialSilenceTimeoutInSeconds": 5 });
    crate::exchange::effect::merge(&mut options, more);
    json!({ "recognizeInputType": kind, "playPrompt": file(), "recognizeOptions": options, "operationContext": "r" })
}

#[test]
fn a_prompt_is_heard_by_those_it_is_for() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    bench.events();
    bench.call(&id, ":play", json!({ "playSources": [file(), file()], "playTo": [raw(&agent)], "operationContext": "p" }));
    bench.pass(800);
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![TONE_AGENT], vec![TONE_CALLER, TONE_PROMPT]));
    bench.pass(800);
    assert_eq!(bench.event("PlayCompleted")["operationContext"], "p");
    assert_eq!(bench.events(), ["PlayStarted", "PlayCompleted"]);
}

#[test]
fn prompts_wait_for_each_other_unless_one_interrupts() {
    let mut bench = Bench::new();
    let id = bench.answered();
    bench.events();
    for context in ["a", "b"] {
        bench.call(&id, ":play", json!({ "playSources": [file()], "operationContext": context }));
    }
    bench.pass(700);
    assert_eq!(bench.events(), ["PlayStarted", "PlayCompleted", "PlayStarted"]);
    bench.call(&id, ":play", json!({ "playSources": [file()], "interruptCallMediaOperation": true, "operationContext": "c" }));
    assert_eq!(bench.event("PlayCanceled")["operationContext"], "b");
    assert_eq!(bench.sub_code("PlayCanceled"), (400, 8_508));
    bench.events();
    bench.pass(700);
    assert_eq!(bench.event("PlayCompleted")["operationContext"], "c");
}

#[test]
fn what_cannot_be_played_is_told_with_its_place() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let missing = json!({ "kind": "file", "file": { "uri": "https://app/missing.wav" } });
    bench.call(&id, ":play", json!({ "playSources": [file(), missing] }));
    bench.pass(20);
    assert_eq!(bench.sub_code("PlayFailed"), (400, 8_536));
    assert_eq!(bench.event("PlayFailed")["failedPlaySourceIndex"], 1);

    let mut bench = Bench::new();
    let context = bench.rings();
    let body = json!({ "incomingCallContext": context, "callbackUri": "https://app/cb" });
    let (_, answer) = bench.ask("POST", "callConnections:answer", body);
    let id = answer["callConnectionId"].as_str().unwrap().to_owned();
    bench.call(&id, ":play", json!({ "playSources": [{ "kind": "text", "text": { "text": "hello" } }] }));
    bench.pass(20);
    assert_eq!(bench.sub_code("PlayFailed"), (400, 8_565), "no speech services without their endpoint");
    let nobody = json!({ "playSources": [file()], "playTo": [raw("4:+1")] });
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:play"), nobody).0, 404);
}

#[test]
fn keys_are_collected_after_a_prompt() {
    let mut bench = Bench::new();
    let id = bench.answered();
    bench.call(&id, ":recognize", recognize("dtmf", json!({ "dtmfOptions": { "maxTonesToCollect": 2, "stopTones": ["Pound"] } })));
    bench.pass(400);
    assert_eq!(bench.hears(CALLER), [TONE_PROMPT]);
    assert!(bench.press(CALLER, '4'));
    bench.pass(600);
    assert!(bench.hears(CALLER).is_empty(), "the prompt stops");
    assert!(bench.press(CALLER, '#'));
    bench.pass(20);
    let event = bench.event("RecognizeCompleted");
    assert_eq!((event["recognitionType"].as_str(), &event["dtmfResult"]), (Some("dtmf"), &json!({ "tones": ["four"] })));
    assert_eq!(bench.sub_code("RecognizeCompleted"), (200, 8_514));

    bench.call(&id, ":recognize", recognize("dtmf", json!({ "dtmfOptions": { "maxTonesToCollect": 2 } })));
    bench.pass(6_000);
    assert_eq!(bench.sub_code("RecognizeFailed"), (400, 8_510));
    bench.call(&id, ":recognize", recognize("dtmf", json!({})));
    bench.call(&id, ":cancelAllMediaOperations", Value::Null);
    assert_eq!(bench.event("RecognizeCanceled")["operationContext"], "r");
}

#[test]
fn a_choice_is_made_by_word_or_key() {
    let choices = json!({ "choices": [
        { "label": "Confirm", "phrases": ["yes", "confirm"], "tone": "one" }, { "label": "Cancel", "phrases": ["no"], "tone": "two" },
    ] });
    let mut bench = Bench::new();
    let id = bench.answered();
    bench.call(&id, ":recognize", recognize("choices", choices.clone()));
    bench.pass(200);
    assert!(bench.exchange.say(CALLER, "Yes, please", sound::beep(300, 400).into()));
    bench.pass(2_000);
    let result = bench.event("RecognizeCompleted")["choiceResult"].clone();
    assert_eq!((result["label"].as_str(), result["recognizedPhrase"].as_str()), (Some("Confirm"), Some("yes")));
    assert_eq!(bench.sub_code("RecognizeCompleted"), (200, 8_545));
    bench.call(&id, ":recognize", recognize("choices", choices.clone()));
    bench.pass(200);
    assert!(bench.press(CALLER, '2'));
    bench.pass(20);
    assert_eq!(bench.event("RecognizeCompleted")["choiceResult"]["recognizedPhrase"], Value::Null);
    let half = json!({ "choices": [{ "label": "a", "phrases": ["a"], "tone": "one" }, { "label": "b", "phrases": ["b"] }] });
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:recognize"), recognize("choices", half)).0, 400);
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:recognize"), recognize("choices", json!({}))).0, 400);
}

#[test]
fn keys_are_told_one_by_one_as_long_as_that_is_wanted() {
    let mut bench = Bench::new();
    let id = bench.answered();
    bench.events();
    let body = json!({ "targetParticipant": raw(CALLER), "operationContext": "k" });
    bench.call(&id, ":startContinuousDtmfRecognition", body.clone());
    for key in ['1', '*'] {
        assert!(bench.press(CALLER, key));
    }
    bench.carry_out();
    let event = bench.event("ContinuousDtmfRecognitionToneReceived");
    assert_eq!((event["sequenceId"].as_u64(), event["tone"].as_str()), (Some(2), Some("asterisk")));
    bench.call(&id, ":stopContinuousDtmfRecognition", body);
    bench.press(CALLER, '3');
    bench.carry_out();
    assert_eq!(
        bench.events(),
        ["ContinuousDtmfRecognitionToneReceived", "ContinuousDtmfRecognitionToneReceived", "ContinuousDtmfRecognitionStopped"]
    );
}

#[test]
fn keys_are_sent_to_somebody() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let body = json!({ "tones": ["one", "pound", "a"], "targetParticipant": raw(CALLER), "operationContext": "s" });
    assert_eq!(bench.call(&id, ":sendDtmfTones", body)["operationContext"], "s");
    assert_eq!(bench.state(CALLER).keys_heard, "1#A");
    assert_eq!(bench.event("SendDtmfTonesCompleted")["operationContext"], "s");
    bench.call(&id, ":sendDtmfTones", json!({ "tones": ["one"], "targetParticipant": raw("4:+1") }));
    assert_eq!(bench.sub_code("SendDtmfTonesFailed").0, 404);
    let wrong = json!({ "tones": ["eleven"], "targetParticipant": raw(CALLER) });
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:sendDtmfTones"), wrong).0, 400);
}

#[test]
fn people_press_keys_and_hang_up_as_their_manner_says() {
    let mut bench = Bench::new();
    let manner = Manner::default().pressing("12", std::time::Duration::from_millis(100)).hanging_up(std::time::Duration::from_millis(900));
    bench.person("4:+4930888", TONE_OTHER, manner);
    let id = bench.answered();
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw("4:+4930888") }));
    bench.pass(220);
    bench.call(&id, ":startContinuousDtmfRecognition", json!({ "targetParticipant": raw("4:+4930888") }));
    bench.pass(600);
    assert_eq!(bench.event("ContinuousDtmfRecognitionToneReceived")["tone"], "two");
    bench.pass(400);
    assert_eq!(bench.roster(&id), [CALLER]);
}

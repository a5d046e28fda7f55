//! What is refused, and the quirks that can be switched on.

use super::*;
use crate::faults::Faults;

#[test]
fn what_is_missing_or_wrong_is_named() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let call = format!("callConnections/{id}");
    let headers: serde_json::Map<String, Value> = (0..6).map(|number| (format!("X-{number}"), json!("v"))).collect();
    for (path, body, word) in [
        ("callConnections".to_owned(), json!({ "callbackUri": "https://a" }), "targets"),
        ("callConnections".to_owned(), json!({ "targets": [raw("8:orgid:x")] }), "CallbackUri"),
        ("callConnections".to_owned(), json!({ "targets": [raw("4:+1555")], "callbackUri": "https://a" }), "teamsAppSource"),
        ("callConnections:answer".to_owned(), json!({ "callbackUri": "https://a" }), "incomingCallContext"),
        ("callConnections:answer".to_owned(), json!({ "callbackUri": "https://a", "incomingCallContext": "x" }), "incomingCallContext"),
        (format!("{call}:play"), json!({}), "playSources"),
        (format!("{call}:recognize"), json!({ "recognizeInputType": "telepathy" }), "recognizeInputType"),
        (format!("{call}:recognize"), json!({ "recognizeInputType": "dtmf", "recognizeOptions": {} }), "targetParticipant"),
        (format!("{call}:hold"), json!({}), "targetParticipant"),
        (format!("{call}/participants:add"), json!({ "participantToAdd": raw("8:orgid:x"), "invitationTimeoutInSeconds": 181 }), "180"),
        (
            format!("{call}/participants:add"),
            json!({ "participantToAdd": raw("4:+1"), "customCallingContext": { "sipHeaders": headers } }),
            "SIP",
        ),
        (format!("{call}/participants:add"), json!({ "participantToAdd": { "phoneNumber": { "value": "555" } } }), "E.164"),
        (format!("{call}:transferToParticipant"), json!({ "targetParticipant": raw("48:nowhere") }), "targetParticipant"),
    ] {
        let (status, answer) = bench.ask("POST", &path, body);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(word), "{path}: {status} {answer}");
    }
    let caller_id = json!({ "participantToAdd": raw("4:+4930777"), "sourceCallerIdNumber": { "value": "+1" } });
    let (status, answer) = bench.ask("POST", &format!("{call}/participants:add"), caller_id);
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("8523")));
    assert_eq!(bench.ask("POST", "callConnections/nope:terminate", Value::Null).1["error"]["code"], "8522");
    assert_eq!(bench.ask("POST", &format!("{call}:dance"), Value::Null).0, 404);
}

#[test]
fn quirks_are_switched_on() {
    let mut bench = Bench::new();
    bench.exchange.faults = Faults { transfer_wrong_kind_500: true, wrong_roster: true, no_teams_users: true, ..Faults::default() };
    let id = bench.answered();
    assert_eq!(bench.event("ParticipantsUpdated")["participants"], json!([]));
    assert!(bench.roster(&id).is_empty());
    let path = format!("callConnections/{id}:transferToParticipant");
    assert_eq!(bench.ask("POST", &path, json!({ "targetParticipant": raw("48:nowhere") })).0, 500);
    let path = format!("callConnections/{id}/participants:add");
    assert_eq!(bench.ask("POST", &path, json!({ "participantToAdd": raw("8:orgid:x") })).0, 403);

    let mut bench = Bench::new();
    bench.exchange.faults = Faults { answer_after_redirect: true, https_callbacks_only: true, ..Faults::default() };
    let context = bench.rings();
    let plain = json!({ "incomingCallContext": context, "callbackUri": "http://app/cb" });
    assert_eq!(bench.ask("POST", "callConnections:answer", plain).0, 400);
    let redirect = json!({ "incomingCallContext": context, "target": raw("8:orgid:x") });
    assert_eq!(bench.ask("POST", "callConnections:redirect", redirect).0, 204);
    assert_eq!(bench.ask("POST", "callConnections:answer", Bench::answer_body(&context)).0, 200, "as the service does");
}

#[test]
fn what_was_taken_can_fail_afterwards() {
    let mut bench = Bench::new();
    bench.exchange.faults = Faults { setup_fails: true, ..Faults::default() };
    let context = bench.rings();
    assert_eq!(bench.ask("POST", "callConnections:answer", Bench::answer_body(&context)).0, 200);
    assert_eq!(bench.event("AnswerFailed")["operationContext"], "answered");
    assert_eq!(bench.events(), ["AnswerFailed"]);
    assert_eq!(bench.stage(CALLER), "over");
    bench.exchange.faults = Faults { recording_fails: true, tones_fail: true, ..Faults::default() };
    let id = bench.answered();
    let body = json!({ "callConnectionId": id, "recordingStateCallbackUri": "https://app/rec" });
    let (status, started) = bench.ask("POST", "recordings", body);
    assert_eq!((status, &bench.event("StartRecordingFailed")["recordingId"]), (202, &started["recordingId"]));
    let recording = started["recordingId"].as_str().unwrap().to_owned();
    assert_eq!(bench.ask("GET", &format!("recordings/{recording}"), Value::Null).0, 404);
    bench.call(&id, ":startContinuousDtmfRecognition", json!({ "targetParticipant": raw(CALLER), "operationContext": "k" }));
    assert!(bench.press(CALLER, '1'));
    assert_eq!(bench.event("ContinuousDtmfRecognitionToneFailed")["operationContext"], "k");
    bench.exchange.faults = Faults { setup_fails: true, ..Faults::default() };
    let (_, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    let locator = json!({ "kind": "serverCallLocator", "serverCallId": found["serverCallId"] });
    assert_eq!(bench.ask("POST", "callConnections:connect", json!({ "callLocator": locator, "callbackUri": "https://app/2" })).0, 200);
    bench.event("ConnectFailed");
    assert_eq!(bench.roster(&id), [CALLER], "the first connection goes on");
}

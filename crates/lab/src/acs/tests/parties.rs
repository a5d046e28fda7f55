//! Who joins, leaves, is held, moved and transferred, and who hears whom.

use super::*;

#[test]
fn an_agent_is_added_and_both_hear_each_other() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.agent("anna", TONE_AGENT, Manner::default());
    let body = json!({
        "participantToAdd": { "teamsExtensionUser": json!(Identifier::from_raw(&agent).to_json())["teamsExtensionUser"] },
        "operationContext": "add", "operationCallbackUri": "https://app/add",
        "customCallingContext": { "voipHeaders": { "a": "b" }, "sipHeaders": {} },
    });
    let answer = bench.call(&id, "/participants:add", body);
    assert_eq!(answer["participant"]["identifier"]["rawId"], agent);
    assert_eq!(answer["operationContext"], "add");
    let state = bench.state(&agent);
    assert_eq!(json!(state)["call"], json!({ "stage": "rings", "caller": CALLER }));
    assert_eq!(state.context["voipHeaders"]["a"], "b");
    bench.pass(1_000);
    assert_eq!(bench.event("AddParticipantSucceeded")["participant"]["kind"], "teamsExtensionUser");
    let told = bench.told.iter().find(|event| event["type"] == "Microsoft.Communication.AddParticipantSucceeded").unwrap();
    assert_eq!(told["uri"], "https://app/add");
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![TONE_AGENT], vec![TONE_CALLER]));
    assert_eq!(bench.roster(&id), [CALLER, &agent]);
    let one = bench.ask("GET", &format!("callConnections/{id}/participants/{}", CALLER.replace('+', "%2B")), Value::Null);
    assert_eq!((one.0, one.1["isOnHold"].as_bool()), (200, Some(false)));
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}/participants:add"), json!({ "participantToAdd": raw(&agent) })).0, 400);
}

#[test]
fn everyone_who_does_not_come_is_told_with_the_reason() {
    for (ringing, client, phone) in [
        (Ringing::Decline, (603, 0), (603, 560_603)),
        (Ringing::Busy, (486, 0), (486, 560_486)),
        (Ringing::Unreachable, (480, 10_037), (480, 560_480)),
        (Ringing::LetRing, (487, 10_004), (487, 10_004)),
    ] {
        let mut bench = Bench::new();
        let id = bench.answered();
        let agent = bench.agent("anna", TONE_AGENT, of(ringing));
        bench.person("4:+4930777", TONE_OTHER, of(ringing));
        for (target, expected) in [(agent.as_str(), client), ("4:+4930777", phone)] {
            bench.call(&id, "/participants:add", json!({ "participantToAdd": raw(target), "invitationTimeoutInSeconds": 10 }));
            bench.pass(10_000);
            assert_eq!(bench.sub_code("AddParticipantFailed"), expected, "{ringing:?}");
            assert_eq!(bench.event("AddParticipantFailed")["participant"]["rawId"], target);
            assert_eq!(bench.roster(&id), [CALLER]);
            bench.events();
        }
    }
}

#[test]
fn an_agent_without_consent_or_client_is_not_found() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.agent("anna", TONE_AGENT, Manner::default());
    bench.exchange.directory.assignments.retain(|_, assignment| assignment.principal_type != "user");
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw(&agent) }));
    assert_eq!(bench.sub_code("AddParticipantFailed"), (408, 10_057));
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw("8:orgid:nobody") }));
    assert_eq!(bench.sub_code("AddParticipantFailed"), (480, 10_037));
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw("4:+49309999999") }));
    assert_eq!(bench.sub_code("AddParticipantFailed"), (404, 560_404));
}

#[test]
fn an_invitation_is_taken_back() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.agent("anna", TONE_AGENT, of(Ringing::LetRing));
    let answer = bench.call(&id, "/participants:add", json!({ "participantToAdd": raw(&agent) }));
    let invitation = json!({ "invitationId": answer["invitationId"], "operationContext": "c" });
    assert_eq!(bench.call(&id, "/participants:cancelAddParticipant", invitation.clone())["invitationId"], answer["invitationId"]);
    assert_eq!(bench.event("CancelAddParticipantSucceeded")["operationContext"], "c");
    assert_eq!(bench.cause(&agent), "487/0");
    bench.call(&id, "/participants:cancelAddParticipant", invitation);
    assert_eq!(bench.event("CancelAddParticipantFailed")["invitationId"], answer["invitationId"]);
}

#[test]
fn somebody_is_removed_and_a_caller_who_leaves_takes_the_ringing_agent_along() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    bench.events();
    bench.call(&id, "/participants:remove", json!({ "participantToRemove": raw(&agent) }));
    assert_eq!(bench.events(), ["RemoveParticipantSucceeded", "ParticipantsUpdated"]);
    assert_eq!(bench.cause(&agent), "0/5300");
    bench.call(&id, "/participants:remove", json!({ "participantToRemove": raw(&agent) }));
    assert_eq!(bench.events(), ["RemoveParticipantFailed"]);
    bench.exchange.person(&agent).unwrap().manner = of(Ringing::LetRing);
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw(&agent) }));
    assert!(bench.hang_up(CALLER));
    bench.carry_out();
    assert_eq!(bench.stage(&agent), "over");
    assert_eq!(bench.events(), ["AddParticipantFailed", "CallDisconnected"]);
}

#[test]
fn the_last_one_removed_ends_the_call() {
    let mut bench = Bench::new();
    let id = bench.answered();
    bench.events();
    bench.call(&id, "/participants:remove", json!({ "participantToRemove": raw(CALLER) }));
    assert_eq!(bench.events(), ["RemoveParticipantSucceeded", "CallDisconnected"]);
}

#[test]
fn who_is_held_hears_music_and_nobody_else() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    let answer = bench.call(&id, ":hold", json!({ "targetParticipant": raw(CALLER), "playSourceInfo": file() }));
    assert_eq!(answer, Value::Null);
    bench.pass(1_000);
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![TONE_PROMPT], vec![]));
    assert!(bench.state(CALLER).on_hold);
    assert_eq!(bench.event("ParticipantsUpdated")["participants"][0]["isOnHold"], true);
    bench.call(&id, ":play", json!({ "playSources": [file()], "playTo": [], "playOptions": { "loop": true } }));
    bench.call(&id, ":unhold", json!({ "targetParticipant": raw(CALLER) }));
    bench.pass(1_000);
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![TONE_AGENT, TONE_PROMPT], vec![TONE_CALLER, TONE_PROMPT]));
    bench.call(&id, ":hold", json!({ "targetParticipant": raw(CALLER) }));
    bench.pass(1_000);
    assert!(bench.hears(CALLER).is_empty(), "what is for all is not for those on hold");
}

#[test]
fn who_is_muted_is_not_heard_and_telephones_cannot_be() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    bench.call(&id, "/participants:mute", json!({ "targetParticipants": [raw(&agent)], "operationContext": "m" }));
    bench.pass(1_000);
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![], vec![TONE_CALLER]));
    let path = format!("callConnections/{id}/participants:mute");
    assert_eq!(bench.ask("POST", &path, json!({ "targetParticipants": [raw(CALLER)] })).0, 400);
    assert_eq!(bench.ask("POST", &path, json!({ "targetParticipants": [raw(CALLER), raw(&agent)] })).0, 400);
}

#[test]
fn a_caller_is_transferred_and_the_application_is_out() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.agent("anna", TONE_AGENT, Manner::default());
    bench.events();
    let body =
        json!({ "targetParticipant": raw(&agent), "operationContext": "t", "customCallingContext": { "voipHeaders": { "k": "v" } } });
    assert_eq!(bench.call(&id, ":transferToParticipant", body)["operationContext"], "t");
    let (_, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    assert_eq!(found["callConnectionState"], "transferring");
    bench.pass(1_000);
    assert_eq!(bench.event("CallTransferAccepted")["transferTarget"]["rawId"], agent);
    assert_eq!(bench.events(), ["CallTransferAccepted", "CallDisconnected"]);
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![TONE_AGENT], vec![TONE_CALLER]));
    assert!(bench.hang_up(&agent));
    assert_eq!(bench.stage(CALLER), "over");
}

#[test]
fn a_transfer_that_is_not_taken_leaves_the_caller_where_he_was() {
    for (ringing, expected) in [(Ringing::Decline, (603, 0)), (Ringing::Busy, (486, 0)), (Ringing::LetRing, (487, 10_004))] {
        let mut bench = Bench::new();
        let id = bench.answered();
        let agent = bench.agent("anna", TONE_AGENT, of(ringing));
        bench.call(&id, ":transferToParticipant", json!({ "targetParticipant": raw(&agent) }));
        bench.pass(60_000);
        assert_eq!(bench.sub_code("CallTransferFailed"), expected, "{ringing:?}");
        assert_eq!(bench.roster(&id), [CALLER]);
        bench.call(&id, ":play", json!({ "playSources": [file()] }));
    }
}

#[test]
fn of_several_one_is_transferred_and_the_rest_stays() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    let other = bench.agent("ben", TONE_OTHER, Manner::default());
    let path = format!("callConnections/{id}:transferToParticipant");
    assert_eq!(bench.ask("POST", &path, json!({ "targetParticipant": raw(&other) })).0, 400, "whom?");
    assert_eq!(bench.ask("POST", &path, json!({ "targetParticipant": raw(&other), "transferee": raw("4:+1999") })).0, 404);
    bench.call(&id, ":transferToParticipant", json!({ "targetParticipant": raw(&other), "transferee": raw(CALLER) }));
    bench.pass(1_000);
    assert_eq!(bench.event("CallTransferAccepted")["transferee"]["rawId"], CALLER);
    assert_eq!(bench.roster(&id), [agent.as_str()]);
    assert_eq!((bench.hears(CALLER), bench.hears(&agent)), (vec![TONE_OTHER], vec![]));
}

#[test]
fn a_caller_who_hangs_up_stops_the_ringing_of_his_transfer() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.agent("anna", TONE_AGENT, of(Ringing::LetRing));
    bench.call(&id, ":transferToParticipant", json!({ "targetParticipant": raw(&agent) }));
    bench.events();
    assert!(bench.hang_up(CALLER));
    bench.carry_out();
    assert_eq!(bench.stage(&agent), "over");
    assert_eq!(bench.events(), ["CallTransferFailed", "CallDisconnected"]);
    assert!(bench.exchange.overview().is_empty());
}

#[test]
fn somebody_is_moved_from_one_call_to_another() {
    let mut bench = Bench::new();
    bench.person("4:+4930777", TONE_OTHER, Manner::default());
    let account = bench.account.clone();
    let body = json!({ "targets": [raw("4:+4930777")], "callbackUri": "https://app/cb", "teamsAppSource": { "appId": account } });
    let (_, first) = bench.ask("POST", "callConnections", body);
    bench.pass(400);
    let first = first["callConnectionId"].as_str().unwrap().to_owned();
    let second = bench.answered();
    bench.events();
    let body = json!({ "targetParticipants": [raw("4:+4930777"), raw("4:+1")], "fromCall": first, "operationContext": "m" });
    let answer = bench.call(&second, "/participants:moveHere", body.clone());
    assert_eq!((answer["fromCall"].as_str(), answer["participants"].as_array().map(Vec::len)), (Some(first.as_str()), Some(1)));
    let mut events = bench.events();
    events.sort();
    assert_eq!(events, ["CallDisconnected", "MoveParticipantFailed", "MoveParticipantSucceeded", "ParticipantsUpdated"]);
    bench.pass(1_000);
    assert_eq!((bench.hears(CALLER), bench.hears("4:+4930777")), (vec![TONE_OTHER], vec![TONE_CALLER]));
    bench.version = "2025-06-15";
    assert_eq!(bench.ask("POST", &format!("callConnections/{second}/participants:moveHere"), body).0, 404, "new in 2026");
}

#[test]
fn three_parties_hear_the_two_others() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    let other = bench.with_agent(&id, "ben", TONE_OTHER);
    bench.pass(1_000);
    assert_eq!(bench.hears(CALLER), [TONE_AGENT, TONE_OTHER]);
    assert_eq!(bench.hears(&agent), [TONE_CALLER, TONE_OTHER]);
    assert_eq!(bench.hears(&other), [TONE_CALLER, TONE_AGENT]);
}

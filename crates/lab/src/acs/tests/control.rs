//! Calls as a whole.

use super::*;

#[test]
fn a_call_to_a_resource_account_is_announced_and_answered() {
    let mut bench = Bench::new();
    let context = bench.rings();
    let event = &bench.grid[0];
    assert_eq!(event["eventType"], "Microsoft.Communication.IncomingCall");
    let account = format!("28:orgid:{}", bench.account);
    assert_eq!(event["data"]["to"], json!({ "kind": "unknown", "rawId": account }), "the service does not say what it is");
    assert_eq!(event["data"]["from"]["phoneNumber"]["value"], "+4930555");
    assert_eq!(event["subject"], format!("/caller/{CALLER}/recipient/{account}"));
    let (status, answer) = bench.ask("POST", "callConnections:answer", Bench::answer_body(&context));
    assert_eq!((status, answer["callConnectionState"].as_str()), (200, Some("connecting")));
    assert_eq!(answer["answeredFor"]["value"], NUMBER);
    assert_eq!(bench.stage(CALLER), "talking");
    assert_eq!(bench.event("CallConnected")["operationContext"], "answered");
    assert_eq!(bench.event("ParticipantsUpdated")["participants"][0]["identifier"]["rawId"], CALLER);
    let id = answer["callConnectionId"].as_str().unwrap().to_owned();
    let (status, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    assert_eq!((status, found["callConnectionState"].as_str()), (200, Some("connected")));
    assert_eq!(bench.ask("POST", "callConnections:answer", Bench::answer_body(&context)).0, 400, "answered once");
    for path in ["callConnections:reject", "callConnections:redirect"] {
        let body = json!({ "incomingCallContext": context, "target": raw("8:orgid:x") });
        assert_eq!(bench.ask("POST", path, body).0, 400, "{path}");
    }
}

#[test]
fn a_call_nobody_answers_rings_for_30_seconds() {
    let mut bench = Bench::new();
    let context = bench.rings();
    bench.pass(29_980);
    assert_eq!(bench.stage(CALLER), "calling");
    bench.pass(20);
    assert_eq!(bench.cause(CALLER), "487/10004");
    let (status, answer) = bench.ask("POST", "callConnections:answer", Bench::answer_body(&context));
    assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("8522")));
}

#[test]
fn a_caller_who_gives_up_cannot_be_answered() {
    let mut bench = Bench::new();
    let context = bench.rings();
    assert!(bench.hang_up(CALLER));
    assert_eq!(bench.ask("POST", "callConnections:answer", Bench::answer_body(&context)).0, 404);
    assert!(!bench.hang_up(CALLER));
}

#[test]
fn a_number_without_binding_is_busy_and_one_without_consent_silent() {
    let mut bench = Bench::new();
    bench.exchange.directory.assignments.clear();
    bench.exchange.place_call(CALLER, NUMBER, &Outfit::default()).unwrap();
    bench.pass(2_000);
    assert_eq!(bench.stage(CALLER), "calling");
    bench.pass(2_000);
    assert_eq!(bench.stage(CALLER), "over");
    bench.exchange.directory.resource_accounts[0].acs_resource_id = None;
    bench.exchange.place_call(CALLER, NUMBER, &Outfit::default()).unwrap();
    assert_eq!(bench.cause(CALLER), "486/560486");
    bench.exchange.place_call(CALLER, "+999", &Outfit::default()).unwrap();
    assert_eq!(bench.cause(CALLER), "404/560404");
    assert!(bench.grid.is_empty());
}

#[test]
fn a_call_is_rejected_with_its_reason_and_redirected_to_somebody() {
    let mut bench = Bench::new();
    let context = bench.rings();
    let body = json!({ "incomingCallContext": context, "callRejectReason": "Busy" });
    assert_eq!(bench.ask("POST", "callConnections:reject", body).0, 204);
    assert_eq!(bench.cause(CALLER), "486/560486");

    let agent = bench.agent("anna", TONE_AGENT, Manner::default());
    let context = bench.rings();
    let body = json!({ "incomingCallContext": context, "target": raw(&agent) });
    assert_eq!(bench.ask("POST", "callConnections:redirect", body).0, 204);
    bench.pass(1_200);
    assert_eq!(bench.hears(CALLER), [TONE_AGENT]);
    assert!(bench.events().is_empty(), "the application is out of it");
    assert!(bench.hang_up(&agent));
    assert_eq!(bench.stage(CALLER), "over");

    let context = bench.rings();
    let account = format!("28:orgid:{}", bench.account);
    let body = json!({ "incomingCallContext": context, "target": raw(&account) });
    assert_eq!(bench.ask("POST", "callConnections:redirect", body).0, 204);
    assert_eq!(bench.grid.len(), 4, "a redirect to the own account is a new call");
    assert_ne!(bench.grid[3]["data"]["incomingCallContext"], context.as_str());
}

#[test]
fn an_application_calls_out_over_a_resource_account() {
    let mut bench = Bench::new();
    bench.person("4:+4930777", TONE_OTHER, Manner::default());
    let account = bench.account.clone();
    let body = |more: Value| {
        let mut body = json!({
            "targets": [{ "rawId": "4:+4930777", "phoneNumber": { "value": "+4930777" } }], "callbackUri": "https://app/cb",
            "operationContext": "out", "teamsAppSource": { "appId": account, "cloud": "PUBLIC" },
        });
        crate::exchange::effect::merge(&mut body, more);
        body
    };
    let (status, answer) = bench.ask("POST", "callConnections", body(json!({ "sourceDisplayName": "x" })));
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("8523")));
    let (status, answer) = bench.ask("POST", "callConnections", body(json!({})));
    assert_eq!(status, 201, "{answer}");
    let shown = json!(bench.state("4:+4930777"))["call"]["caller"].clone();
    assert_eq!(shown, format!("4:{NUMBER}"), "the account's number is shown");
    bench.pass(400);
    assert_eq!(bench.event("CallConnected")["operationContext"], "out");
    let id = answer["callConnectionId"].as_str().unwrap().to_owned();
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:terminate"), Value::Null).0, 204);
    assert_eq!(bench.sub_code("CallDisconnected"), (0, 7_000));
    assert_eq!(bench.stage("4:+4930777"), "over");

    bench.exchange.person("4:+4930777").unwrap().manner = of(Ringing::Busy);
    bench.events();
    assert_eq!(bench.ask("POST", "callConnections", body(json!({}))).0, 201);
    assert_eq!(bench.sub_code("CreateCallFailed"), (486, 560_486));
    assert_eq!(bench.event("CreateCallFailed")["resultInformation"]["sipDetails"]["code"], 486);
    assert_eq!(bench.events(), ["CreateCallFailed", "CallDisconnected"]);
}

#[test]
fn a_number_makes_two_calls_at_a_time() {
    let mut bench = Bench::new();
    let account = bench.account.clone();
    for number in ["+4930771", "+4930772", "+4930773"] {
        bench.person(&format!("4:{number}"), TONE_OTHER, of(Ringing::LetRing));
    }
    let body = |number: &str| json!({ "targets": [{ "phoneNumber": { "value": number } }], "callbackUri": "https://app/cb", "teamsAppSource": { "appId": account } });
    assert_eq!(bench.ask("POST", "callConnections", body("+4930771")).0, 201);
    assert_eq!(bench.ask("POST", "callConnections", body("+4930772")).0, 201);
    assert_eq!(bench.ask("POST", "callConnections", body("+4930773")).0, 429);
    assert!(bench.hang_up("4:+4930771"), "declines");
    assert_eq!(bench.sub_code("CreateCallFailed"), (603, 560_603));
    assert_eq!(bench.ask("POST", "callConnections", body("+4930773")).0, 201);
}

#[test]
fn the_end_is_told_to_whoever_is_left() {
    let mut bench = Bench::new();
    bench.answered();
    assert!(bench.hang_up(CALLER));
    bench.carry_out();
    assert_eq!(bench.sub_code("CallDisconnected"), (0, 560_000));

    let id = bench.answered();
    bench.events();
    assert_eq!(bench.ask("DELETE", &format!("callConnections/{id}"), Value::Null).0, 204);
    assert_eq!(bench.events(), ["CallDisconnected"]);
    assert_eq!(bench.stage(CALLER), "over");
    assert_eq!(bench.ask("GET", &format!("callConnections/{id}"), Value::Null).0, 404);

    let id = bench.answered();
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    assert_eq!(bench.ask("DELETE", &format!("callConnections/{id}"), Value::Null).0, 204);
    bench.pass(1_000);
    assert_eq!(bench.hears(CALLER), [TONE_AGENT], "the two go on without the application");
    assert!(bench.hang_up(CALLER));
    assert_eq!(bench.stage(&agent), "over");
    assert!(bench.exchange.overview().is_empty(), "nothing is left");
}

#[test]
fn an_agents_client_calls_on_behalf_of_an_account() {
    let mut bench = Bench::new();
    let agent = bench.agent("anna", TONE_AGENT, Manner::default());
    bench.person("4:+4930777", TONE_OTHER, Manner::default());
    let outfit = Outfit { on_behalf_of: Some(bench.account.clone()), ..Outfit::default() };
    bench.exchange.place_call(&agent, "+4930777", &outfit).unwrap();
    bench.carry_out();
    let data = bench.grid[0]["data"].clone();
    assert_eq!(data["from"]["kind"], "teamsExtensionUser");
    assert_eq!(data["to"]["phoneNumber"]["value"], "+4930777");
    assert_eq!(data["onBehalfOfCallee"]["rawId"], format!("28:orgid:{}", bench.account));
    let context = data["incomingCallContext"].as_str().unwrap().to_owned();
    let redirect = json!({ "incomingCallContext": context, "target": raw("4:+4930777") });
    assert_eq!(bench.ask("POST", "callConnections:redirect", redirect).0, 400);
    let (_, answer) = bench.ask("POST", "callConnections:answer", Bench::answer_body(&context));
    let id = answer["callConnectionId"].as_str().unwrap().to_owned();
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw("4:+4930777") }));
    bench.pass(1_000);
    assert_eq!(bench.hears(&agent), [TONE_OTHER]);
}

#[test]
fn a_second_application_connects_to_a_call_by_its_server_call_id() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let (_, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    let locator = json!({ "kind": "serverCallLocator", "serverCallId": found["serverCallId"] });
    let (status, answer) = bench.ask("POST", "callConnections:connect", json!({ "callLocator": locator, "callbackUri": "https://app/2" }));
    assert_eq!(status, 200);
    let second = answer["callConnectionId"].as_str().unwrap().to_owned();
    assert_eq!(bench.roster(&second), [CALLER]);
    assert_eq!(bench.ask("DELETE", &format!("callConnections/{id}"), Value::Null).0, 204);
    assert_eq!(bench.stage(CALLER), "talking", "the other application is still there");
    assert_eq!(bench.ask("DELETE", &format!("callConnections/{second}"), Value::Null).0, 204);
    assert_eq!(bench.stage(CALLER), "over");
    let nobody = json!({ "callLocator": { "serverCallId": "x" }, "callbackUri": "https://app/2" });
    assert_eq!(bench.ask("POST", "callConnections:connect", nobody).0, 404);
}

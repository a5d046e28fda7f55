//! Events reach those who want them: handshake, retries, duplicates, losses.

use crate::application::{Application, SOON};
use dreiklang_lab::{Faults, Lab, Provisioning, Settings, people::Stage};
use serde_json::{Value, json};

const NUMBER: &str = "+49301000";

fn settings() -> Settings {
    Settings { plain_http: true, grid_retries_ms: vec![50], ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_answers_the_handshake_is_told() {
    let lab = Lab::start(settings()).await.unwrap();
    let application = Application::without_subscription(&lab).await;
    assert!(lab.subscribe(&format!("{}/nothing", application.url)).await.unwrap_err().contains("404"));
    let subscription = lab.subscribe(&format!("{}/events", application.url)).await.unwrap();
    assert_eq!(subscription.provisioning, Provisioning::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_tried_again_and_a_refusal_for_good_is_not() {
    let lab = Lab::start(settings()).await.unwrap();
    let application = Application::start(&lab).await;
    lab.add_resource_account("Support", NUMBER);
    application.told.send_modify(|told| told.refusals.push_back(503));
    lab.caller("+4930555").call(NUMBER).unwrap();
    assert_eq!(application.incoming().await["from"]["rawId"], "4:+4930555");

    application.told.send_modify(|told| told.refusals.push_back(403));
    lab.caller("+4930556").call(NUMBER).unwrap();
    application.wait("the refusal", |told| told.refusals.is_empty().then_some(())).await;
    lab.caller("+4930557").call(NUMBER).unwrap();
    application.wait("the third", |told| (told.grid.len() == 2).then_some(())).await;
    assert_eq!(application.incoming().await["from"]["rawId"], "4:+4930557");
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_come_twice_late_or_not_at_all_when_asked_to() {
    let lab = Lab::start(settings()).await.unwrap();
    let application = Application::start(&lab).await;
    lab.add_resource_account("Support", NUMBER);
    lab.set_faults(Faults { duplicate: 1.0, grid_duplicate: 1.0, late: 1.0, late_ms: 20, ..Faults::default() });
    let caller = lab.caller("+4930555");
    caller.call(NUMBER).unwrap();
    let incoming = application.incoming().await;
    application.wait("the duplicate", |told| (told.grid.len() == 2 && told.grid[0]["id"] == told.grid[1]["id"]).then_some(())).await;
    application.answer(&incoming["incomingCallContext"], json!({})).await;
    let twice = |told: &crate::application::Told| {
        let ids: Vec<&Value> = told.callbacks.iter().map(|(event, _)| &event["id"]).collect();
        (ids.len() == 4 && ids[0] == ids[1] && ids[2] == ids[3]).then_some(())
    };
    application.wait("two events, twice each", twice).await;
    lab.set_faults(Faults { lose: 1.0, ..Faults::default() });
    caller.hang_up();
    lab.set_faults(Faults::default());
    caller.call(NUMBER).unwrap();
    let second = application.wait("the next call", |told| told.grid.get(2).map(|event| event["data"].clone())).await;
    application.answer(&second["incomingCallContext"], json!({})).await;
    application.wait("the next connection", |told| (told.callbacks.len() == 6).then_some(())).await;
    assert!(!application.told.borrow().callbacks.iter().any(|(event, _)| event["type"] == "Microsoft.Communication.CallDisconnected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_throttled_or_fail_and_repeating_them_does_nothing_twice() {
    let lab = Lab::start(settings()).await.unwrap();
    let application = Application::start(&lab).await;
    lab.add_resource_account("Support", NUMBER);
    let caller = lab.caller("+4930555");
    caller.call(NUMBER).unwrap();
    let incoming = application.incoming().await;
    let body = json!({ "incomingCallContext": incoming["incomingCallContext"], "callbackUri": format!("{}/callbacks", application.url) });
    let headers = [
        ("repeatability-request-id", "88a78ccb-0000-4000-8000-000000000000".to_owned()),
        ("repeatability-first-sent", "Mon, 23 Nov 2026 04:25:09 GMT".to_owned()),
    ];
    let answer = async || application.ask_with("POST", "/calling/callConnections:answer", Some(body.clone()), &headers).await;
    lab.set_faults(Faults { throttle: 1.0, ..Faults::default() });
    assert_eq!(answer().await.0, 429);
    lab.set_faults(Faults { outage: true, ..Faults::default() });
    assert_eq!(answer().await.0, 503);
    lab.set_faults(Faults { fail_after: 1.0, ..Faults::default() });
    assert_eq!(answer().await.0, 500, "it was done all the same");
    lab.set_faults(Faults::default());
    assert!(caller.wait_for(SOON, |state| state.call == Stage::Talking).await.is_some());
    let (status, first) = answer().await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(answer().await, (200, first));
    let (status, _) = application.plain("GET", "/calling/callConnections/x?api-version=2026-03-12", None).await;
    assert_eq!(status, 401);
}

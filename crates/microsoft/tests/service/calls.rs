//! Calls, who is in them and what they hear: what is sent, and what is sent again.

use super::station::{Station, ok, status};
use dreiklang_microsoft::{
    Failure,
    acs::{
        RequestId, Settings,
        access::{Assignment, resource_account_word},
        identifier::{Identifier, TeamsApp},
        model::{AddParticipant, AnswerCall, CreateCall, FileSource, Play, PlayOptions, PlaySource},
        version::ApiVersion,
    },
};
use std::time::{Duration, Instant, SystemTime};

const CALL: &str = r#"{"callConnectionId":"c1","callConnectionState":"Connecting","correlationId":"k","new":{"x":1}}"#;

fn answer_call() -> AnswerCall {
    AnswerCall { incoming_call_context: "eyJ".to_owned(), callback_uri: "https://cc/cb".to_owned(), ..AnswerCall::default() }
}

fn play() -> Play {
    Play {
        play_sources: vec![PlaySource::File { file: FileSource { uri: "https://cc/p.wav".to_owned() }, cache: Some("p".to_owned()) }],
        play_to: vec![Identifier::of_number("+4930")],
        interrupt_call_media_operation: true,
        play_options: PlayOptions { repeat: true },
        operation_context: Some("act".to_owned()),
    }
}

#[tokio::test]
async fn a_call_is_answered_again_with_the_same_id_when_the_service_has_no_room_or_stumbles() {
    let station = Station::start(vec![status(429), status(503), status(500), ok(CALL)]).await;
    let call = station.client().answer_call(&answer_call(), RequestId(7)).await.unwrap();
    assert_eq!(call.call_connection_id, "c1");
    assert!(!call.is_connected() && !call.is_over());
    let asked = station.asked();
    assert_eq!(asked.len(), 4);
    for one in &asked {
        assert_eq!(one.target, "/calling/callConnections:answer?api-version=2026-03-12");
        assert_eq!(one.header("repeatability-request-id"), "00000000-0000-0000-0000-000000000007");
        assert_eq!(one.header("repeatability-first-sent"), asked[0].header("repeatability-first-sent"));
        assert!(one.header("authorization").starts_with("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="));
        assert_eq!(one.body, r#"{"incomingCallContext":"eyJ","callbackUri":"https://cc/cb"}"#);
    }
}

#[tokio::test]
async fn a_prompt_is_not_played_twice_when_it_may_be_playing_already() {
    let station = Station::start(vec![status(500), ok("")]).await;
    let failure = station.client().play("c1", &play()).await.unwrap_err();
    assert_eq!(failure, Failure::Refused { status: 500, code: "5000".to_owned(), message: "no".to_owned() });
    assert_eq!(station.asked().len(), 1);
}

#[tokio::test]
async fn a_prompt_is_played_again_when_the_service_had_no_room_for_it() {
    let station = Station::start(vec![status(429), status(429), ok("")]).await;
    station.client().play("c1", &play()).await.unwrap();
    let asked = station.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].header("repeatability-request-id"), "");
    assert_eq!(
        asked[2].body,
        r#"{"playSources":[{"kind":"file","file":{"uri":"https://cc/p.wav"},"playSourceCacheId":"p"}],"playTo":[{"rawId":"4:+4930","phoneNumber":{"value":"+4930"}}],"interruptCallMediaOperation":true,"playOptions":{"loop":true},"operationContext":"act"}"#
    );
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let station = Station::start(vec![status(400)]).await;
    let failure = station.client().answer_call(&answer_call(), RequestId::new()).await.unwrap_err();
    assert_eq!(failure.status(), Some(400));
    assert_eq!(station.asked().len(), 1);
}

#[tokio::test]
async fn the_pause_the_service_asks_for_is_kept_in_seconds_and_as_a_date() {
    let date = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    for value in [|| "1".to_owned(), date] {
        let value = value();
        let station = Station::start(vec![(429, vec![("retry-after", value)], String::new()), ok(CALL)]).await;
        let started = Instant::now();
        station.client().call("c1").await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_pause_longer_than_a_telephone_rings_is_not_waited_for() {
    let station = Station::start(vec![(429, vec![("retry-after", "60".to_owned())], String::new()), ok(CALL)]).await;
    assert_eq!(station.client().call("c1").await.unwrap_err().status(), Some(429));
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_has_taken_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings { endpoint: format!("http://{}", listener.local_addr().unwrap()), ..Station::default().settings() };
    drop(listener);
    let client = dreiklang_microsoft::acs::Client::new(Station::transport(), settings).unwrap();
    let failure = client.play("c1", &play()).await.unwrap_err();
    assert!(matches!(failure, Failure::NotTaken(_)), "{failure}");
}

#[tokio::test]
async fn everybody_in_a_call_is_found_page_by_page_and_never_elsewhere() {
    let page =
        r#"{"value":[{"identifier":{"rawId":"4:+4930"},"isMuted":true}],"nextLink":"/calling/callConnections/c1/participants?page=2"}"#;
    let station = Station::start(vec![ok(page), ok(r#"{"value":[{"identifier":{"rawId":"8:acs:r_t_u"}}]}"#)]).await;
    let found = station.client().participants("c1").await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0].is_muted && !found[1].is_muted);
    assert_eq!(station.asked()[1].target, "/calling/callConnections/c1/participants?page=2");

    let station = Station::start(vec![ok(r#"{"value":[],"nextLink":"http://127.0.0.2/steal"}"#)]).await;
    assert!(matches!(station.client().participants("c1").await, Err(Failure::Unreadable(_))));
}

#[tokio::test]
async fn somebody_is_asked_for_by_an_escaped_id() {
    let station = Station::start(vec![ok(r#"{"identifier":{"rawId":"4:+4930"},"isOnHold":true}"#), status(404)]).await;
    let who = Identifier::of_number("+4930");
    assert!(station.client().participant("c1", &who).await.unwrap().is_on_hold);
    assert!(station.client().participant("c1", &who).await.unwrap_err().is_gone());
    assert_eq!(station.asked()[0].target, "/calling/callConnections/c1/participants/4%3A%2B4930?api-version=2026-03-12");
}

#[tokio::test]
async fn whoever_is_invited_is_named_and_told_how_long_to_ring() {
    let station = Station::start(vec![(202, Vec::new(), r#"{"invitationId":"i1"}"#.to_owned())]).await;
    let request = AddParticipant {
        participant_to_add: Identifier::of_extension("r", "t", "u"),
        invitation_timeout_in_seconds: Some(20),
        operation_context: Some("leg".to_owned()),
        custom_calling_context: None,
    };
    let invitation = station.client().add("c1", &request, RequestId(1)).await.unwrap();
    assert_eq!(invitation.invitation_id.as_deref(), Some("i1"));
    assert_eq!(station.asked()[0].target, "/calling/callConnections/c1/participants:add?api-version=2026-03-12");
    assert_eq!(
        station.asked()[0].body,
        r#"{"participantToAdd":{"rawId":"8:acs:r_t_u","teamsExtensionUser":{"userId":"u","tenantId":"t","resourceId":"r","cloud":"public"}},"invitationTimeoutInSeconds":20,"operationContext":"leg"}"#
    );
}

#[tokio::test]
async fn an_older_version_is_not_asked_for_what_it_cannot_do() {
    let station = Station::start(vec![ok(CALL)]).await;
    let older = |version: &str| Settings { version: ApiVersion(version.to_owned()), ..station.settings() };
    let client = |settings| dreiklang_microsoft::acs::Client::new(Station::transport(), settings).unwrap();
    let moved = client(older("2025-06-15")).move_here("c1", "c2", &Identifier::of_number("+49"), "x", RequestId::new()).await;
    assert!(matches!(moved, Err(Failure::Impossible(_))));
    let source = Some(TeamsApp { app_id: "ra".to_owned(), cloud: None });
    let request = CreateCall { targets: vec![Identifier::of_number("+49")], teams_app_source: source, ..CreateCall::default() };
    assert!(matches!(client(older("2025-05-15")).create_call(&request, RequestId::new()).await, Err(Failure::Impossible(_))));
    assert!(station.asked().is_empty());
    client(older("2025-06-15")).create_call(&request, RequestId::new()).await.unwrap();
    assert_eq!(station.asked()[0].target, "/calling/callConnections?api-version=2025-06-15");
    assert!(station.asked()[0].body.contains(r#""teamsAppSource":{"appId":"ra"}"#), "{}", station.asked()[0].body);
}

#[tokio::test]
async fn consent_is_asked_for_in_the_words_of_its_version() {
    assert_eq!(resource_account_word(&ApiVersion("2025-06-30".to_owned())), "teamsResourceAccount");
    assert_eq!(resource_account_word(&ApiVersion("2026-09-23".to_owned())), "resourceAccount");
    let station = Station::start(vec![status(404), ok(r#"{"objectId":"o","tenantId":"t","principalType":"teamsResourceAccount"}"#)]).await;
    let client = station.client();
    assert_eq!(client.assignment("t", "o").await.unwrap(), None);
    let assignment = Assignment { principal_type: "teamsResourceAccount".to_owned(), client_ids: Vec::new() };
    client.assign("t", "o", &assignment).await.unwrap();
    assert_eq!(client.assignment("t", "o").await.unwrap(), Some(assignment));
    let asked = &station.asked()[1];
    assert_eq!(asked.target, "/access/teamsExtension/tenants/t/assignments/o?api-version=2025-06-30");
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("PUT", r#"{"principalType":"teamsResourceAccount"}"#));
}

#[tokio::test]
async fn an_address_without_encryption_is_not_used_unless_that_is_allowed() {
    let settings = Station::start(vec![ok("")]).await.settings();
    let strict = dreiklang_microsoft::Transport::new(dreiklang_microsoft::TransportConfig::default()).unwrap();
    assert!(matches!(dreiklang_microsoft::acs::Client::new(strict, settings), Err(Failure::Impossible(_))));
}

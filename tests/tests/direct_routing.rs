//! Direct Routing: we are the session border controller that Teams knows. Over mutual TLS and encrypted audio; Teams' rules are
//! the lab's, which complains of everything a border controller must not do.

use anyhow::{Context, Result};
use dreiklang_lab::{
    direct_routing::{
        Condition,
        certificates::{Authority, Issued},
    },
    pstn::phone::{CallState, Config, Manner, Phone},
};
use dreiklang_sip::{
    hop::{Hop, Transport},
    message::Message,
    transport::{self, ClientCertificates, Item, TlsConfig, Transports},
};
use dreiklang_tests::{
    contact_center::NUMBER,
    teams::{ADA, ANN, BEN, FQDN, TeamsCenter, VOICEMAIL_HZ, at_once, is_over},
    tone_files::{AGENT_HZ, CALLER_HZ, SECOND_AGENT_HZ},
    wait::SOON,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// What the status says of a data centre.
fn detail(status: &Value, peer: &str) -> String {
    let peers = status["peers"].as_array().map(Vec::as_slice).unwrap_or_default();
    peers.iter().find(|found| found["peer"] == peer).map(|found| found["detail"].to_string()).unwrap_or_default()
}

#[tokio::test]
async fn both_sides_ask_each_other_whether_they_are_there() -> Result<()> {
    let center = TeamsCenter::open().await?;
    center.wait_for_health([true, true, true]).await?;
    let mut pinged = center.teams.pinged();
    // One answer for each data centre.
    tokio::time::timeout(SOON, pinged.wait_for(|count| *count >= 3)).await.context("we answer pings")??;
    center.check()
}

#[tokio::test]
async fn a_caller_in_teams_talks_to_an_agent_in_teams() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    let called = ada.state().borrow().called_as.clone().unwrap_or_default();
    assert!(called.starts_with("sip:+493070002@localhost:") && called.ends_with(";user=phone;transport=tls"), "{called}");
    ann.hang_up().await;
    center.wait_for(ada, "let go", is_over).await?;
    center.check()?;
    let both = |conversation: &Value| {
        let legs = conversation["legs"].as_array().map(Vec::as_slice).unwrap_or_default();
        legs.len() == 2 && legs.iter().all(|leg| leg["quality"]["encrypted"] == true && leg["quality"]["key_exposed"] == false)
    };
    let conversation = center.center.wait_for_conversation("both legs to be encrypted", both).await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    assert_eq!(conversation["caller_number"], ANN, "{conversation:#}");
    Ok(())
}

/// Somebody in the telephone network, which is a trunk beside Teams and takes all numbers that are not those of Teams.
async fn outside(center: &TeamsCenter, user: &str) -> Result<Phone> {
    let server = center.center.server.sip;
    let config = Config { user: user.to_owned(), password: None, server, ip: server.ip(), hz: SECOND_AGENT_HZ, manner: at_once() };
    let phone = Phone::start(config).await?;
    let peers = json!([{ "address": phone.address().to_string() }]);
    let trunk = json!({ "name": "Carrier", "sources": ["127.0.0.1"], "peers": peers, "health_interval_s": 0 });
    center.center.create("trunks", trunk).await?;
    Ok(phone)
}

#[tokio::test]
async fn numbers_go_by_the_trunk_that_names_them_and_calls_from_teams_by_their_certificate() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let carrier = outside(&center, "+4940111").await?;
    // Teams calls from an address that is the carrier's too.
    let (ann, ada) = center.talk().await?;
    let conversation = center.center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    let path = format!("conversations/{}/transfer", conversation["id"].as_str().unwrap_or_default());
    center.center.request(Method::POST, &path, Some(json!({ "kind": "number", "id": "+4940111" }))).await?;
    center.wait_for(ada, "let go", is_over).await?;
    center.hear(ann, SECOND_AGENT_HZ).await?;
    assert!(carrier.audio().wait_to_hear(CALLER_HZ, SOON).await, "the outsider hears Ann");
    carrier.hang_up().await;
    center.wait_for(ann, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn an_agent_in_teams_sees_public_numbers_and_nobody_else() -> Result<()> {
    for (user, shown) in [("+4940111", "+4940111"), ("anna", "anonymous")] {
        let center = TeamsCenter::open().await?;
        let carrier = outside(&center, user).await?;
        let ada = center.person(ADA)?;
        ada.set_manner(Manner::LetRing);
        center.center.make_ready("ada").await?;
        carrier.call(NUMBER).await;
        let rings = CallState::Rings { caller: shown.to_owned() };
        center.wait_for(ada, "called", |state| state.call == rings).await?;
        carrier.hang_up().await;
        center.wait_for(ada, "let go", is_over).await?;
        center.check()?;
    }
    Ok(())
}

#[tokio::test]
async fn an_agent_in_teams_who_declines_is_passed_over_at_once() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = (center.person(ANN)?, center.person(ADA)?);
    ada.set_manner(Manner::Decline);
    center.center.make_ready("ada").await?;
    ann.call(NUMBER).await;
    center.center.wait_for_agent("ada", "not ready", |state| state["availability"]["state"] == "not_ready").await?;
    assert_eq!((ada.state().borrow().rang, center.teams.invites(1)), (1, 0), "who declines is not asked by way of the next data centre");
    ann.hang_up().await;
    center.check()
}

#[tokio::test]
async fn a_call_that_a_busy_data_centre_refuses_goes_by_the_next_one() -> Result<()> {
    let center = TeamsCenter::open().await?;
    center.wait_for_health([true, true, true]).await?;
    center.teams.set_condition(0, Condition::Busy);
    let (ann, ada) = center.talk().await?;
    assert_eq!((center.teams.invites(0), center.teams.invites(1), center.teams.invites(2)), (1, 1, 0));
    // What the call experienced counts: the next one would not even try.
    center.wait_for_health([false, true, true]).await?;
    ada.hang_up().await;
    center.wait_for(ann, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn data_centres_that_do_not_answer_are_left_out_until_they_do() -> Result<()> {
    let center = TeamsCenter::open().await?;
    center.wait_for_health([true, true, true]).await?;
    center.teams.stop(1);
    center.wait_for_health([true, false, true]).await?;
    // This one takes the call and says nothing, so that the call has to find out by itself.
    center.teams.set_condition(0, Condition::Silent);
    center.talk().await?;
    assert_eq!((center.teams.invites(0), center.teams.invites(1), center.teams.invites(2)), (0, 0, 1));
    center.teams.set_condition(0, Condition::Working);
    center.wait_for_health([true, false, true]).await?;
    center.check()
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_by_teams_and_said_in_words() -> Result<()> {
    let center = TeamsCenter::open_as("other.contoso.example").await?;
    let status = center.wait_for_health([false, false, false]).await?;
    let words = detail(&status, &center.teams.addresses()[0]);
    assert!(words.contains("403") && words.contains("fqdn"), "{words}");
    Ok(())
}

#[tokio::test]
async fn an_agent_in_teams_holds_and_the_caller_hears_music() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    ada.hold(true).await;
    let has = |conversation: &Value, kind: &str| {
        conversation["segments"].as_array().is_some_and(|segments| segments.iter().any(|segment| segment["kind"] == kind))
    };
    // A part of a conversation is told when the next one begins.
    center.center.wait_for_conversation("the hold to begin", |conversation| has(conversation, "talk")).await?;
    ada.hold(false).await;
    center.hear(ann, AGENT_HZ).await?;
    center.hear(ada, CALLER_HZ).await?;
    ada.hang_up().await;
    center.wait_for(ann, "let go", is_over).await?;
    let conversation = center.center.ended_conversation().await?;
    assert!(has(&conversation, "hold"), "{conversation:#}");
    center.check()
}

/// Ada hands Ann to Ben with the Teams client.
async fn transferred(ben_does: Manner) -> Result<TeamsCenter> {
    let center = TeamsCenter::open().await?;
    let (ada, ben) = (center.talk().await?.1, center.person(BEN)?);
    ben.set_manner(ben_does);
    ada.hold(true).await;
    ada.transfer(ben).await;
    // Ada has nothing to do with it any more once it is decided; until then her call lives. The next one may ring at once.
    center.wait_for(ada, "let go", |state| state.over == 1).await?;
    Ok(center)
}

#[tokio::test]
async fn an_agent_in_teams_hands_the_caller_to_a_colleague_and_is_free() -> Result<()> {
    let center = transferred(at_once()).await?;
    let (ann, ada, ben) = (center.person(ANN)?, center.person(ADA)?, center.person(BEN)?);
    assert_eq!(ada.state().borrow().transfer, [202, 100, 180, 200]);
    center.hear(ann, SECOND_AGENT_HZ).await?;
    center.hear(ben, CALLER_HZ).await?;
    center.center.wait_for_agent("ada", "free of the talk", |state| state["occupation"]["state"] != "talking").await?;
    let conversation = center.center.wait_for_conversation("the second talk", |conversation| conversation["talks"][1].is_object()).await?;
    assert_eq!(conversation["talks"][0]["agent"], center.center.agent("ada")?, "{conversation:#}");
    assert_eq!(conversation["talks"][1]["agent"], Value::Null, "{conversation:#}");
    ann.hang_up().await;
    center.wait_for(ben, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn a_caller_whom_the_colleague_declines_comes_back() -> Result<()> {
    let center = transferred(Manner::Decline).await?;
    let (ann, ada) = (center.person(ANN)?, center.person(ADA)?);
    // Nobody is lost: Ann waits again, and Ada is the one who is there.
    center.hear(ann, AGENT_HZ).await?;
    center.hear(ada, CALLER_HZ).await?;
    ann.hang_up().await;
    let conversation = center.center.ended_conversation().await?;
    assert_eq!(conversation["visits"].as_array().map(Vec::len), Some(2), "{conversation:#}");
    center.check()
}

#[tokio::test]
async fn a_caller_who_gives_up_during_a_transfer_ends_it_for_everybody() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    let ben = center.person(BEN)?;
    ben.set_manner(Manner::LetRing);
    ada.transfer(ben).await;
    center.wait_for(ben, "called", |state| matches!(state.call, CallState::Rings { .. })).await?;
    center.wait_for(ada, "told that it rings", |state| state.transfer.contains(&180)).await?;
    ann.hang_up().await;
    center.wait_for(ben, "let go", is_over).await?;
    center.wait_for(ada, "let go", is_over).await?;
    assert_eq!(ada.state().borrow().transfer, [202, 100, 180, 480]);
    center.center.ended_conversation().await?;
    center.check()
}

#[tokio::test]
async fn a_colleague_in_teams_takes_the_talk_over() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    let ben = center.person(BEN)?;
    ada.hold(true).await;
    ben.take_over(ada).await;
    center.hear(ann, SECOND_AGENT_HZ).await?;
    center.hear(ben, CALLER_HZ).await?;
    center.wait_for(ada, "let go", is_over).await?;
    ann.hang_up().await;
    center.wait_for(ben, "let go", is_over).await?;
    center.center.ended_conversation().await?;
    center.check()
}

#[tokio::test]
async fn a_caller_is_led_to_the_teams_voicemail_of_a_person() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    let conversation = center.center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    let path = format!("conversations/{}/transfer", conversation["id"].as_str().unwrap_or_default());
    let to = json!({ "kind": "person", "id": "voicemail+ben@contoso.example" });
    center.center.request(Method::POST, &path, Some(to)).await?;
    center.wait_for(ada, "let go", is_over).await?;
    center.hear(ann, VOICEMAIL_HZ).await?;
    let recorder = center.teams.voicemail();
    center.hear(recorder, CALLER_HZ).await?;
    assert_eq!(recorder.state().borrow().called_as.as_deref(), Some("sip:ben@contoso.example;opaque=app:voicemail"));
    assert_eq!(center.person(BEN)?.state().borrow().rang, 0, "voicemail does not ring");
    ann.hang_up().await;
    center.wait_for(recorder, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn a_call_outlives_the_connection_it_came_by() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    center.teams.break_connections(0).await;
    ada.hold(true).await;
    ada.hold(false).await;
    center.hear(ann, AGENT_HZ).await?;
    ada.hang_up().await;
    // Ann is told over a connection that we open, to where the route of her call leads.
    center.wait_for(ann, "let go", is_over).await?;
    center.center.ended_conversation().await?;
    center.check()
}

#[tokio::test]
async fn an_agent_in_teams_goes_on_with_another_device() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    for person in [ada, ann] {
        person.change_device().await;
        center.wait_for(person, "on another device", |state| state.changes == 1).await?;
    }
    // What was heard before is forgotten with the old keys.
    center.hear(ann, AGENT_HZ).await?;
    center.hear(ada, CALLER_HZ).await?;
    ann.hang_up().await;
    center.wait_for(ada, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn nobody_in_teams_is_left_in_a_dead_call_when_we_crash() -> Result<()> {
    let mut center = TeamsCenter::open().await?;
    center.talk().await?;
    center.center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    center.center.server.kill_and_restart().await?;
    for number in [ANN, ADA] {
        center.wait_for(center.person(number)?, "let go", is_over).await?;
    }
    center.check()
}

#[tokio::test]
async fn a_crash_after_a_take_over_ends_the_call_of_the_one_who_has_it() -> Result<()> {
    let mut center = TeamsCenter::open().await?;
    center.talk().await?;
    center.person(BEN)?.take_over(center.person(ADA)?).await;
    center.wait_for(center.person(ADA)?, "let go", is_over).await?;
    center.hear(center.person(ANN)?, SECOND_AGENT_HZ).await?;
    center.center.server.kill_and_restart().await?;
    center.wait_for(center.person(BEN)?, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn a_number_that_nobody_in_teams_has_is_said_in_words() -> Result<()> {
    let mut center = TeamsCenter::open().await?;
    center.center.hire_by_number("ghost", "+493070099").await?;
    center.center.make_ready("ghost").await?;
    center.person(ANN)?.call(NUMBER).await;
    center.center.wait_for_agent("ghost", "not ready", |state| state["availability"]["state"] == "not_ready").await?;
    let log = center.center.server.log();
    assert!(log.contains("404") && log.contains("Set-CsPhoneNumberAssignment"), "{log}");
    center.check()
}

#[tokio::test]
async fn a_caller_in_teams_cannot_hand_our_agent_on() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let (ann, ada) = center.talk().await?;
    ann.transfer(center.person(BEN)?).await;
    center.wait_for(ann, "refused", |state| state.transfer == [603]).await?;
    center.hear(ada, CALLER_HZ).await?;
    ann.hang_up().await;
    center.wait_for(ada, "let go", is_over).await?;
    center.check()
}

#[tokio::test]
async fn a_take_over_of_a_call_that_nobody_has_is_refused() -> Result<()> {
    let center = TeamsCenter::open().await?;
    // This one has a certificate of Teams.
    let replaces = "REPLACES: nobody;to-tag=0123456789abcdef;from-tag=2\r\nREQUIRE: replaces\r\n";
    let mut teams = imposter(&center, center.authority.issue(&["localhost"])?, replaces).await?;
    let answer = next(&mut teams).await?;
    assert!(matches!(&answer, Item::Message(Message::Response(response)) if response.status == 481), "{answer:?}");
    Ok(())
}

/// Somebody who calls us by TLS with this certificate, and calls himself Microsoft.
async fn imposter(center: &TeamsCenter, own: Issued, more: &str) -> Result<Transports> {
    let tls = TlsConfig {
        address: ([127, 0, 0, 1], 0).into(),
        certificate_file: own.certificate,
        key_file: own.key,
        authority_file: Some(center.authority.file().to_owned()),
        client_certificates: ClientCertificates::NotRequested,
    };
    let transports = Transports::bind(transport::Config { tls: Some(tls), ..transport::Config::default() }).await?;
    transports.send(&Hop::tls(center.address, FQDN), imposters("INVITE", "TLS", more));
    Ok(transports)
}

fn imposters(method: &str, transport: &str, more: &str) -> Vec<u8> {
    // Each its own request: repetitions of the same would be answered where the first one came from.
    static SENT: AtomicU32 = AtomicU32::new(0);
    let branch = format!("z9hG4bK58735f{}{transport}", SENT.fetch_add(1, Ordering::Relaxed));
    format!(
        "{method} sip:{NUMBER}@{FQDN}:5061;user=phone SIP/2.0\r\nVIA: SIP/2.0/{transport} 127.0.0.1:5061;branch={branch};rport\r\n\
         FROM: Microsoft<sip:+493070009@sip.pstnhub.microsoft.com:5061;user=phone>;tag=1\r\nTO: <sip:{NUMBER}@{FQDN}>\r\n\
         CALL-ID: scan-{transport}\r\nCSEQ: 1 {method}\r\nMAX-FORWARDS: 70\r\nCONTACT: <sip:sip.pstnhub.microsoft.com:5061>\r\n\
         USER-AGENT: Microsoft.PSTNHub.SIPProxy\r\n{more}CONTENT-LENGTH: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The next thing that is not a 100.
async fn next(transports: &mut Transports) -> Result<Item> {
    loop {
        let item = tokio::time::timeout(SOON, transports.recv()).await.context("something happens")?.item;
        if !matches!(&item, Item::Message(Message::Response(response)) if response.status == 100) {
            return Ok(item);
        }
    }
}

#[tokio::test]
async fn who_only_says_that_he_is_microsoft_gets_no_call() -> Result<()> {
    let center = TeamsCenter::open().await?;
    center.wait_for_health([true, true, true]).await?;
    // A valid certificate, but not that of Teams.
    let mut known = imposter(&center, center.authority.issue(&["someone.example"])?, "").await?;
    let answer = next(&mut known).await?;
    assert!(matches!(&answer, Item::Message(Message::Response(response)) if response.status == 403), "{answer:?}");
    // The name of Teams, but certified by nobody we believe.
    let stranger = Authority::new(center.folder(), "stranger")?;
    let mut unknown = imposter(&center, stranger.issue(&["127.0.0.3"])?, "").await?;
    let answer = next(&mut unknown).await?;
    assert!(matches!(&answer, Item::Message(Message::Response(response)) if response.status == 403), "{answer:?}");
    assert_eq!(center.center.request(Method::GET, "conversations", None).await?["items"], json!([]));
    center.check()
}

#[tokio::test]
async fn a_scanner_learns_nothing() -> Result<()> {
    let center = TeamsCenter::open().await?;
    let sip = center.center.server.sip;
    let local = Some(([127, 0, 0, 1], 0).into());
    let mut scanner = Transports::bind(transport::Config { udp: local, tcp: local, ..transport::Config::default() }).await?;
    for method in ["OPTIONS", "INVITE"] {
        scanner.send(&Hop::udp(sip), imposters(method, "UDP", ""));
        scanner.send(&Hop::tcp(sip), imposters(method, "TCP", ""));
        // Had the datagram been answered, that would have come before: it was sent first.
        let received = tokio::time::timeout(SOON, scanner.recv()).await.context("an answer")?;
        let refused = matches!(&received.item, Item::Message(Message::Response(response)) if response.status == 403);
        assert!(refused && received.hop.transport == Transport::Tcp, "{method}: {received:?}");
    }
    center.check()
}

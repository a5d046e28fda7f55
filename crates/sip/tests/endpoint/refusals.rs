//! Requests that cannot be served, and dialogs that are not as they should be.

use std::time::Duration;

use dreiklang_sip::event::{CallId, CauseKind, Event};

use crate::network::{ANSWER, Bob, config};
use crate::peer::Peer;

const URI: &str = "sip:bob@10.0.0.2";

#[test]
fn an_unknown_method_is_501_and_a_known_one_out_of_place_405_both_with_allow() {
    let mut peer = Peer::new();
    for (method, status) in [("JUMP", 501), ("PUBLISH", 405), ("MESSAGE", 405), ("PRACK", 405)] {
        peer.request(method, URI, "");
        let response = peer.response();
        assert_eq!(response.status, status, "{method}");
        assert!(response.headers.get("Allow").unwrap().contains("INVITE"));
        assert!(response.headers.to_tag().is_some());
    }
}

#[test]
fn an_unknown_extension_is_420_and_named() {
    let mut peer = Peer::new();
    peer.request("INVITE", URI, "Require: timer, 100rel\nRequire: nonsense\n");
    assert_eq!(peer.response().status, 420);
    assert_eq!(peer.response().headers.get("Unsupported"), Some("100rel, nonsense"));
    peer.request("INVITE", URI, "Require: replaces\n");
    assert!(matches!(&peer.events[..], [Event::Incoming { .. }]));
}

#[test]
fn options_is_answered_with_what_we_can_do() {
    let mut peer = Peer::new();
    peer.request("OPTIONS", URI, "");
    let headers = &peer.response().headers;
    assert_eq!(peer.response().status, 200);
    assert!(headers.get("Allow").unwrap().contains("REFER"));
    assert_eq!(headers.get("Accept"), Some("application/sdp"));
    assert_eq!(headers.get("Supported"), Some("timer, replaces"));
    assert!(headers.contact().is_some());
}

#[test]
fn the_hop_limit_and_the_uri_scheme_and_the_body_are_checked() {
    let mut peer = Peer::new();
    peer.send(
        "INVITE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 0\nFrom: <sip:a@b>;tag=1\n\
         To: <sip:bob@10.0.0.2>\nCall-ID: x\nCSeq: 1 INVITE\nContact: <sip:a@10.0.0.1>\nContent-Length: 0\n\n",
    );
    assert_eq!(peer.response().status, 483);
    peer.request("INVITE", "nobodyknows:bob", "");
    assert_eq!(peer.response().status, 416);
    peer.send(
        "INVITE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 70\nFrom: <sip:a@b>;tag=1\n\
         To: <sip:bob@10.0.0.2>\nCall-ID: y\nCSeq: 1 INVITE\nContact: <sip:a@10.0.0.1>\nContent-Type: text/html\n\
         Content-Length: 3\n\nabc",
    );
    assert_eq!(peer.response().status, 415);
    assert!(peer.response().headers.get("Accept").unwrap().contains("application/sdp"));
    assert!(peer.events.is_empty());
}

#[test]
fn a_version_other_than_2_is_505_and_a_broken_request_400() {
    let mut peer = Peer::new();
    let with = |version: &str, cseq: &str| {
        format!(
            "OPTIONS sip:bob@10.0.0.2 {version}\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%;rport\nFrom: <sip:a@b>;tag=1\n\
             To: <sip:bob@10.0.0.2>\nCall-ID: x\nCSeq: {cseq}\nContent-Length: 0\n\n"
        )
    };
    peer.send(&with("SIP/7.0", "1 OPTIONS"));
    assert_eq!(peer.response().status, 505);
    peer.send(&with("SIP/2.0", "1 INVITE"));
    assert_eq!(peer.response().status, 400);
    let via = peer.response().headers.top_via().unwrap();
    assert_eq!(via.rport(), Some(Some(5060)));
}

#[test]
fn a_request_for_an_unknown_dialog_is_481_and_its_ack_is_dropped() {
    let mut peer = Peer::new();
    let with = |method: &str| {
        format!(
            "{method} sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 70\n\
             From: <sip:a@b>;tag=1\nTo: <sip:bob@10.0.0.2>;tag=0123456789abcdef\nCall-ID: x\nCSeq: 5 {method}\nContent-Length: 0\n\n"
        )
    };
    for method in ["BYE", "INVITE", "INFO", "REFER", "NOTIFY", "UPDATE", "OPTIONS"] {
        peer.send(&with(method));
        assert_eq!(peer.response().status, 481, "{method}");
        assert!(peer.events.is_empty());
    }
    peer.send(&with("ACK"));
    assert!(peer.sent.is_empty());
    peer.send(&with("CANCEL"));
    assert_eq!(peer.response().status, 481);
    peer.request("BYE", URI, "");
    assert_eq!(peer.response().status, 481);
}

#[test]
fn one_request_by_two_ways_is_served_once_and_refused_once_with_482() {
    let mut peer = Peer::new();
    let text = "INVITE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 70\n\
        From: <sip:a@b>;tag=1\nTo: <sip:bob@10.0.0.2>\nCall-ID: x\nCSeq: 1 INVITE\nContact: <sip:a@10.0.0.1>\nContent-Length: 0\n\n";
    peer.send(text);
    assert!(matches!(&peer.events[..], [Event::Incoming { .. }]));
    peer.send(text);
    assert_eq!(peer.response().status, 482);
    assert!(peer.events.is_empty());
    // Another number is another request.
    peer.send(&text.replace("CSeq: 1", "CSeq: 2"));
    assert!(matches!(&peer.events[..], [Event::Incoming { .. }]));
}

#[test]
fn a_refused_call_may_come_again_by_another_way() {
    let mut peer = Peer::new();
    let text = "INVITE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 70\n\
        From: <sip:a@b>;tag=1\nTo: <sip:bob@10.0.0.2>\nCall-ID: x\nCSeq: 1 INVITE\nContact: <sip:a@10.0.0.1>\nContent-Length: 0\n\n";
    for _ in 0..2 {
        peer.send(text);
        let [Event::Incoming { call, .. }] = &peer.events[..] else { panic!("{:?}", peer.events) };
        let call = *call;
        peer.act(|endpoint, now| endpoint.reject(now, call, 503, "", Vec::new()));
    }
}

#[test]
fn a_full_endpoint_refuses_new_calls_with_503_and_retry_after_but_keeps_its_calls() {
    let mut small = config(Bob);
    small.calls_max = 1;
    let mut peer = Peer::with(small);
    let (call, dialog) = Dialog::open(&mut peer);
    peer.request("INVITE", URI, "");
    assert_eq!(peer.response().status, 503);
    assert_eq!(peer.response().headers.retry_after_s(), Some(5));
    let refused = peer.act(|endpoint, now| endpoint.invite(now, crate::network::invite(None)));
    assert!(matches!(peer.events.last(), Some(Event::Ended { call, cause }) if *call == refused && cause.kind == CauseKind::Overloaded));
    dialog.send(&mut peer, "BYE", 2, "");
    assert_eq!(peer.response().status, 200);
    assert!(matches!(&peer.events[..], [Event::Ended { call: ended, .. }] if *ended == call));
}

#[test]
fn too_many_transactions_are_refused_without_remembering_them() {
    let mut small = config(Bob);
    small.transactions_max = 1;
    let mut peer = Peer::with(small);
    let (_, dialog) = Dialog::open(&mut peer);
    peer.request("OPTIONS", URI, "");
    assert_eq!(peer.response().status, 503);
    assert_eq!(peer.endpoint.transactions(), 1);
    dialog.send(&mut peer, "BYE", 2, "");
    assert_eq!(peer.response().status, 200);
}

/// A call that the test has placed to the endpoint and that is established.
struct Dialog {
    to: String,
}

impl Dialog {
    fn open(peer: &mut Peer) -> (CallId, Dialog) {
        let (call, dialog) = Dialog::ring(peer);
        peer.sent.clear();
        peer.act(|endpoint, now| endpoint.answer(now, call, ANSWER.to_vec()));
        dialog.send(peer, "ACK", 1, "");
        assert!(matches!(&peer.events[..], [Event::Acknowledged { .. }]));
        (call, dialog)
    }

    fn ring(peer: &mut Peer) -> (CallId, Dialog) {
        peer.send(
            "INVITE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKfirst;rport\nMax-Forwards: 70\n\
             From: <sip:alice@10.0.0.1>;tag=77\nTo: <sip:bob@10.0.0.2>\nCall-ID: one\nCSeq: 1 INVITE\n\
             Contact: <sip:alice@10.0.0.1>\nContent-Type: application/sdp\nContent-Length: 3\n\nv=0",
        );
        let Some(Event::Incoming { call, .. }) = peer.events.first() else { panic!("{:?}", peer.events) };
        let call = *call;
        peer.act(|endpoint, now| endpoint.ring(now, call, None));
        let to = peer.response().headers.get("To").unwrap().to_owned();
        (call, Dialog { to })
    }

    fn send(&self, peer: &mut Peer, method: &str, number: u32, extra: &str) {
        peer.send(&format!(
            "{method} sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%;rport\nMax-Forwards: 70\n\
             From: <sip:alice@10.0.0.1>;tag=77\nTo: {}\nCall-ID: one\nCSeq: {number} {method}\n{extra}Content-Length: 0\n\n",
            self.to
        ));
    }
}

#[test]
fn an_early_bye_is_answered_200_and_the_invite_487() {
    let mut peer = Peer::new();
    let (call, dialog) = Dialog::ring(&mut peer);
    dialog.send(&mut peer, "BYE", 2, "Reason: Q.850;cause=16\n");
    assert_eq!(peer.responses(), [200, 487]);
    let [Event::Ended { call: ended, cause }] = &peer.events[..] else { panic!("{:?}", peer.events) };
    assert_eq!((*ended, cause.kind, cause.reason.as_deref()), (call, CauseKind::RemoteHangUp, Some("Q.850;cause=16")));
}

#[test]
fn a_bye_before_the_ack_ends_the_call_and_stops_the_200() {
    let mut peer = Peer::new();
    let (call, dialog) = Dialog::ring(&mut peer);
    peer.act(|endpoint, now| endpoint.answer(now, call, ANSWER.to_vec()));
    dialog.send(&mut peer, "BYE", 2, "");
    assert_eq!(peer.responses(), [200]);
    assert!(matches!(&peer.events[..], [Event::Ended { .. }]));
    peer.run(Duration::from_secs(40));
    assert_eq!(peer.responses(), [200], "the 200 to INVITE must not be repeated any more");
    dialog.send(&mut peer, "ACK", 1, "");
    assert!(peer.sent.is_empty() && peer.events.is_empty());
    peer.run(Duration::from_secs(40));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn numbers_may_jump_but_an_old_one_is_500() {
    let mut peer = Peer::new();
    let (_, dialog) = Dialog::open(&mut peer);
    dialog.send(&mut peer, "INFO", 4_000, "");
    assert_eq!(peer.response().status, 200);
    for old in [4_000, 3_999, 1] {
        dialog.send(&mut peer, "INFO", old, "");
        assert_eq!(peer.response().status, 500, "{old}");
        assert!(peer.events.is_empty());
    }
    dialog.send(&mut peer, "OPTIONS", 2_147_483_647, "");
    assert_eq!(peer.response().status, 200);
}

#[test]
fn a_request_with_our_tag_but_another_peer_or_call_id_is_481() {
    let mut peer = Peer::new();
    let (_, dialog) = Dialog::open(&mut peer);
    for (from, call_id) in [("78", "one"), ("77", "two")] {
        peer.send(&format!(
            "BYE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 70\n\
             From: <sip:alice@10.0.0.1>;tag={from}\nTo: {}\nCall-ID: {call_id}\nCSeq: 2 BYE\nContent-Length: 0\n\n",
            dialog.to
        ));
        assert_eq!(peer.response().status, 481);
        assert!(peer.events.is_empty());
    }
}

#[test]
fn within_a_call_info_is_told_and_unknown_methods_and_packages_are_refused() {
    let mut peer = Peer::new();
    let (_, dialog) = Dialog::open(&mut peer);
    dialog.send(&mut peer, "INFO", 2, "Content-Type: application/dtmf-relay\n");
    assert_eq!(peer.response().status, 200);
    let [Event::Info { content_type, .. }] = &peer.events[..] else { panic!("{:?}", peer.events) };
    assert_eq!(content_type.as_deref(), Some("application/dtmf-relay"));
    dialog.send(&mut peer, "JUMP", 3, "");
    assert_eq!(peer.response().status, 501);
    dialog.send(&mut peer, "SUBSCRIBE", 4, "");
    assert_eq!(peer.response().status, 405);
    dialog.send(&mut peer, "NOTIFY", 5, "Event: presence\n");
    assert_eq!(peer.response().status, 489);
    dialog.send(&mut peer, "NOTIFY", 6, "Event: refer\nSubscription-State: active\n");
    assert_eq!(peer.response().status, 481);
    dialog.send(&mut peer, "REFER", 7, "");
    assert_eq!(peer.response().status, 400);
    dialog.send(&mut peer, "INFO", 8, "Require: nonsense\n");
    assert_eq!(peer.response().status, 420);
    dialog.send(&mut peer, "BYE", 9, "");
    assert_eq!(peer.response().status, 200);
    dialog.send(&mut peer, "BYE", 10, "");
    assert_eq!(peer.response().status, 481, "latecomers of a call that is over");
}

#[test]
fn a_second_re_invite_before_the_answer_to_the_first_is_500_with_retry_after() {
    let mut peer = Peer::new();
    let (call, dialog) = Dialog::open(&mut peer);
    dialog.send(&mut peer, "INVITE", 2, "Contact: <sip:alice@10.0.0.1:5070>\n");
    assert!(matches!(&peer.events[..], [Event::Reinvite { sdp: None, .. }]));
    dialog.send(&mut peer, "INVITE", 3, "");
    assert_eq!(peer.response().status, 500);
    assert!(peer.response().headers.retry_after_s().unwrap() <= 10);
    peer.sent.clear();
    peer.act(|endpoint, now| endpoint.answer_reinvite(now, call, Ok(ANSWER.to_vec())));
    assert_eq!(peer.response().status, 200);
    dialog.send(&mut peer, "INVITE", 4, "");
    assert_eq!(peer.response().status, 491, "our 200 has no ACK yet");
    dialog.send(&mut peer, "ACK", 2, "");
    peer.act(|endpoint, now| endpoint.hang_up(now, call, None));
    assert_eq!(peer.sent_request("BYE").uri.to_string(), "sip:alice@10.0.0.1:5070", "the target was refreshed");
}

#[test]
fn an_update_without_sdp_refreshes_and_one_with_sdp_changes_the_session() {
    let mut peer = Peer::new();
    let (call, dialog) = Dialog::open(&mut peer);
    dialog.send(&mut peer, "UPDATE", 2, "Supported: timer\nSession-Expires: 120\nContact: <sip:alice@10.0.0.1>\n");
    assert_eq!(peer.response().status, 200);
    assert_eq!(peer.response().headers.get("Session-Expires"), Some("120;refresher=uac"));
    assert!(peer.events.is_empty());
    peer.send(&format!(
        "UPDATE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nMax-Forwards: 70\n\
         From: <sip:alice@10.0.0.1>;tag=77\nTo: {}\nCall-ID: one\nCSeq: 3 UPDATE\nContact: <sip:alice@10.0.0.1>\n\
         Content-Type: application/sdp\nContent-Length: 3\n\nv=0",
        dialog.to
    ));
    assert!(matches!(&peer.events[..], [Event::Reinvite { sdp: Some(_), .. }]));
    peer.act(|endpoint, now| endpoint.answer_reinvite(now, call, Ok(ANSWER.to_vec())));
    assert_eq!((peer.response().status, peer.response().body.as_slice()), (200, ANSWER));
}

#[test]
fn a_canceled_re_invite_is_487_and_the_call_goes_on() {
    let mut peer = Peer::new();
    let (call, dialog) = Dialog::open(&mut peer);
    let text = |method: &str| {
        format!(
            "{method} sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKsecond;rport\nMax-Forwards: 70\n\
             From: <sip:alice@10.0.0.1>;tag=77\nTo: {}\nCall-ID: one\nCSeq: 2 {method}\nContact: <sip:alice@10.0.0.1>\n\
             Content-Length: 0\n\n",
            dialog.to
        )
    };
    peer.send(&text("INVITE"));
    peer.send(&text("CANCEL"));
    assert_eq!(peer.responses(), [200, 487]);
    peer.act(|endpoint, now| endpoint.answer_reinvite(now, call, Ok(ANSWER.to_vec())));
    assert_eq!(peer.responses(), [200, 487]);
    dialog.send(&mut peer, "BYE", 3, "");
    assert_eq!(peer.response().status, 200);
}

#[test]
fn an_ack_with_the_branch_of_the_invite_is_understood() {
    let mut peer = Peer::new();
    let (call, dialog) = Dialog::ring(&mut peer);
    peer.act(|endpoint, now| endpoint.answer(now, call, ANSWER.to_vec()));
    peer.send(&format!(
        "ACK sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKfirst;rport\nMax-Forwards: 70\n\
         From: <sip:alice@10.0.0.1>;tag=77\nTo: {}\nCall-ID: one\nCSeq: 1 ACK\nContent-Length: 0\n\n",
        dialog.to
    ));
    assert!(matches!(&peer.events[..], [Event::Acknowledged { .. }]));
}

#[test]
fn a_peer_without_the_magic_cookie_is_matched_by_everything_else() {
    let mut peer = Peer::new();
    let text = |method: &str, to_tag: &str| {
        format!(
            "{method} sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=1\nFrom: <sip:a@b>;tag=1\n\
             To: <sip:bob@10.0.0.2>{to_tag}\nCall-ID: old\nCSeq: 1 {method}\nContact: <sip:a@10.0.0.1>\nContent-Length: 0\n\n"
        )
    };
    peer.send(&text("INVITE", ""));
    let [Event::Incoming { call, .. }] = &peer.events[..] else { panic!("{:?}", peer.events) };
    let call = *call;
    peer.send(&text("INVITE", ""));
    assert!(peer.sent.is_empty() && peer.events.is_empty(), "a repetition");
    peer.act(|endpoint, now| endpoint.reject(now, call, 486, "", Vec::new()));
    peer.send(&text("ACK", ";tag=x"));
    peer.run(Duration::from_secs(20));
    assert!(peer.sent.is_empty(), "the ACK ended the repetition of the 486");
}

#[test]
fn responses_go_to_the_source_with_rport_and_to_the_named_port_without() {
    let mut peer = Peer::new();
    for (via, port) in [("10.9.9.9:7000;rport", 5060), ("10.9.9.9:7000", 7000), ("10.9.9.9", 5060)] {
        peer.send(&format!(
            "OPTIONS sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP {via};branch=%BRANCH%\nFrom: <sip:a@b>;tag=1\n\
             To: <sip:bob@10.0.0.2>\nCall-ID: {port}\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"
        ));
        assert_eq!(peer.hops[0].remote, format!("10.0.0.1:{port}").parse().unwrap(), "{via}");
        assert_eq!(peer.response().headers.top_via().unwrap().received(), Some("10.0.0.1".parse().unwrap()));
    }
}

#[test]
fn a_listed_method_reaches_the_outside_and_its_answer_the_peer() {
    let mut peer = Peer::new();
    peer.request("REGISTER", "sip:10.0.0.2", "");
    let [Event::Request { id, request, .. }] = &peer.events[..] else { panic!("{:?}", peer.events) };
    let (id, response) = (*id, dreiklang_sip::message::Response::to_request(request, 200, ""));
    peer.act(|endpoint, now| endpoint.respond(now, id, response.clone()));
    assert_eq!(peer.response().status, 200);
    assert!(peer.response().headers.to_tag().is_some());
    peer.act(|endpoint, now| endpoint.respond(now, id, response));
    assert_eq!(peer.sent.len(), 1, "a second answer is void");
}

//! One INVITE, several answers.

use dreiklang_sip::event::{CauseKind, Event};
use dreiklang_sip::message::{Message, Method, Request};

use crate::network::{ANSWER, OFFER, invite};
use crate::peer::Peer;

struct Fork {
    peer: Peer,
    call: dreiklang_sip::event::CallId,
    invite: Request,
}

impl Fork {
    fn new() -> Fork {
        let mut peer = Peer::new();
        let mut wish = invite(Some(OFFER));
        wish.hop = Peer::source();
        let call = peer.act(|endpoint, now| endpoint.invite(now, wish));
        let invite = peer.sent_request("INVITE").clone();
        Fork { peer, call, invite }
    }

    /// A response from the fork with this tag.
    fn answer(&mut self, status: u16, tag: &str, body: &str) {
        let header = |name: &str| self.invite.headers.get(name).unwrap().to_owned();
        let text = format!(
            "SIP/2.0 {status} Some\nVia: {}\nFrom: {}\nTo: {};tag={tag}\nCall-ID: {}\nCSeq: {}\n\
             Contact: <sip:{tag}@10.0.0.1:5099>\nRecord-Route: <sip:p2.example.com;lr>, <sip:10.0.0.1;lr>\n\
             Content-Type: application/sdp\nContent-Length: {}\n\n{body}",
            header("Via"),
            header("From"),
            header("To"),
            header("Call-ID"),
            header("CSeq"),
            body.replace('\n', "\r\n").len()
        );
        self.peer.send(&text);
    }

    fn methods(&self) -> Vec<String> {
        self.peer
            .sent
            .iter()
            .map(|message| match message {
                Message::Request(request) => format!("{} {}", request.method, request.headers.to_tag().unwrap_or("")),
                Message::Response(response) => response.status.to_string(),
            })
            .collect()
    }
}

#[test]
fn the_first_200_is_the_call_and_a_second_one_is_acknowledged_and_ended() {
    let mut fork = Fork::new();
    fork.answer(180, "one", "");
    fork.answer(180, "two", "");
    fork.answer(200, "two", "v=0");
    assert_eq!(fork.methods(), ["ACK two"]);
    assert!(matches!(&fork.peer.events[..], [Event::Answered { .. }]));
    fork.answer(200, "one", "v=0");
    assert_eq!(fork.methods(), ["ACK one", "BYE one"]);
    assert!(fork.peer.events.is_empty());
    fork.answer(200, "one", "v=0");
    assert_eq!(fork.methods(), ["ACK one"], "a repetition is acknowledged again and not ended again");
    fork.answer(200, "two", "v=0");
    assert_eq!(fork.methods(), ["ACK two"]);
}

#[test]
fn ack_and_bye_follow_the_route_set_of_their_own_dialog() {
    let mut fork = Fork::new();
    fork.answer(200, "one", "v=0");
    let ack = fork.peer.sent_request("ACK");
    assert_eq!(ack.uri.to_string(), "sip:one@10.0.0.1:5099");
    assert_eq!(ack.headers.all("Route").collect::<Vec<_>>(), ["<sip:10.0.0.1;lr>", "<sip:p2.example.com;lr>"]);
    assert_ne!(ack.headers.top_branch(), fork.invite.headers.top_branch());
    assert_eq!(fork.peer.hops[0].remote, "10.0.0.1:5060".parse().unwrap());
    let (call, peer) = (fork.call, &mut fork.peer);
    peer.sent.clear();
    peer.act(|endpoint, now| endpoint.hang_up(now, call, None));
    let bye = peer.sent_request("BYE");
    assert_eq!(bye.headers.cseq().unwrap().number, 2);
    assert_eq!(bye.headers.all("Route").count(), 2);
}

#[test]
fn early_media_of_the_winner_stands_in_for_an_answer_without_sdp() {
    let mut fork = Fork::new();
    let answer = std::str::from_utf8(ANSWER).unwrap();
    fork.answer(183, "one", "v=0 other");
    fork.answer(183, "two", &answer.replace("\r\n", "\n"));
    fork.answer(200, "two", "");
    let [Event::Answered { sdp, .. }] = &fork.peer.events[..] else { panic!("{:?}", fork.peer.events) };
    assert_eq!(sdp.as_deref(), Some(ANSWER));
}

#[test]
fn a_200_after_the_call_was_canceled_and_refused_is_acknowledged_and_ended() {
    let mut fork = Fork::new();
    fork.answer(180, "one", "");
    let call = fork.call;
    fork.peer.act(|endpoint, now| endpoint.hang_up(now, call, None));
    fork.answer(487, "one", "");
    assert_eq!(fork.methods(), ["ACK one"]);
    fork.answer(200, "two", "");
    assert_eq!(fork.methods(), ["ACK two", "BYE two"]);
    fork.answer(200, "two", "");
    assert_eq!(fork.methods(), ["ACK two"]);
}

#[test]
fn a_repeated_200_after_the_call_ended_is_acknowledged_and_nothing_else() {
    let mut fork = Fork::new();
    fork.answer(200, "one", "v=0");
    let call = fork.call;
    fork.peer.sent.clear();
    fork.peer.act(|endpoint, now| endpoint.hang_up(now, call, None));
    let bye = fork.peer.sent_request("BYE").clone();
    let header = |name: &str| bye.headers.get(name).unwrap().to_owned();
    fork.peer.send(&format!(
        "SIP/2.0 200 OK\nVia: {}\nFrom: {}\nTo: {}\nCall-ID: {}\nCSeq: {}\nContent-Length: 0\n\n",
        header("Via"),
        header("From"),
        header("To"),
        header("Call-ID"),
        header("CSeq"),
    ));
    fork.answer(200, "one", "v=0");
    assert_eq!(fork.methods(), ["ACK one"]);
}

#[test]
fn a_refusal_of_one_fork_after_a_200_changes_nothing() {
    let mut fork = Fork::new();
    fork.answer(200, "one", "v=0");
    fork.answer(486, "two", "");
    assert!(fork.peer.sent.is_empty() && fork.peer.events.is_empty());
}

#[test]
fn a_response_with_a_foreign_branch_or_another_method_is_dropped() {
    let mut fork = Fork::new();
    let invite = fork.invite.clone();
    let header = |name: &str| invite.headers.get(name).unwrap().to_owned();
    let with = |via: &str, cseq: &str| {
        format!(
            "SIP/2.0 200 OK\nVia: {via}\nFrom: {}\nTo: {};tag=x\nCall-ID: {}\nCSeq: {cseq}\nContent-Length: 0\n\n",
            header("From"),
            header("To"),
            header("Call-ID")
        )
    };
    let branch = invite.headers.top_branch().unwrap();
    let mut foreign = branch.to_owned();
    foreign.replace_range(20..21, if &branch[20..21] == "0" { "1" } else { "0" });
    for text in
        [with(&header("Via").replace(branch, &foreign), "1 INVITE"), with(&header("Via"), "1 BYE"), with(&header("Via"), "1 CANCEL")]
    {
        fork.peer.send(&text);
        assert!(fork.peer.sent.is_empty() && fork.peer.events.is_empty(), "{text}");
    }
    assert_eq!(invite.method, Method::Invite);
}

#[test]
fn a_callee_whose_200_was_lost_can_end_the_call() {
    let mut fork = Fork::new();
    fork.answer(180, "one", "");
    let invite = fork.invite.clone();
    let header = |name: &str| invite.headers.get(name).unwrap().to_owned();
    fork.peer.send(&format!(
        "BYE sip:x@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=%BRANCH%\nFrom: {};tag=one\nTo: {}\nCall-ID: {}\n\
         CSeq: 9 BYE\nContent-Length: 0\n\n",
        header("To"),
        header("From"),
        header("Call-ID")
    ));
    assert_eq!(fork.peer.responses(), [200]);
    assert!(matches!(&fork.peer.events[..], [Event::Ended { cause, .. }] if cause.kind == CauseKind::RemoteHangUp));
}

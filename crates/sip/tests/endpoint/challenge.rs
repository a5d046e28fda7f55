//! Digest challenges to what we send.

use dreiklang_sip::digest::{Challenger, Credentials, Secret, Verdict};
use dreiklang_sip::event::{CauseKind, Event};
use dreiklang_sip::message::Request;

use crate::network::{ANSWER, Alice, Bob, OFFER, Pair, invite};

fn challenger(pair: &Pair) -> Challenger {
    Challenger::new("carrier", [4; 32], pair.now)
}

fn verdict(challenger: &mut Challenger, pair: &Pair, request: &Request) -> Verdict {
    challenger.verify(pair.now, request, Alice.address().ip(), |user| (user == "trunk").then(|| Secret::Password("secret".into())))
}

#[test]
fn a_challenged_invite_is_sent_again_with_credentials_a_higher_number_and_the_same_call_id() {
    let mut pair = Pair::new();
    let mut challenger = challenger(&pair);
    let mut wish = invite(Some(OFFER));
    wish.credentials = Some(Credentials::new("trunk", "secret"));
    let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, wish));
    pair.settle();
    let Event::Incoming { call, request: first, .. } = pair.event(Bob) else { panic!("no call") };
    assert_eq!(verdict(&mut challenger, &pair, &first), Verdict::Missing);
    let challenges = challenger.challenges(pair.now, Alice.address().ip(), false);
    let extra = challenges.into_iter().map(|value| ("WWW-Authenticate".to_owned(), value)).collect();
    pair.at(Bob, |endpoint, now| endpoint.reject(now, call, 401, "", extra));
    pair.ended(Bob, call);
    pair.settle();
    pair.no_event(Alice);
    let Event::Incoming { call: bob, request: second, .. } = pair.event(Bob) else { panic!("no second INVITE") };
    assert_eq!(verdict(&mut challenger, &pair, &second), Verdict::Accepted { username: "trunk".into() });
    assert_eq!(first.headers.call_id(), second.headers.call_id());
    assert_eq!(first.headers.from_tag(), second.headers.from_tag());
    assert_ne!(first.headers.top_branch(), second.headers.top_branch());
    assert_eq!(second.headers.cseq_number(), Some(2));
    assert_eq!(second.body, OFFER);
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::Answered { .. }));
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    assert_eq!(pair.last(Alice, "BYE").text.matches("CSeq: 3 BYE").count(), 1);
}

#[test]
fn wrong_credentials_are_tried_once() {
    let mut pair = Pair::new();
    let mut challenger = challenger(&pair);
    let mut wish = invite(Some(OFFER));
    wish.credentials = Some(Credentials::new("trunk", "wrong"));
    let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, wish));
    for _ in 0..2 {
        pair.settle();
        let Event::Incoming { call, .. } = pair.event(Bob) else { panic!("no call") };
        let challenges = challenger.challenges(pair.now, Alice.address().ip(), false);
        let extra = challenges.into_iter().map(|value| ("Proxy-Authenticate".to_owned(), value)).collect();
        pair.at(Bob, |endpoint, now| endpoint.reject(now, call, 407, "", extra));
        pair.ended(Bob, call);
    }
    pair.settle();
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.kind, cause.status), (CauseKind::Rejected, Some(407)));
    pair.all_gone();
}

#[test]
fn a_challenge_without_credentials_or_after_hanging_up_is_final() {
    for hang_up in [false, true] {
        let mut pair = Pair::new();
        let mut challenger = challenger(&pair);
        let mut wish = invite(Some(OFFER));
        wish.credentials = hang_up.then(|| Credentials::new("trunk", "secret"));
        let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, wish));
        let bob = pair.incoming();
        if hang_up {
            pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
        }
        let challenges = challenger.challenges(pair.now, Alice.address().ip(), false);
        let extra = challenges.into_iter().map(|value| ("WWW-Authenticate".to_owned(), value)).collect();
        pair.at(Bob, |endpoint, now| endpoint.reject(now, bob, 401, "", extra));
        pair.settle();
        pair.ended(Bob, bob);
        pair.ended(Alice, alice);
        assert_eq!(pair.count(Alice, "INVITE"), 1);
        pair.all_gone();
    }
}

/// What Alice does when her BYE is challenged in this realm, after an INVITE challenged in the realm `carrier`.
fn byes_when_challenged_by(realm: &str) -> usize {
    let mut pair = Pair::new();
    let mut wish = invite(Some(OFFER));
    wish.credentials = Some(Credentials::new("trunk", "secret"));
    let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, wish));
    let first = pair.incoming();
    let challenge =
        |realm: &str| vec![("WWW-Authenticate".to_owned(), format!("Digest realm=\"{realm}\", nonce=\"n\", algorithm=MD5, qop=\"auth\""))];
    pair.at(Bob, |endpoint, now| endpoint.reject(now, first, 401, "", challenge("carrier")));
    pair.ended(Bob, first);
    let second = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.answer(now, second, ANSWER.to_vec()));
    pair.settle();
    pair.clear_log();
    // Bob's next answer, the 200 to BYE, becomes a challenge on the way.
    pair.rewrite(
        Bob,
        match realm {
            "carrier" => |text| {
                text.replacen(
                    "SIP/2.0 200 OK\r\n",
                    "SIP/2.0 401 No\r\nWWW-Authenticate: Digest realm=\"carrier\", nonce=\"n2\", algorithm=MD5\r\n",
                    1,
                )
            },
            _ => |text| {
                text.replacen(
                    "SIP/2.0 200 OK\r\n",
                    "SIP/2.0 401 No\r\nWWW-Authenticate: Digest realm=\"stranger\", nonce=\"n2\", algorithm=MD5\r\n",
                    1,
                )
            },
        },
    );
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    pair.log.iter().filter(|packet| packet.kind == "BYE" && packet.text.contains("Authorization: Digest")).count()
}

#[test]
fn a_bye_answers_the_realm_that_challenged_the_invite_and_no_other() {
    assert_eq!(byes_when_challenged_by("carrier"), 1);
    assert_eq!(byes_when_challenged_by("stranger"), 0);
}

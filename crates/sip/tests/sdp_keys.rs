//! Keys of encrypted audio in offers and answers (RFC 4568).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dreiklang_sip::sdp::{AgreedKeys, Description, Encryption, LocalAudio, MasterKey, Negotiated, NegotiationError, Session, Suite};
use proptest::prelude::*;

/// 30 times `a`, and 30 times `b`.
const A: &str = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh";
const B: &str = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi";

fn local(encryption: Encryption, key: u8) -> LocalAudio {
    let fresh_key = Some(MasterKey::new([key; 30]));
    LocalAudio { encryption, fresh_key, ..LocalAudio::new("198.51.100.7:40000".parse().unwrap()) }
}

fn offer_of(protocol: &str, lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("a=crypto:{line}\r\n")).collect();
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 {protocol} 8 101\r\n{lines}")
}

fn line80(tag: u32, key: &str) -> String {
    format!("{tag} AES_CM_128_HMAC_SHA1_80 inline:{key}")
}

fn answer(session: &mut Session, offer: &str, local: &LocalAudio) -> Result<(String, Negotiated), NegotiationError> {
    let (answer, negotiated) = session.answer(offer.as_bytes(), local)?;
    Ok((String::from_utf8(answer).unwrap(), negotiated))
}

fn keys_of(offer: &str) -> Option<(AgreedKeys, String)> {
    let (answer, negotiated) = answer(&mut Session::new(1), offer, &local(Encryption::Optional, b'b')).ok()?;
    let line = answer.lines().find(|line| line.starts_with("a=crypto:"))?.to_owned();
    Some((negotiated.keys?, line))
}

#[test]
fn an_encrypted_offer_is_answered_with_one_key_of_the_offered_tag() {
    let lines = ["0 AEAD_AES_256_GCM inline:x".to_owned(), format!("1 AES_CM_128_HMAC_SHA1_32 inline:{A}|2^31"), line80(2, A)];
    let (keys, line) = keys_of(&offer_of("RTP/SAVP", &lines)).unwrap();
    assert_eq!((keys.suite, keys.send.bytes(), keys.receive.bytes()), (Suite::Tag80, [b'b'; 30], [b'a'; 30]));
    assert_eq!(line, format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{B}"));
    let (answer, _) = answer(&mut Session::new(1), &offer_of("RTP/SAVP", &lines), &local(Encryption::Optional, b'b')).unwrap();
    assert!(answer.contains("m=audio 40000 RTP/SAVP 8\r\n"));
    assert_eq!(answer.matches("a=crypto").count(), 1);
}

#[test]
fn lines_are_read_leniently() {
    let used = |rest: &str| keys_of(&offer_of("RTP/SAVP", &[rest.to_owned()])).map(|(keys, _)| (keys.suite, keys.mki_bytes));
    let plain = Some((Suite::Tag80, 0));
    assert_eq!(used(&line80(0, A)), plain);
    assert_eq!(used(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}=|2^48")), plain, "padding and a lifetime");
    assert_eq!(used(&format!("1 aes_cm_128_hmac_sha1_80  INLINE:{A}|1048576 WSH=128")), plain);
    assert_eq!(used(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}|2^31|1:1")), Some((Suite::Tag80, 1)));
    assert_eq!(used(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}|1:4;inline:{B}|2:4 -X")), Some((Suite::Tag80, 4)));
    assert_eq!(used(&format!("1 AES_CM_128_HMAC_SHA1_32 inline:{A}")), Some((Suite::Tag32, 0)));
    for parameter in ["UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP", "KDR=0", "FEC_ORDER=FEC_SRTP", "FEC_KEY=x"] {
        assert_eq!(used(&format!("{} {parameter}", line80(1, A))), None, "{parameter}");
    }
    for broken in ["", "1", "x AES_CM_128_HMAC_SHA1_80 inline:", "1 AES_CM_128_HMAC_SHA1_80 inline:YWFh", "1 F8_128_HMAC_SHA1_80 inline:x"]
    {
        assert_eq!(used(broken), None, "{broken}");
    }
    assert_eq!(used(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}|1:0")), None, "a name of no bytes");
    assert_eq!(used(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}|1:999")), None, "a name longer than a packet");
}

#[test]
fn a_key_without_a_name_is_preferred() {
    let lines = [format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}|2^31|1:1"), line80(2, B)];
    let (keys, line) = keys_of(&offer_of("RTP/SAVP", &lines)).unwrap();
    assert_eq!((keys.mki_bytes, keys.receive.bytes()), (0, [b'b'; 30]));
    assert!(line.starts_with("a=crypto:2 "));
}

#[test]
fn what_is_accepted_depends_on_the_setting() {
    let (secure, plain) = (offer_of("RTP/SAVP", &[line80(1, A)]), offer_of("RTP/AVP", &[]));
    let best_effort = offer_of("RTP/AVP", &[line80(1, A)]);
    let unusable = offer_of("RTP/SAVP", &["1 AEAD_AES_256_GCM inline:x".to_owned()]);
    let handshake = offer_of("UDP/TLS/RTP/SAVP", &[]);
    let both = offer_of("UDP/TLS/RTP/SAVP", &[line80(1, A)]);
    let result = |offer: &str, encryption| {
        let outcome = answer(&mut Session::new(1), offer, &local(encryption, b'b'));
        outcome.map(|(answer, negotiated)| {
            assert_eq!(negotiated.keys.is_some(), answer.contains("a=crypto:1 "));
            negotiated.keys.is_some()
        })
    };
    let (never, optional, required) = (Encryption::Never, Encryption::Optional, Encryption::Required);
    assert_eq!(result(&plain, never), Ok(false));
    assert_eq!(result(&plain, optional), Ok(false));
    assert_eq!(result(&plain, required), Err(NegotiationError::NotEncrypted));
    assert_eq!(result(&best_effort, never), Ok(false));
    assert_eq!(result(&best_effort, optional), Ok(true));
    assert_eq!(result(&best_effort, required), Ok(true));
    assert_eq!(result(&secure, never), Err(NegotiationError::EncryptionOff));
    assert_eq!(result(&secure, optional), Ok(true));
    assert_eq!(result(&secure, required), Ok(true));
    for encryption in [optional, required] {
        assert_eq!(result(&both, encryption), Ok(true));
        assert_eq!(result(&handshake, encryption), Err(NegotiationError::Transport("UDP/TLS/RTP/SAVP".to_owned())));
        let error = result(&unusable, encryption).unwrap_err();
        assert_eq!(error.status(), 488);
        assert!(error.warning("us").contains("offered: AEAD_AES_256_GCM\""), "{error}");
    }
    let keyless = LocalAudio { fresh_key: None, ..local(required, 0) };
    assert!(answer(&mut Session::new(1), &plain, &keyless).is_err(), "rather none than one that is not encrypted");
}

#[test]
fn only_who_must_offers_encrypted_audio() {
    for encryption in [Encryption::Never, Encryption::Optional] {
        let offer = String::from_utf8(Session::new(1).offer(&local(encryption, b'a'))).unwrap();
        assert!(offer.contains(" RTP/AVP ") && !offer.contains("crypto"));
    }
    let mut caller = Session::new(1);
    let offer = String::from_utf8(caller.offer(&local(Encryption::Required, b'a'))).unwrap();
    assert!(offer.contains("m=audio 40000 RTP/SAVP 8 0 101\r\n"));
    assert_eq!(offer.matches(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{A}\r\n")).count(), 1);
    let (answer, at_callee) = answer(&mut Session::new(2), &offer, &local(Encryption::Optional, b'b')).unwrap();
    let at_caller = caller.read_answer(answer.as_bytes()).unwrap().keys.unwrap();
    let at_callee = at_callee.keys.unwrap();
    assert_eq!((at_caller.send, at_caller.receive), (at_callee.receive, at_callee.send));
    assert_ne!(at_caller.send, at_caller.receive);
}

#[test]
fn an_answer_without_our_suite_is_no_answer() {
    let mut caller = Session::new(1);
    let required = local(Encryption::Required, b'a');
    caller.offer(&required);
    let read = |caller: &mut Session, protocol: &str, lines: &[String]| {
        caller.read_answer(offer_of(protocol, lines).as_bytes()).map(|agreed| agreed.keys)
    };
    assert_eq!(read(&mut caller, "RTP/AVP", &[]), Err(NegotiationError::NoUsableKey("none".to_owned())));
    let short = format!("1 AES_CM_128_HMAC_SHA1_32 inline:{B}");
    assert_eq!(
        read(&mut caller, "RTP/SAVP", std::slice::from_ref(&short)),
        Err(NegotiationError::NoUsableKey("AES_CM_128_HMAC_SHA1_32".to_owned()))
    );
    // Microsoft's answers may have two lines, and other tags than the offer.
    let keys = read(&mut caller, "RTP/SAVP", &[short, line80(7, B)]).unwrap().unwrap();
    assert_eq!((keys.suite, keys.receive.bytes()), (Suite::Tag80, [b'b'; 30]));
}

#[test]
fn keys_stay_while_the_peer_keeps_its_own() {
    let mut session = Session::new(1);
    let first = answer(&mut session, &offer_of("RTP/SAVP", &[line80(1, A)]), &local(Encryption::Optional, 1)).unwrap();
    let again = answer(&mut session, &offer_of("RTP/SAVP", &[line80(1, A)]), &local(Encryption::Optional, 2)).unwrap();
    assert_eq!(first, again, "a refresh is the same byte by byte");
    let offer = String::from_utf8(session.offer(&local(Encryption::Optional, 3))).unwrap();
    assert!(offer.contains(" RTP/SAVP ") && offer.contains(first.0.lines().find(|line| line.starts_with("a=crypto")).unwrap()));
    let rekeyed = answer(&mut session, &offer_of("RTP/SAVP", &[line80(1, B)]), &local(Encryption::Optional, 4)).unwrap();
    let (before, after) = (first.1.keys.unwrap(), rekeyed.1.keys.unwrap());
    assert_eq!((before.send.bytes(), after.send.bytes(), after.receive.bytes()), ([1; 30], [4; 30], [b'b'; 30]));
    let plain = answer(&mut session, &offer_of("RTP/AVP", &[]), &local(Encryption::Optional, 5)).unwrap();
    assert_eq!(plain.1.keys, None);
    let offer = String::from_utf8(session.offer(&local(Encryption::Optional, 6))).unwrap();
    assert!(!offer.contains("crypto") && offer.contains(" RTP/AVP "));
}

#[test]
fn an_offer_that_nobody_answered_is_not_made_to_the_next_with_the_same_key() {
    let mut session = Session::new(1);
    let first = session.offer(&local(Encryption::Required, 1));
    let second = session.offer(&local(Encryption::Required, 2));
    let key = |offer: &[u8]| Description::parse(offer).unwrap().media[0].cryptos().next().unwrap().key.to_owned();
    assert_ne!(key(&first), key(&second));
}

#[test]
fn no_key_is_shown_in_debug_output_and_errors() {
    let offer = offer_of("RTP/SAVP", &[line80(1, A)]);
    let description = Description::parse(offer.as_bytes()).unwrap();
    let mut session = Session::new(1);
    let (_, negotiated) = answer(&mut session, &offer, &local(Encryption::Optional, b'b')).unwrap();
    session.offer(&local(Encryption::Optional, b'b'));
    let line = format!("{:?}", description.media[0].cryptos().next().unwrap());
    let shown = format!("{description:?} {line} {session:?} {negotiated:?} {:?}", local(Encryption::Optional, b'b'));
    let bytes = |byte: u8| format!("{byte}, {byte}, {byte}");
    for secret in [A.to_owned(), B.to_owned(), bytes(b'a'), bytes(b'b'), "bbbbbb".to_owned()] {
        assert!(!shown.contains(&secret), "{shown}");
    }
    let confused = offer_of("RTP/SAVP", &[format!("1 inline:{A} AES_CM_128_HMAC_SHA1_80"), format!("1 {A} x")]);
    let error = answer(&mut Session::new(1), &confused, &local(Encryption::Optional, b'b')).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(A), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_crypto_line_is_used_or_refused_without_a_panic(
        text in prop_oneof![
            "\\PC{0,80}",
            "[0-9]{0,12}[ \\t]{0,2}AES_CM_128_HMAC_SHA1_(80|32)[ \\t]{0,2}inline:[A-Za-z0-9+/=]{0,50}(\\|[0-9:^]{0,8}){0,3}(;inline:)?( [A-Z_=0-9-]{0,12}){0,3}",
        ],
        protocol in prop_oneof![Just("RTP/SAVP"), Just("RTP/AVP"), Just("UDP/TLS/RTP/SAVPF")],
    ) {
        let offer = offer_of(protocol, &[text.replace(['\r', '\n'], "")]);
        for encryption in [Encryption::Never, Encryption::Optional, Encryption::Required] {
            let mut session = Session::new(1);
            if let Ok((answer, negotiated)) = session.answer(offer.as_bytes(), &local(encryption, 9)) {
                let answer = Description::parse(&answer).unwrap();
                prop_assert_eq!(negotiated.keys.is_some(), answer.media[0].cryptos().count() == 1);
            }
            session.offer(&local(encryption, 9));
            let _ = session.read_answer(offer.as_bytes());
        }
    }

    #[test]
    fn one_changed_byte_never_panics(at in 0usize..120, byte: u8) {
        let mut line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{A}|2^31|1:1 UNENCRYPTED_SRTCP WSH=64").into_bytes();
        let at = at % line.len();
        line[at] = byte;
        let offer = offer_of("RTP/SAVP", &[String::from_utf8_lossy(&line).into_owned()]);
        let _ = answer(&mut Session::new(1), &offer, &local(Encryption::Optional, 9));
    }
}

//! Session descriptions of real peers, and the offer/answer exchange.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dreiklang_sip::sdp::{AudioCodec, Description, Direction, LocalAudio, NegotiationError, SdpError, Session};
use proptest::prelude::*;

fn local() -> LocalAudio {
    LocalAudio::new("198.51.100.7:40000".parse().unwrap())
}

fn offer_of(audio_lines: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{audio_lines}")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn version(bytes: &[u8]) -> u64 {
    text(bytes).lines().find(|line| line.starts_with("o=")).unwrap().split(' ').nth(2).unwrap().parse().unwrap()
}

/// Shaped like the descriptions of Teams: mixed dynamic types, key tag 0, two suites, lifetimes, key ids, rtcp equal to rtp.
const TEAMS: &str = "v=0\r\no=- 60000 0 IN IP4 127.0.0.1\r\ns=session\r\nc=IN IP4 52.112.1.2\r\nb=CT:10000000\r\nt=0 0\r\n\
    m=audio 52884 RTP/SAVP 111 103 104 9 0 8 106 13 110 112 113 101\r\na=rtcp:52884\r\na=label:main-audio\r\na=mid:1\r\n\
    a=rtpmap:111 SIREN/16000\r\na=fmtp:111 bitrate=16000\r\na=rtpmap:103 SILK/8000\r\na=rtpmap:104 SILK/16000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
    a=crypto:0 AES_CM_128_HMAC_SHA1_32 inline:dGhpcyBpcyBub3QgYSByZWFsIGtleSBhdCBhbGwh|2^31\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:bm9yIGlzIHRoaXMgb25lLCBub3QgYXQgYWxsLi4u|2^31|1:1 UNENCRYPTED_SRTCP\r\n\
    a=ptime:20\r\na=maxptime:200\r\na=rtcp-mux\r\n";

#[test]
fn a_description_of_teams_is_read_with_all_its_keys() {
    let description = Description::parse(TEAMS.as_bytes()).unwrap();
    let audio = &description.media[0];
    assert_eq!((audio.port, audio.protocol.as_str()), (52884, "RTP/SAVP"));
    let cryptos: Vec<_> = audio.cryptos().collect();
    assert_eq!(cryptos.len(), 2);
    assert_eq!((cryptos[0].tag, cryptos[0].suite, cryptos[0].lifetime, cryptos[0].mki), (0, "AES_CM_128_HMAC_SHA1_32", Some("2^31"), None));
    assert_eq!((cryptos[1].tag, cryptos[1].mki, cryptos[1].session), (1, Some("1:1"), "UNENCRYPTED_SRTCP"));
    assert_eq!(cryptos[1].key, "bm9yIGlzIHRoaXMgb25lLCBub3QgYXQgYWxsLi4u");
    assert_eq!(audio.telephone_event(8000), Some(101));
    assert_eq!(audio.rtcp(), Some((52884, None)));
    assert!(audio.has_rtcp_mux());
    assert_eq!(audio.ptime_ms(), Some(20));
    let names: Vec<_> = audio.rtp_maps().into_iter().map(|map| map.name).collect();
    assert_eq!(names, ["SIREN", "SILK", "SILK", "G722", "PCMU", "PCMA", "CN", "telephone-event"]);
    assert_eq!(description.to_string(), TEAMS);
}

#[test]
fn line_ends_missing_lines_and_unknown_lines_are_tolerated() {
    let description =
        Description::parse(b"m=audio 4000/2 RTP/AVP 0\ni=title\nc=IN IP6 [2001:db8::1]\nx=?\nnonsense\na= ptime:30\n").unwrap();
    let audio = &description.media[0];
    assert_eq!((audio.port, audio.port_count), (4000, Some(2)));
    assert_eq!(description.connection_of(audio).unwrap().ip(), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(audio.ptime_ms(), Some(30));
}

#[test]
fn what_cannot_be_mirrored_is_refused_with_its_line() {
    assert_eq!(
        Description::parse(b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n"),
        Err(SdpError::Line { line: 2, problem: "port is not a number up to 65535" })
    );
    assert_eq!(Description::parse(b"hello"), Err(SdpError::NotSdp));
    assert_eq!(Description::parse(&[b'x'; 40_000]), Err(SdpError::TooLarge("session description")));
    assert_eq!(Description::parse("m=audio 1 RTP/AVP 0\r\n".repeat(21).as_bytes()), Err(SdpError::TooLarge("number of media")));
}

#[test]
fn an_offer_is_answered_with_the_codec_that_we_like_best() {
    let offer =
        offer_of("m=audio 49170 RTP/AVP 18 0 97 100\r\na=rtpmap:97 pcma/8000/1\r\na=rtpmap:100 telephone-event/8000\r\na=ptime:30\r\n");
    let (answer, negotiated) = Session::new(7).answer(offer.as_bytes(), &local()).unwrap();
    assert_eq!(negotiated.codec.name, AudioCodec::Pcma);
    assert_eq!((negotiated.codec.payload_type, negotiated.dtmf, negotiated.ptime_ms), (97, Some(100), 30));
    assert_eq!(negotiated.remote_rtp, "192.0.2.1:49170".parse().unwrap());
    assert_eq!(negotiated.remote_rtcp, "192.0.2.1:49171".parse().unwrap());
    assert_eq!(
        text(&answer),
        "v=0\r\no=- 7 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 97 100\r\n\
         a=rtpmap:97 PCMA/8000\r\na=rtpmap:100 telephone-event/8000\r\na=fmtp:100 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn other_media_are_refused_in_their_place() {
    let offer = offer_of(
        "m=video 5000 RTP/AVP 31 32\r\nm=audio 0 RTP/AVP 0\r\nm=audio 6000 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\n",
    );
    let mut session = Session::new(1);
    let (answer, negotiated) = session.answer(offer.as_bytes(), &local()).unwrap();
    assert_eq!(negotiated.remote_rtp.port(), 4000);
    let answer = Description::parse(&answer).unwrap();
    let lines: Vec<_> = answer.media.iter().map(|media| (media.kind.as_str(), media.port, media.protocol.as_str())).collect();
    assert_eq!(
        lines,
        [("video", 0, "RTP/AVP"), ("audio", 0, "RTP/AVP"), ("audio", 0, "RTP/SAVP"), ("audio", 40000, "RTP/AVP"), ("audio", 0, "RTP/AVP")]
    );
    assert_eq!(answer.media[0].formats, ["31", "32"]);
    // RFC 3264 §8: our own later offer keeps the order.
    let offer = Description::parse(&session.offer(&local())).unwrap();
    assert_eq!(offer.media.iter().map(|media| media.port).collect::<Vec<_>>(), [0, 0, 0, 40000, 0]);
}

#[test]
fn directions_are_complemented() {
    let cases = [
        ("", Direction::SendRecv, "sendrecv"),
        ("a=sendonly\r\n", Direction::RecvOnly, "recvonly"),
        ("a=recvonly\r\n", Direction::SendOnly, "sendonly"),
        ("a=inactive\r\n", Direction::Inactive, "inactive"),
        ("c=IN IP4 0.0.0.0\r\n", Direction::RecvOnly, "recvonly"),
    ];
    for (line, direction, word) in cases {
        let offer = offer_of(&format!("m=audio 4000 RTP/AVP 0\r\n{line}"));
        let (answer, negotiated) = Session::new(1).answer(offer.as_bytes(), &local()).unwrap();
        assert_eq!(negotiated.direction, direction, "{line}");
        assert!(text(&answer).ends_with(&format!("a={word}\r\n")), "{line}");
    }
    let offer = offer_of("a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n");
    assert_eq!(Session::new(1).answer(offer.as_bytes(), &local()).unwrap().1.direction, Direction::RecvOnly);
    let held = local().with_direction(Direction::SendOnly);
    let offer = offer_of("m=audio 4000 RTP/AVP 0\r\n");
    assert_eq!(Session::new(1).answer(offer.as_bytes(), &held).unwrap().1.direction, Direction::SendOnly);
    let offer = offer_of("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n");
    assert_eq!(Session::new(1).answer(offer.as_bytes(), &held).unwrap().1.direction, Direction::Inactive);
}

#[test]
fn our_offer_is_understood_by_our_answer_and_back() {
    let mut caller = Session::new(1);
    let mut callee = Session::new(2);
    let callee_audio = LocalAudio {
        codecs: vec![AudioCodec::Pcmu, AudioCodec::Pcma],
        rtcp_mux: true,
        ..LocalAudio::new("203.0.113.9:50000".parse().unwrap())
    };
    let caller_audio = LocalAudio { rtcp_mux: true, ..local() };
    let offer = caller.offer(&caller_audio);
    assert!(text(&offer).contains("m=audio 40000 RTP/AVP 8 0 101\r\n"));
    let (answer, at_callee) = callee.answer(&offer, &callee_audio).unwrap();
    let at_caller = caller.read_answer(&answer).unwrap();
    assert_eq!(at_callee.codec, at_caller.codec);
    assert_eq!(at_caller.codec.name, AudioCodec::Pcmu);
    assert_eq!((at_caller.remote_rtp, at_caller.remote_rtcp), (callee_audio.rtp, callee_audio.rtp));
    assert!(at_caller.rtcp_mux && at_callee.rtcp_mux);
    assert_eq!((at_caller.dtmf, at_callee.receive_dtmf), (Some(101), Some(101)));
    // The 200 repeats the answer of a 183.
    assert_eq!(caller.read_answer(&answer), Ok(at_caller));
}

#[test]
fn the_version_grows_only_with_a_change_and_a_refresh_is_byte_identical() {
    let mut session = Session::new(9);
    let first = session.offer(&local());
    assert_eq!(session.offer(&local()), first);
    assert_eq!(session.current(), Some(first.as_slice()));
    let hold = session.offer(&local().with_direction(Direction::SendOnly));
    assert_eq!(version(&hold), version(&first) + 1);
    let resumed = session.offer(&local());
    assert_eq!(version(&resumed), version(&first) + 2);
    let offer = offer_of("m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    let (answer, _) = session.answer(offer.as_bytes(), &local()).unwrap();
    assert_eq!(version(&answer), version(&first) + 3);
    assert_eq!(session.answer(offer.as_bytes(), &local()).unwrap().0, answer);
}

#[test]
fn a_refused_offer_leaves_the_earlier_description_in_force() {
    let mut session = Session::new(9);
    let first = session.offer(&local());
    let answer = offer_of("m=audio 4000 RTP/AVP 8\r\n");
    session.read_answer(answer.as_bytes()).unwrap();
    let hold = session.offer(&local().with_direction(Direction::Inactive));
    session.offer_refused();
    assert_eq!(session.current(), Some(first.as_slice()));
    assert_eq!(session.offer(&local()), first);
    assert!(version(&session.offer(&local().with_direction(Direction::Inactive))) > version(&hold));
}

#[test]
fn an_answer_decides_payload_types_and_may_refuse() {
    let mut session = Session::new(1);
    assert_eq!(session.read_answer(b"v=0\r\n"), Err(NegotiationError::NoOffer));
    session.offer(&local());
    let answer = |lines: &str| offer_of(lines).into_bytes();
    assert_eq!(session.read_answer(&answer("m=audio 0 RTP/AVP 0\r\n")), Err(NegotiationError::Refused));
    assert_eq!(session.read_answer(&answer("")), Err(NegotiationError::MediaMismatch));
    assert!(matches!(session.read_answer(&answer("m=audio 4 RTP/AVP 18\r\n")), Err(NegotiationError::NoCommonCodec(_))));
    let renumbered = session
        .read_answer(&answer(
            "m=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 PCMU/8000\r\na=rtpmap:97 telephone-event/8000\r\na=rtcp:4009 IN IP4 192.0.2.77\r\n",
        ))
        .unwrap();
    assert_eq!((renumbered.codec.payload_type, renumbered.receive_payload_type), (96, 0));
    assert_eq!((renumbered.dtmf, renumbered.receive_dtmf), (Some(97), Some(101)));
    assert_eq!(renumbered.remote_rtcp, "192.0.2.77:4009".parse().unwrap());
}

#[test]
fn a_payload_type_keeps_its_meaning_in_later_offers() {
    let mut session = Session::new(1);
    session.answer(offer_of("m=audio 4000 RTP/AVP 8 99\r\na=rtpmap:99 telephone-event/8000\r\n").as_bytes(), &local()).unwrap();
    assert!(text(&session.offer(&local())).contains("m=audio 40000 RTP/AVP 8 0 99\r\n"));
}

#[test]
fn ipv6_is_negotiated_and_families_are_not_mixed() {
    let six = LocalAudio::new("[2001:db8::7]:40000".parse().unwrap());
    let offer = "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let (answer, negotiated) = Session::new(1).answer(offer.as_bytes(), &six).unwrap();
    assert_eq!(negotiated.remote_rtp, "[2001:db8::1]:4000".parse().unwrap());
    assert!(text(&answer).contains("c=IN IP6 2001:db8::7\r\n"));
    assert!(matches!(Session::new(1).answer(offer.as_bytes(), &local()), Err(NegotiationError::Address(_))));
}

#[test]
fn a_refusal_says_why() {
    let cases = [
        ("m=video 4000 RTP/AVP 31\r\n", 304),
        ("m=audio 4000 RTP/SAVP 0\r\n", 302),
        ("m=audio 4000 RTP/AVP 18\r\n", 305),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n", 301),
    ];
    for (lines, code) in cases {
        let error = Session::new(1).answer(offer_of(lines).as_bytes(), &local()).unwrap_err();
        assert_eq!(error.status(), 488);
        assert!(error.warning("pbx.example.com").starts_with(&format!("{code} pbx.example.com \"")), "{error}");
    }
    let error = Session::new(1).answer(b"m=audio x", &local()).unwrap_err();
    assert_eq!(error.status(), 400);
    let error = Session::new(1).answer(offer_of("m=audio 4000 \"evil\\ 0\r\n").as_bytes(), &local()).unwrap_err();
    assert_eq!(error.warning("h").matches('"').count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "([vosctabm]=[ -~]{0,40}(\r\n|\n)|\\PC{0,20}\n){0,12}") {
        if let Ok(description) = Description::parse(text.as_bytes()) {
            for media in &description.media {
                let _ = (media.rtp_maps(), media.cryptos().count(), media.rtcp(), media.ptime_ms(), media.telephone_event(8000));
            }
            let again = Description::parse(&description.to_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(again.to_string(), description.to_string());
        }
    }

    #[test]
    fn a_mutated_description_never_panics_in_negotiation(at in 0..TEAMS.len(), byte in any::<u8>()) {
        let mut bytes = TEAMS.replace("SAVP", "AVP").into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let mut session = Session::new(1);
        if let Ok((answer, negotiated)) = session.answer(&bytes, &local()) {
            prop_assert!(negotiated.codec.payload_type < 128);
            let mirrored = Description::parse(&answer).unwrap();
            prop_assert_eq!(mirrored.media.len(), Description::parse(&bytes).unwrap().media.len());
        }
        session.offer(&local());
        let _ = session.read_answer(&bytes);
    }
}

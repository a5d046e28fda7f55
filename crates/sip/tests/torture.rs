//! The messages of RFC 4475 and RFC 5118 against the parser.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use dreiklang_sip::message::{Headers, Message, Method, Request, Response, Scheme, StreamDecoder, StreamItem, parse_datagram};

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn read(name: &str) -> Vec<u8> {
    let folder = if name.ends_with(".dat") { "rfc4475" } else { "rfc5118-crlf" };
    fs::read(data().join(folder).join(name)).unwrap()
}

fn request(name: &str) -> Request {
    match parse_datagram(&read(name)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{name}: {other:?}"),
    }
}

fn response(name: &str) -> Response {
    match parse_datagram(&read(name)) {
        Ok(Message::Response(response)) => response,
        other => panic!("{name}: {other:?}"),
    }
}

/// File name and verdict of every message.
fn expectations() -> Vec<(String, String)> {
    let table = fs::read_to_string(data().join("expectations.tsv")).unwrap();
    let rows: Vec<(String, String)> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            (columns[0].to_owned(), columns[3].to_owned())
        })
        .collect();
    assert_eq!(rows.len(), 62);
    rows
}

#[test]
fn every_torture_message_gets_its_verdict() {
    let mut wrong = Vec::new();
    for (name, expected) in expectations() {
        let verdict = match parse_datagram(&read(&name)) {
            Ok(_) => "accept".to_owned(),
            Err(malformed) => malformed.answerable.map_or("drop".to_owned(), |response| response.status.to_string()),
        };
        if verdict != expected {
            wrong.push(format!("{name}: {verdict}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_accepted_survives_printing() {
    for (name, _) in expectations().into_iter().filter(|(_, verdict)| verdict == "accept") {
        let first = parse_datagram(&read(&name)).unwrap();
        let second = parse_datagram(&first.to_bytes()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn messages_with_bare_line_feeds_are_refused_without_an_answer() {
    for entry in fs::read_dir(data().join("rfc5118")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let malformed = parse_datagram(&bytes).unwrap_err();
        assert!(malformed.answerable.is_none(), "{malformed:?}");
    }
}

#[test]
fn an_answer_to_a_malformed_request_finds_its_way_back() {
    for (name, verdict) in expectations().into_iter().filter(|(_, verdict)| verdict == "400" || verdict == "505") {
        let answer = parse_datagram(&read(&name)).unwrap_err().answerable.unwrap();
        assert_eq!(answer.status.to_string(), verdict, "{name}");
        assert!(answer.headers.contains("Via"), "{name}");
        assert!(answer.headers.get("To").is_none_or(|to| to.contains(";tag=")), "{name}: {answer:?}");
    }
}

#[test]
fn wsinv_is_understood_through_its_white_space() {
    let invite = request("wsinv.dat");
    assert_eq!(invite.method, Method::Invite);
    assert_eq!(invite.headers.to_tag(), Some("1918181833n"));
    assert_eq!(invite.headers.from_tag(), Some("98asjd8"));
    assert_eq!(invite.headers.from().unwrap().display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(invite.headers.max_forwards(), Ok(Some(68)));
    assert_eq!(invite.headers.cseq_number(), Some(9));
    let vias: Vec<_> = invite.headers.vias().map(Result::unwrap).collect();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[0].branch(), Some("390skdjuw"));
    assert_eq!(vias[1].sent_by_host.as_str(), "spindle.example.com");
    assert_eq!(vias[1].transport, "TCP");
    assert_eq!(invite.headers.get("newfangledheader"), Some("newfangled value continued newfangled value"));
    assert_eq!(invite.headers.get("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));
    assert_eq!(invite.headers.content_type().as_deref(), Some("application/sdp"));
    assert_eq!(invite.headers.routes().count(), 1);
    let contact = invite.headers.contact().unwrap();
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.params.get("newparam"), Some("newvalue"));
    assert_eq!(contact.params.get("secondparam"), Some(""));
}

#[test]
fn unknown_methods_and_strange_quoted_strings_are_kept() {
    let request = request("intmeth.dat");
    assert_eq!(request.method, Method::Other("!interesting-Method0123456789_*+`.%indeed'~".into()));
    assert_eq!(request.headers.cseq().unwrap().method, request.method);
    let display = request.headers.to().unwrap().display.unwrap();
    assert!(display.contains('\0') && display.contains('\u{7}') && display.contains('\u{7f}'), "{display:?}");
}

#[test]
fn escaped_characters_compare_equal_and_do_not_cut_names_short() {
    let invite = request("esc01.dat");
    assert_eq!(invite.uri.user_unescaped().as_deref(), Some("sips:user@example.com"));
    let register = request("escnull.dat");
    let contacts: Vec<_> = register.headers.contacts().map(|contact| contact.unwrap().uri).collect();
    assert_eq!(contacts.len(), 2);
    assert!(!contacts[0].same_as(&contacts[1]));
    assert_eq!(contacts[0].user.as_deref(), Some("%00"));
}

#[test]
fn parameters_belong_where_they_are_written() {
    let options = request("semiuri.dat");
    assert_eq!(options.uri.user.as_deref(), Some("user;par=u%40example.net"));
    assert!(options.uri.params.is_empty());
    let outside = request("cparam01.dat").headers.contact().unwrap();
    assert!(outside.uri.params.is_empty() && outside.params.contains("unknownparam"));
    let inside = request("cparam02.dat").headers.contact().unwrap();
    assert!(inside.uri.params.contains("unknownparam") && inside.params.is_empty());
    let bound = request("regescrt.dat").headers.contact().unwrap();
    assert_eq!(bound.uri.headers.as_deref(), Some("Route=%3Csip:sip.example.com%3E"));
}

#[test]
fn headers_of_the_request_uri_are_not_obeyed() {
    let invite = request("escruri.dat");
    assert_eq!(invite.uri.headers.as_deref(), Some("Route=%3Csip:example.com%3E"));
    assert_eq!(invite.headers.routes().count(), 0);
}

#[test]
fn unknown_schemes_reach_the_endpoint() {
    assert_eq!(request("unkscm.dat").uri.scheme, Scheme::Other("nobodyknowsthisscheme".into()));
    assert_eq!(request("novelsc.dat").uri.scheme, Scheme::Other("soap.beep".into()));
}

#[test]
fn binary_bodies_and_foreign_reasons_are_kept() {
    assert!(request("mpart01.dat").body.contains(&0));
    assert!(response("unreason.dat").reason.contains('\u{442}'));
    assert_eq!(response("noreason.dat").reason, "");
}

#[test]
fn a_second_request_in_a_datagram_is_ignored_but_follows_on_a_stream() {
    let bytes = read("dblreq.dat");
    assert_eq!(request("dblreq.dat").method, Method::Register);
    let mut decoder = StreamDecoder::new();
    decoder.feed(&bytes);
    // The announced length leaves a few octets behind the second body, which are no message.
    let methods: Vec<Method> = std::iter::from_fn(|| decoder.next())
        .map_while(Result::ok)
        .filter_map(|item| match item {
            StreamItem::Message(Message::Request(request)) => Some(request.method),
            _ => None,
        })
        .collect();
    assert_eq!(methods, [Method::Register, Method::Invite]);
}

#[test]
fn a_stream_waits_for_a_body_and_gives_up_on_contradictory_lengths() {
    let mut decoder = StreamDecoder::new();
    decoder.feed(&read("clerr.dat"));
    assert!(decoder.next().is_none());
    assert!(decoder.is_mid_message());
    for name in ["ncl.dat", "mcl01.dat"] {
        let mut decoder = StreamDecoder::new();
        decoder.feed(&read(name));
        let malformed = decoder.next().unwrap().unwrap_err();
        assert!(malformed.framing_lost, "{name}");
        assert_eq!(malformed.answerable.unwrap().status, 400);
        assert!(decoder.next().is_none());
    }
}

#[test]
fn ipv6_addresses_are_read_in_every_place() {
    assert_eq!(request("port-ambiguous").uri.port, None);
    assert_eq!(request("port-ambiguous").uri.host.ip(), Some("2001:db8::10:5070".parse().unwrap()));
    assert_eq!(request("port-unambiguous").uri.port, Some(5070));
    let received = Some("2001:db8::9:255".parse().unwrap());
    assert_eq!(request("via-received-param-with-delim").headers.top_via().unwrap().received(), received);
    assert_eq!(request("via-received-param-no-delim").headers.top_via().unwrap().received(), received);
    let hosts = |headers: &Headers| headers.vias().map(|via| via.unwrap().sent_by_host.ip().unwrap().is_ipv6()).collect::<Vec<_>>();
    assert_eq!(hosts(&request("mult-ip-in-header").headers), [true, false, true]);
}

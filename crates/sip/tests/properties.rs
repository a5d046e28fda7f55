//! What holds for every message: printing gives back what was read, and nothing makes the parser panic.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use dreiklang_sip::message::{Headers, Message, Method, NameAddr, Request, Response, StreamDecoder, StreamItem, Uri, Via, parse_datagram};
use proptest::collection::vec;
use proptest::prelude::*;

/// All torture messages, as seeds for mutation.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<PathBuf> = ["rfc4475", "rfc5118", "rfc5118-crlf"]
        .iter()
        .flat_map(|folder| fs::read_dir(data.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
});

/// Calls everything that reads a header, so that a panic anywhere shows.
fn touch(headers: &Headers) {
    let _ = (headers.top_via(), headers.top_branch(), headers.from(), headers.to(), headers.from_tag(), headers.to_tag());
    let _ = (headers.call_id(), headers.cseq(), headers.cseq_number(), headers.contact(), headers.is_contact_wildcard());
    let _ = (headers.max_forwards(), headers.expires_s(), headers.retry_after_s(), headers.session_expires_s(), headers.content_type());
    let _ =
        (headers.vias().count(), headers.contacts().count(), headers.routes().count(), headers.record_routes().count(), headers.allow());
    for (name, _) in headers.iter() {
        let _ = (headers.get(name), headers.values(name).count());
    }
}

fn check(bytes: &[u8]) {
    match parse_datagram(bytes) {
        Ok(message) => {
            touch(message.headers());
            if let Message::Request(request) = &message {
                let answer = Response::to_request(request, 500, "");
                assert!(matches!(parse_datagram(&answer.to_bytes()), Ok(Message::Response(_))), "{answer:?}");
                assert!(request.uri.same_as(&request.uri.clone()));
            }
            assert_eq!(parse_datagram(&message.to_bytes()), Ok(message));
        }
        Err(malformed) => {
            if let Some(answer) = malformed.answerable {
                touch(&answer.headers);
                assert!(answer.to_bytes().starts_with(b"SIP/2.0 "));
            }
        }
    }
}

/// Items of a stream cut at the given places, keep-alives left out because their halves count differently.
fn decode(bytes: &[u8], cuts: &[usize]) -> Vec<Result<StreamItem, String>> {
    let mut decoder = StreamDecoder::new();
    let mut items = Vec::new();
    let mut at = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        let cut = cut.clamp(at, bytes.len());
        decoder.feed(&bytes[at..cut]);
        at = cut;
        while let Some(item) = decoder.next() {
            match item {
                Ok(StreamItem::Message(message)) => items.push(Ok(StreamItem::Message(message))),
                Ok(_) => {}
                Err(malformed) => items.push(Err(malformed.error.to_string())),
            }
        }
    }
    items
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,12}"
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9][a-z0-9.-]{0,20}",
        any::<[u8; 4]>().prop_map(|ip| std::net::Ipv4Addr::from(ip).to_string()),
        any::<u128>().prop_map(|ip| format!("[{}]", std::net::Ipv6Addr::from(ip)))
    ]
}

fn uri_text() -> impl Strategy<Value = String> {
    let user = "([a-zA-Z0-9+;?/&=$,._-]|%[0-9a-fA-F]{2}){1,16}(:[a-z0-9]{0,6})?@";
    let params = "(;[a-z-]{1,8}(=[a-zA-Z0-9:._%]{0,0}[a-zA-Z0-9:._-]{1,12})?){0,4}";
    let headers = "(\\?[a-zA-Z]{1,8}=[a-zA-Z0-9%]{0,0}[a-zA-Z0-9]{1,8})?";
    let sip = (
        prop_oneof!["sip:", "sips:"],
        prop_oneof![Just(String::new()).boxed(), user.boxed()],
        host(),
        proptest::option::of(any::<u16>()),
        params,
        headers,
    )
        .prop_map(|(scheme, user, host, port, params, headers)| {
            format!("{scheme}{user}{host}{}{params}{headers}", port.map(|port| format!(":{port}")).unwrap_or_default())
        });
    prop_oneof![4 => sip, 1 => "tel:\\+[0-9]{3,15}(;phone-context=[a-z.]{1,10})?", 1 => "[b-r][a-z]{2,8}:[a-z0-9/._-]{1,20}"]
}

fn name_addr() -> impl Strategy<Value = NameAddr> {
    (proptest::option::of("[^\r\n]{0,20}"), uri_text(), proptest::option::of(token())).prop_map(|(display, uri, tag)| {
        let mut address = NameAddr::new(Uri::parse(&uri).unwrap());
        address.display = display;
        match tag {
            Some(tag) => address.with_tag(&tag),
            None => address,
        }
    })
}

fn message() -> impl Strategy<Value = Message> {
    let via = (host(), proptest::option::of(any::<u16>()), token()).prop_map(|(host, port, branch)| {
        Via::parse(&format!("SIP/2.0/UDP {host}{};branch=z9hG4bK{branch};rport", port.map(|port| format!(":{port}")).unwrap_or_default()))
            .unwrap()
    });
    let extra = vec((token().prop_map(|name| format!("X-{name}")), "[^\r\n\u{0}-\u{1f}]{0,40}"), 0..6);
    (
        vec(via, 1..4),
        name_addr(),
        name_addr(),
        token(),
        0_u32..=i32::MAX as u32,
        token(),
        uri_text(),
        vec(name_addr(), 0..3),
        extra,
        vec(any::<u8>(), 0..200),
        any::<Option<u16>>(),
    )
        .prop_map(|(vias, from, to, call_id, number, method, uri, contacts, extra, body, status)| {
            let mut headers = Headers::new();
            for via in vias {
                headers.push("Via", &via.to_string());
            }
            headers.push("From", &from.to_string());
            headers.push("To", &to.to_string());
            headers.push("Call-ID", &call_id);
            headers.push("CSeq", &format!("{number} {method}"));
            for contact in contacts {
                headers.push("Contact", &contact.to_string());
            }
            for (name, value) in extra {
                headers.push(&name, &value);
            }
            match status {
                Some(status) => Message::Response(Response { status: 100 + status % 600, reason: "Because".to_owned(), headers, body }),
                None => {
                    Message::Request(Request { method: Method::parse(&method).unwrap(), uri: Uri::parse(&uri).unwrap(), headers, body })
                }
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..600)) {
        check(&bytes);
        decode(&bytes, &[bytes.len() / 2]);
    }

    #[test]
    fn arbitrary_text_never_panics_in_small_parsers(text in "\\PC{0,80}|[sip:@;=<>\"\\\\, a1\\[\\]%?\u{e9}]{0,60}") {
        let _ = (Uri::parse(&text), NameAddr::parse(&text), Via::parse(&text), dreiklang_sip::message::Params::parse(&text));
        let mut headers = Headers::new();
        headers.push(&text, &text);
        headers.set("From", &text);
        headers.set("Contact", &text);
        headers.set("Via", &text);
        touch(&headers);
    }

    #[test]
    fn mutated_torture_messages_never_panic(seed in any::<prop::sample::Index>(), edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8)) {
        let mut bytes = seed.get(&SEEDS).clone();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
            if bytes.is_empty() { bytes.push(byte); }
        }
        check(&bytes);
        decode(&bytes, &[bytes.len() / 3, bytes.len() / 2]);
    }

    #[test]
    fn spliced_torture_messages_never_panic(first in any::<prop::sample::Index>(), second in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let (first, second) = (first.get(&SEEDS), second.get(&SEEDS));
        let mut bytes = first[..cut.index(first.len())].to_vec();
        bytes.extend_from_slice(&second[cut.index(second.len())..]);
        check(&bytes);
    }

    #[test]
    fn printing_a_message_and_reading_it_gives_the_message_back(message in message()) {
        let bytes = message.to_bytes();
        let read = parse_datagram(&bytes).map_err(|error| TestCaseError::fail(format!("{error:?}\n{}", String::from_utf8_lossy(&bytes))))?;
        prop_assert_eq!(&read, &message);
        prop_assert_eq!(read.to_bytes(), bytes);
    }

    #[test]
    fn uris_print_exactly_as_they_were_read(text in uri_text()) {
        let uri = Uri::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(uri.to_string(), text);
    }

    #[test]
    fn addresses_survive_printing(address in name_addr()) {
        prop_assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
    }

    #[test]
    fn a_stream_gives_the_same_messages_however_it_is_cut(messages in vec(message(), 1..4), cuts in vec(0..3000_usize, 0..8)) {
        let bytes: Vec<u8> = messages.iter().flat_map(Message::to_bytes).collect();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let expected: Vec<_> = messages.into_iter().map(|message| Ok(StreamItem::Message(message))).collect();
        prop_assert_eq!(&decode(&bytes, &cuts), &expected);
        prop_assert_eq!(&decode(&bytes, &(0..bytes.len()).collect::<Vec<_>>()), &expected);
    }

    #[test]
    fn no_value_can_add_a_line(name in ".{0,10}", value in "(.|\r|\n){0,40}") {
        let mut request = match parse_datagram(&SEEDS[0]) { Ok(Message::Request(request)) => request, _ => Request::new(Method::Options, Uri::parse("sip:a").unwrap()) };
        request.headers.push(&name, &value);
        let count = request.to_bytes().split(|byte| *byte == b'\n').count();
        request.headers.set("X-Other", "plain");
        prop_assert_eq!(request.to_bytes().split(|byte| *byte == b'\n').count(), count + 1);
    }
}

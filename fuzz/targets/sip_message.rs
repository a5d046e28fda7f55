//! SIP messages from datagrams and streams: whatever is read can be written and read again as the same, and what is refused is
//! refused with an answer that can be read.
#![no_main]

use dreiklang_sip::message::{Message, Response, StreamDecoder, StreamItem, parse_datagram};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match parse_datagram(bytes) {
        Ok(message) => {
            let headers = message.headers();
            let _ = (headers.top_via(), headers.from(), headers.to(), headers.call_id(), headers.cseq(), headers.contact());
            let _ = (headers.vias().count(), headers.contacts().count(), headers.routes().count(), headers.record_routes().count());
            let _ = (headers.session_expires_s(), headers.retry_after_s(), headers.expires_s(), headers.allow());
            if let Message::Request(request) = &message {
                let answer = Response::to_request(request, 500, "");
                assert!(parse_datagram(&answer.to_bytes()).is_ok(), "our answer cannot be read: {answer:?}");
            }
            assert_eq!(parse_datagram(&message.to_bytes()), Ok(message));
        }
        Err(malformed) => {
            if let Some(answer) = malformed.answerable {
                assert!(answer.to_bytes().starts_with(b"SIP/2.0 "));
            }
        }
    }
    // A stream gives the same messages however it is cut.
    let whole = decode(bytes, bytes.len());
    let cut = usize::from(bytes.first().copied().unwrap_or_default()).min(bytes.len());
    assert_eq!(whole, decode(bytes, cut));
});

fn decode(bytes: &[u8], cut: usize) -> Vec<Result<Message, String>> {
    let mut decoder = StreamDecoder::new();
    let mut messages = Vec::new();
    for part in [&bytes[..cut], &bytes[cut..]] {
        decoder.feed(part);
        while let Some(item) = decoder.next() {
            match item {
                Ok(StreamItem::Message(message)) => messages.push(Ok(message)),
                // Keep-alives count by halves.
                Ok(_) => {}
                Err(malformed) => messages.push(Err(malformed.error.to_string())),
            }
        }
    }
    messages
}

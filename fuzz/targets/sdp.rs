//! Session descriptions: as an offer that is answered, as an answer that is read, and as text that is written again.
#![no_main]

use dreiklang_sip::sdp::{Description, LocalAudio, Session};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let local = LocalAudio::new("192.0.2.1:4000".parse().expect("an address"));
    if let Ok(description) = Description::parse(bytes) {
        assert!(Description::parse(&description.to_bytes()).is_ok(), "what was read and written cannot be read: {description}");
    }
    if let Ok((answer, _)) = Session::new(1).answer(bytes, &local) {
        assert!(Description::parse(&answer).is_ok(), "our answer cannot be read: {}", String::from_utf8_lossy(&answer));
    }
    let mut session = Session::new(2);
    session.offer(&local);
    let _ = session.read_answer(bytes);
});

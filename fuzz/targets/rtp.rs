//! Media datagrams: told apart, read within their bounds, and never taken as authentic without the key.
#![no_main]

use dreiklang_media::{
    codec::Codec,
    rtp,
    srtp::{Keys, MASTER_BYTES, Receiver, Suite},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = (rtp::kind(bytes), rtp::sequence_and_ssrc(bytes), rtp::payload_start(bytes));
    if let Ok(packet) = rtp::parse(bytes) {
        let payload = &bytes[packet.payload];
        assert!(packet.header.to_bytes().len() <= bytes.len());
        if let Some(codec) = Codec::from_static_payload_type(packet.header.payload_type) {
            assert_eq!(codec.decode_all(payload).into_iter().count(), payload.len());
        }
        let _ = dreiklang_media::dtmf::Payload::parse(payload);
    }
    let keys = Keys::new(Suite::Aes128Tag80, [5; MASTER_BYTES]);
    let mut receiver = Receiver::new(keys.named(bytes.first().map_or(0, |byte| byte % 5)));
    assert!(receiver.open_rtp(&mut bytes.to_vec()).is_err(), "nobody knows this key");
    assert!(receiver.open_rtcp(&mut bytes.to_vec()).is_err(), "nobody knows this key");
});

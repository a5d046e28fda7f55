//! Control datagrams: whatever is taken as well formed can be walked through.
#![no_main]

use dreiklang_media::rtcp::{self, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(compound) = rtcp::parse(bytes) else { return };
    let mut words = 0;
    for packet in compound {
        words += 1;
        match packet {
            Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } => assert!(blocks.count() <= 31),
            Packet::Description { cname, .. } => assert!(cname.len() <= bytes.len()),
            Packet::Goodbye { .. } | Packet::Other { .. } => {}
        }
    }
    assert!(words * 4 <= bytes.len(), "more packets than have room");
});

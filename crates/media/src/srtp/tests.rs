//! Vectors of RFC 3711 and of libsrtp, and what must never happen.

use aes::Aes128;
use aes::cipher::KeyInit;
use proptest::prelude::*;

use super::cipher::{AUTH_KEY_BYTES, derive, keystream};
use super::window::WINDOW;
use super::*;
use crate::rtp::Header;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().expect("the right length")
}

/// RFC 3711 appendix B.3, also used by libsrtp's own tests.
const MASTER: &str = "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6";

fn keys(suite: Suite) -> Keys {
    Keys::new(suite, array(MASTER))
}

fn pair(suite: Suite) -> (Sender, Receiver) {
    (Sender::new(keys(suite)), Receiver::new(keys(suite)))
}

fn packet(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let header = Header { marker: false, payload_type: 8, sequence, timestamp: 7, ssrc };
    [&header.to_bytes()[..], payload].concat()
}

fn seal(sender: &mut Sender, packet: &[u8]) -> Option<Vec<u8>> {
    let mut into = vec![0; packet.len() + OVERHEAD_BYTES_MAX];
    let length = sender.seal_rtp(packet, &mut into)?;
    into.truncate(length);
    Some(into)
}

fn seal_control(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut into = vec![0; packet.len() + OVERHEAD_BYTES_MAX];
    let length = sender.seal_rtcp(packet, &mut into).expect("sealed");
    into.truncate(length);
    into
}

fn open(receiver: &mut Receiver, sealed: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut packet = sealed.to_vec();
    let length = receiver.open_rtp(&mut packet)?;
    Ok(packet[..length].to_vec())
}

fn open_control(receiver: &mut Receiver, sealed: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut packet = sealed.to_vec();
    let length = receiver.open_rtcp(&mut packet)?;
    Ok(packet[..length].to_vec())
}

#[test]
fn the_keystream_is_that_of_rfc_3711_appendix_b_2() {
    let aes = Aes128::new(&array("2B7E151628AED2A6ABF7158809CF4F3C").into());
    let iv = array("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000");
    let mut stream = vec![0; 0xFF02 * 16];
    keystream(&aes, iv, &mut stream);
    for (block, expected) in [
        (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
        (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
        (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
        (0xFEFF, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
        (0xFF00, "362B7C3C6773516318A077D7FC5073AE"),
        (0xFF01, "6A2CC3787889374FBEB4C81B17BA6C44"),
    ] {
        assert_eq!(stream[block * 16..][..16], bytes(expected), "block {block:#x}");
    }
}

#[test]
fn session_keys_are_those_of_rfc_3711_appendix_b_3() {
    let (master, salt) = keys(Suite::Aes128Tag80).parts();
    let master = Aes128::new(&master.into());
    let derived = |label, length| {
        let mut key = vec![0xFF; length];
        derive(&master, &salt, label, &mut key);
        key
    };
    assert_eq!(derived(0, 16), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(2, 14), bytes("30CBBC08863D8C85D49DB34A9AE1"));
    let auth = "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098
                6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2";
    assert_eq!(derived(1, 94), bytes(auth));
    assert_eq!(derived(1, AUTH_KEY_BYTES), bytes(auth)[..AUTH_KEY_BYTES]);
}

/// The packets of `srtp_validate` in libsrtp's `test/srtp_driver.c`.
#[test]
fn packets_are_sealed_and_opened_as_libsrtp_does() {
    let plain = bytes("800F1234 DECAFBAD CAFEBABE ABABABABABABABABABABABABABABABAB");
    let sealed = bytes("800F1234 DECAFBAD CAFEBABE 4E55DC4CE79978D88CA4D215949D2402 B78D6ACC99EA179B8DBB");
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag80);
    assert_eq!(seal(&mut sender, &plain), Some(sealed.clone()));
    assert_eq!(open(&mut receiver, &sealed), Ok(plain));
    let plain = bytes("81C8000B CAFEBABE ABABABABABABABABABABABABABABABAB");
    let sealed = bytes("81C8000B CAFEBABE 7128035BE487B9BDBEF89041F977A5A8 80000001 993E08CD54D6C1230798");
    assert_eq!(open_control(&mut receiver, &sealed), Ok(plain.clone()));
    seal_control(&mut sender, &plain);
    assert_eq!(seal_control(&mut sender, &plain), sealed, "the second, where libsrtp begins");
}

#[test]
fn the_short_tag_is_the_beginning_of_the_long_one() {
    let plain = packet(5, 9, b"hello");
    let long = seal(&mut pair(Suite::Aes128Tag80).0, &plain).expect("sealed");
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag32);
    let short = seal(&mut sender, &plain).expect("sealed");
    assert_eq!(short.len(), plain.len() + 4);
    assert_eq!(short[..], long[..short.len()]);
    assert_eq!(open(&mut receiver, &short), Ok(plain));
    let control = seal_control(&mut sender, &bytes("81C90001 00000005"));
    assert_eq!(control.len(), 8 + 4 + 10, "control packets have the long one");
}

#[test]
fn a_long_call_is_heard_over_wraps_of_its_numbers() {
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag80);
    for number in 0..200_000u32 {
        let plain = packet(5, 65_000u16.wrapping_add(number as u16), &number.to_be_bytes());
        let sealed = seal(&mut sender, &plain).expect("sealed");
        // One in seven is lost.
        if !number.is_multiple_of(7) {
            assert_eq!(open(&mut receiver, &sealed), Ok(plain));
        }
    }
}

#[test]
fn who_joins_right_after_the_first_wrap_hears() {
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag80);
    for sequence in 65_530..=65_535 {
        seal(&mut sender, &packet(5, sequence, b"lost")).expect("sealed");
    }
    for sequence in 0..3 {
        let plain = packet(5, sequence, b"heard");
        let sealed = seal(&mut sender, &plain).expect("sealed");
        assert_eq!(open(&mut receiver, &sealed), Ok(plain));
    }
}

#[test]
fn packets_that_overtake_are_heard_once_each() {
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag80);
    let sealed: Vec<Vec<u8>> =
        (0..200u16).map(|number| seal(&mut sender, &packet(5, 65_500u16.wrapping_add(number), b"x")).expect("sealed")).collect();
    for at in (0..200).step_by(2).flat_map(|at| [at + 1, at]) {
        assert!(open(&mut receiver, &sealed[at]).is_ok(), "{at}");
    }
    for again in &sealed {
        assert_eq!(open(&mut receiver, again), Err(Refused::Replayed));
    }
}

#[test]
fn no_number_is_sealed_twice() {
    let (mut sender, _) = pair(Suite::Aes128Tag80);
    assert!(seal(&mut sender, &packet(5, 1_000, b"one")).is_some());
    assert!(seal(&mut sender, &packet(5, 1_000, b"two")).is_none(), "the same keystream would hide both");
    assert!(seal(&mut sender, &packet(5, 1_001, b"two")).is_some());
    assert!(seal(&mut sender, &packet(5, 999, b"late")).is_some());
    assert!(seal(&mut sender, &packet(5, 1_001u16.wrapping_sub(WINDOW as u16), b"too late")).is_none());
    assert!(seal(&mut sender, &packet(6, 1_000, b"another source")).is_some());
}

#[test]
fn a_changed_bit_anywhere_is_noticed() {
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag80);
    let sealed = seal(&mut sender, &packet(5, 9, b"hello")).expect("sealed");
    let control = seal_control(&mut sender, &bytes("81C90001 00000005 01020304"));
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&mut receiver, &changed).is_err(), "bit {bit}");
    }
    for bit in 0..control.len() * 8 {
        let mut changed = control.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open_control(&mut receiver, &changed).is_err(), "bit {bit} of control");
    }
    assert!(open(&mut receiver, &sealed).is_ok(), "what was refused left no trace");
    assert!(open_control(&mut receiver, &control).is_ok());
    assert_eq!(open_control(&mut receiver, &control), Err(Refused::Replayed));
}

#[test]
fn several_sources_are_told_apart_and_the_oldest_is_forgotten() {
    let (mut sender, mut receiver) = pair(Suite::Aes128Tag80);
    let first = seal(&mut sender, &packet(1, 9, b"x")).expect("sealed");
    assert!(open(&mut receiver, &first).is_ok());
    for ssrc in 2..=4 {
        let sealed = seal(&mut sender, &packet(ssrc, 9, b"x")).expect("sealed");
        assert!(open(&mut receiver, &sealed).is_ok());
        assert_eq!(open(&mut receiver, &first), Err(Refused::Replayed), "after source {ssrc}");
    }
}

#[test]
fn a_key_that_is_named_in_each_packet_is_accepted() {
    let (mut sender, _) = pair(Suite::Aes128Tag80);
    let mut receiver = Receiver::new(keys(Suite::Aes128Tag80).named(2));
    let named = |sealed: Vec<u8>| {
        let (body, tag) = sealed.split_at(sealed.len() - 10);
        [body, &[0, 1], tag].concat()
    };
    let plain = packet(5, 9, b"hello");
    let sealed = named(seal(&mut sender, &plain).expect("sealed"));
    assert_eq!(open(&mut receiver, &sealed), Ok(plain));
    let plain = bytes("81C90001 00000005");
    // The name is no part of what is authenticated.
    let sealed = named(seal_control(&mut sender, &plain));
    assert_eq!(open_control(&mut receiver, &sealed), Ok(plain));
}

#[test]
fn keys_are_not_shown() {
    assert_eq!(format!("{:?}", keys(Suite::Aes128Tag80)), "Keys { suite: Aes128Tag80, .. }");
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), name in 0u8..130) {
        let mut receiver = Receiver::new(keys(Suite::Aes128Tag80).named(name));
        prop_assert!(receiver.open_rtp(&mut bytes).is_err());
        prop_assert!(receiver.open_rtcp(&mut bytes).is_err());
        let (mut sender, mut into) = (Sender::new(keys(Suite::Aes128Tag32)), [0; 100]);
        let _ = (sender.seal_rtp(&bytes, &mut into), sender.seal_rtcp(&bytes, &mut into));
    }

    #[test]
    fn every_packet_comes_back_as_it_was(payload in proptest::collection::vec(any::<u8>(), 0..400), ssrc: u32, sequence: u16, short: bool) {
        let (mut sender, mut receiver) = pair(if short { Suite::Aes128Tag32 } else { Suite::Aes128Tag80 });
        let plain = packet(ssrc, sequence, &payload);
        let sealed = seal(&mut sender, &plain).expect("sealed");
        prop_assert!(payload.len() < 8 || sealed[12..12 + payload.len()] != payload[..]);
        prop_assert_eq!(open(&mut receiver, &sealed), Ok(plain));
    }
}

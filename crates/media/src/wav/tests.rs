//! Reading and writing WAV files, also damaged and hostile ones.

use proptest::prelude::*;

use super::*;
use crate::tone;

/// A file with one `fmt ` chunk of 16 bytes and these bytes as audio.
fn file(tag: u16, bits: u16, channels: u16, rate_hz: u32, audio: &[u8]) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((audio.len() as u32).to_le_bytes());
    bytes.extend(audio);
    bytes
}

#[test]
fn every_encoding_is_decoded_to_the_same_samples() {
    let mono = |tag, bits, audio: &[u8]| Wav::parse(&file(tag, bits, 1, 8_000, audio)).unwrap().channels.remove(0);
    assert_eq!(mono(TAG_PCM, 8, &[0, 128, 255]), [-32_768, 0, 32_512]);
    assert_eq!(mono(TAG_PCM, 16, &[0, 0x80, 0xFF, 0x7F]), [-32_768, 32_767]);
    assert_eq!(mono(TAG_PCM, 24, &[0, 0, 0x80, 0x80, 0x00, 0x00, 0xFF, 0xFF, 0x7F]), [-32_768, 1, 32_767]);
    assert_eq!(mono(TAG_PCM, 32, &[0, 0, 0, 0x80, 0, 0x80, 0, 0]), [-32_768, 1]);
    let floats: Vec<u8> = [0.5f32, -2.0, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(mono(TAG_FLOAT, 32, &floats), [16_384, -32_768, 0]);
    assert_eq!(mono(TAG_A_LAW, 8, &[0xD5, 0xAA]), [8, 32_256]);
    assert_eq!(mono(TAG_MU_LAW, 8, &[0xFF, 0x80]), [0, 32_124]);
}

#[test]
fn what_is_written_is_read_back_with_its_channels_apart() {
    let left = tone::sines(&[620], -20.0, 101);
    let right = tone::sines(&[1_230], -20.0, 50);
    for encoding in [Encoding::Pcm16, Encoding::G711(Codec::Pcma), Encoding::G711(Codec::Pcmu)] {
        let wav = Wav::parse(&encode(&[&left, &right], 8_000, encoding)).unwrap();
        assert_eq!((wav.rate_hz, wav.channels.len(), wav.len(), wav.truncated), (8_000, 2, left.len(), false));
        assert_eq!(wav.duration_ms(), 101);
        for (heard, said) in wav.channels.iter().zip([&left, &right]) {
            let error = heard.iter().zip(said).map(|(heard, said)| heard.abs_diff(*said)).max().unwrap();
            assert!(error <= if encoding == Encoding::Pcm16 { 0 } else { 150 }, "{encoding:?}: {error}");
        }
        assert!(tone::level_dbfs(&wav.channels[1][right.len()..]) < -70.0);
    }
}

#[test]
fn stereo_at_another_rate_becomes_telephone_audio() {
    let rate_hz = 44_100;
    let channel = |hz: f64| -> Vec<i16> {
        let step = std::f64::consts::TAU * hz / f64::from(rate_hz);
        (0..rate_hz).map(|n| (8_000.0 * (step * f64::from(n)).sin()) as i16).collect()
    };
    let wav = Wav::parse(&encode(&[&channel(620.0), &channel(1_700.0)], rate_hz, Encoding::Pcm16)).unwrap();
    let telephone = wav.to_telephone();
    assert_eq!(telephone.len(), 8_000);
    assert_eq!(tone::heard(&telephone, &[620, 1_230, 1_700]), [620, 1_700]);
}

#[test]
fn other_chunks_and_the_extensible_form_are_understood() {
    let plain = file(TAG_PCM, 16, 1, 16_000, &[1, 0, 2, 0]);
    let mut with_list = plain[..36].to_vec();
    with_list.extend(b"LIST\x03\0\0\0abc\0");
    with_list.extend(&plain[36..]);
    assert_eq!(Wav::parse(&with_list).unwrap().channels, [[1, 2]]);

    let mut extensible = plain[..12].to_vec();
    extensible.extend(b"fmt \x28\0\0\0\xFE\xFF");
    extensible.extend(&plain[22..36]);
    extensible.extend([22, 0, 16, 0, 4, 0, 0, 0]);
    extensible.extend([1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    extensible.extend(&plain[36..]);
    assert_eq!(Wav::parse(&extensible).unwrap().channels, [[1, 2]]);
}

#[test]
fn a_truncated_file_gives_what_it_has_and_says_so() {
    let whole = file(TAG_PCM, 16, 1, 8_000, &[1, 0, 2, 0, 3, 0]);
    let wav = Wav::parse(&whole[..whole.len() - 1]).unwrap();
    assert_eq!((wav.channels, wav.truncated), (vec![vec![1, 2]], true));
    // A size nobody knew when it was written is no damage.
    for size in [0u32, 0x7FFF_F000, u32::MAX] {
        let mut piped = whole.clone();
        piped[40..44].copy_from_slice(&size.to_le_bytes());
        let wav = Wav::parse(&piped).unwrap();
        assert_eq!((wav.channels, wav.truncated), (vec![vec![1, 2, 3]], false));
    }
}

#[test]
fn errors_say_what_is_wrong_with_the_file() {
    let reason = |bytes: &[u8]| Wav::parse(bytes).unwrap_err().to_string();
    assert!(reason(b"ID3\x04 an mp3 file").contains("ID3\\x04"));
    assert!(reason(b"").contains("not a WAV file"));
    assert!(reason(&file(0x55, 16, 1, 8_000, &[])).contains("MP3"));
    assert!(reason(&file(TAG_PCM, 12, 1, 8_000, &[])).contains("PCM with 12 bits"));
    assert!(reason(&file(TAG_PCM, 16, 0, 8_000, &[])).contains("0 channels"));
    assert!(reason(&file(TAG_PCM, 16, 33, 8_000, &[])).contains("33 channels"));
    assert!(reason(&file(TAG_PCM, 16, 1, 3, &[])).contains("3 samples per second"));
    assert!(reason(&file(TAG_PCM, 16, 1, 8_000, &[])[..36]).contains("no audio"));
    assert!(reason(b"RIFF\0\0\0\0WAVEdata\x02\0\0\0ab").contains("format"));
    let mut wrong_block = file(TAG_PCM, 16, 2, 8_000, &[]);
    wrong_block[32] = 3;
    assert!(reason(&wrong_block).contains("3 bytes per sample of 2 channels"));
}

#[test]
fn a_file_above_the_limit_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.wav");
    std::fs::write(&path, file(TAG_PCM, 16, 1, 8_000, &[0; 100])).unwrap();
    assert!(matches!(Wav::read(&path, 100), Err(WavError::TooLarge(100))));
    assert_eq!(Wav::read(&path, 144).unwrap().len(), 50);
    assert!(matches!(Wav::read(&directory.path().join("none.wav"), 100), Err(WavError::Io(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Wav::parse(&bytes);
    }

    #[test]
    fn no_damage_to_a_file_makes_the_reader_panic_or_invent_audio(
        place in 0usize..70,
        byte in any::<u8>(),
        cut in 0usize..120,
    ) {
        let mut bytes = encode(&[&[100; 20], &[-100; 20]], 16_000, Encoding::Pcm16);
        bytes[place] = byte;
        bytes.truncate(bytes.len().saturating_sub(cut));
        if let Ok(wav) = Wav::parse(&bytes) {
            prop_assert!(wav.len() * wav.channels.len() <= bytes.len());
            prop_assert!(wav.to_telephone().len() <= bytes.len() * 2);
        }
    }

    #[test]
    fn samples_of_every_value_survive_writing_and_reading(samples in proptest::collection::vec(any::<i16>(), 0..300)) {
        let wav = Wav::parse(&encode(&[&samples], 8_000, Encoding::Pcm16)).unwrap();
        prop_assert_eq!(&wav.channels[0], &samples);
    }
}

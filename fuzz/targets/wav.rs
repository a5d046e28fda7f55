//! Uploaded prompts: a file of any content becomes telephone audio or is refused.
#![no_main]

use dreiklang_media::wav::Wav;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(wav) = Wav::parse(bytes) else { return };
    assert!(!wav.channels.is_empty() && wav.channels.iter().all(|channel| channel.len() == wav.len()));
    // Half an hour at most: who uploads more is refused before.
    if wav.duration_ms() < 1_800_000 {
        let _ = wav.to_telephone();
    }
});

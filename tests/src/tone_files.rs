//! Sound files for telephones: every party says its own tone, and what a party heard tells who spoke to it.

use anyhow::{Context, Result, ensure};
use dreiklang_media::{
    codec::CLOCK_HZ,
    tone,
    wav::{self, Encoding, Wav},
};
use std::path::Path;

/// Tones of the parties, in Hz: far enough apart to be told apart, none a multiple of another.
pub const CALLER_HZ: u32 = 440;
/// See [`CALLER_HZ`].
pub const AGENT_HZ: u32 = 700;
/// See [`CALLER_HZ`].
pub const SECOND_AGENT_HZ: u32 = 1_010;
/// See [`CALLER_HZ`].
pub const SUPERVISOR_HZ: u32 = 1_630;
/// All of them.
pub const PARTIES_HZ: [u32; 4] = [CALLER_HZ, AGENT_HZ, SECOND_AGENT_HZ, SUPERVISOR_HZ];

/// Loud enough to be heard above anything, quiet enough for three at once.
const LEVEL_DBFS: f64 = -15.0;
/// A telephone stops speaking at the end of its file; no test talks for longer.
const LENGTH_MS: u32 = 120_000;

/// How long a tone plays that stands for a spoken text: long enough to be looked at, short enough to be heard to its end.
pub const LENGTH_OF_PROMPT_MS: u32 = 4_000;

/// Longer files are not from a test.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Writes the file a party speaks from.
pub fn write(path: &Path, hz: u32) -> Result<()> {
    let samples = tone::sines(&[hz], LEVEL_DBFS, LENGTH_MS);
    std::fs::write(path, wav::encode(&[&samples], CLOCK_HZ, Encoding::Pcm16)).with_context(|| format!("cannot write {}", path.display()))
}

/// The samples of a finished file, per channel, at 8 kHz.
pub fn read(path: &Path) -> Result<Vec<Vec<i16>>> {
    let wav = Wav::read(path, FILE_BYTES_MAX).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(wav.rate_hz == CLOCK_HZ, "{} has {} samples a second", path.display(), wav.rate_hz);
    Ok(wav.channels)
}

/// The samples of a mono file that is still being written; its header does not know its length yet.
pub fn read_unfinished(path: &Path) -> Result<Vec<i16>> {
    /// Of the plain PCM header that libsndfile writes.
    const HEADER_BYTES: usize = 44;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let audio = bytes.get(HEADER_BYTES..).unwrap_or_default();
    Ok(audio.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

/// Which of the parties' tones are in these samples.
pub fn parties_heard(samples: &[i16]) -> Vec<u32> {
    tone::heard(samples, &PARTIES_HZ)
}

/// The last `ms` milliseconds of these samples; `None` when there are fewer.
pub fn last_ms(samples: &[i16], ms: u32) -> Option<&[i16]> {
    let wanted = (ms * CLOCK_HZ / 1_000) as usize;
    samples.len().checked_sub(wanted).map(|from| &samples[from..])
}

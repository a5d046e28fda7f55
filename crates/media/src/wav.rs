//! WAV files: reading what administrators upload and recorders left, writing what tests and prompts need.
//!
//! [`Wav::parse`] decodes any usual encoding to 16-bit samples per channel at the file's own rate;
//! [`Wav::to_telephone`] makes 8 kHz mono of it. Nothing here trusts a size in a file. Compressed formats are left out:
//! the error names the format, so that the administrator can convert.

mod resample;

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use crate::codec::{CLOCK_HZ, Codec};
use crate::limits;

pub use resample::resample;

/// Why a file is not taken; written for the administrator who uploaded it.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The operating system refused.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Larger than allowed.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// No RIFF/WAVE header.
    #[error("this is not a WAV file (it begins with {0}, not with RIFF and WAVE)")]
    NotWav(String),
    /// A chunk that must be there is not.
    #[error("the WAV file has no {0}")]
    Missing(&'static str),
    /// An encoding that is not read.
    #[error("the WAV file is encoded as {0}; PCM with 8, 16, 24 or 32 bits, 32-bit float, A-law and \u{b5}-law are read")]
    Encoding(String),
    /// A rate or number of channels nobody means.
    #[error("the WAV file says {0}, which is out of range")]
    OutOfRange(String),
}

/// How samples are stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Linear PCM, 16 bit.
    Pcm16,
    /// G.711.
    G711(Codec),
}

/// Decoded audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wav {
    /// Samples per second and channel.
    pub rate_hz: u32,
    /// The samples of each channel, left first; all of one length, at least one channel.
    pub channels: Vec<Vec<i16>>,
    /// Whether the file ends before its header says it does.
    pub truncated: bool,
}

impl Wav {
    /// Reads and decodes a file of at most `bytes_max`.
    pub fn read(path: &Path, bytes_max: u64) -> Result<Wav, WavError> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            return Err(WavError::TooLarge(bytes_max));
        }
        Wav::parse(&bytes)
    }

    /// Decodes a file's content. Audio that the header promises and the file lacks is left out; so is an incomplete
    /// sample at the end.
    pub fn parse(bytes: &[u8]) -> Result<Wav, WavError> {
        if bytes.len() < 12 || &bytes[..4] != b"RIFF" || &bytes[8..12] != b"WAVE" {
            let beginning = &bytes[..bytes.len().min(12)];
            return Err(WavError::NotWav(format!("\"{}\"", beginning.escape_ascii())));
        }
        let mut format = None;
        let mut rest = &bytes[12..];
        for _ in 0..limits::WAV_CHUNKS_MAX {
            let Some((head, content)) = rest.split_at_checked(8) else { break };
            let declared = u32_at(head, 4) as usize;
            let present = &content[..declared.min(content.len())];
            match &head[..4] {
                b"fmt " => format = Some(Format::parse(present)?),
                b"data" => {
                    let format = format.ok_or(WavError::Missing("description of its format before the audio"))?;
                    // Programs that write into a pipe do not know the size and say 0 or as much as there can be.
                    let piped = declared == 0 || declared >= 0x7FFF_0000;
                    let audio = if declared == 0 { content } else { present };
                    return Ok(format.decode(audio, declared > content.len() && !piped));
                }
                _ => {}
            }
            rest = content.get(declared + declared % 2..).unwrap_or_default();
        }
        Err(WavError::Missing(if format.is_some() { "audio" } else { "description of its format" }))
    }

    /// Length in samples per channel.
    pub fn len(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Whether there is no audio.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.len() as u64 * 1_000 / u64::from(self.rate_hz)
    }

    /// All channels mixed to one (the mean, so that nothing clips), at the telephone network's 8 kHz.
    pub fn to_telephone(&self) -> Vec<i16> {
        let count = self.channels.len() as i32;
        let mono: Vec<i16> = match &self.channels[..] {
            [one] => one.clone(),
            many => {
                (0..self.len()).map(|index| (many.iter().map(|channel| i32::from(channel[index])).sum::<i32>() / count) as i16).collect()
            }
        };
        resample(&mono, self.rate_hz, CLOCK_HZ)
    }
}

/// Writes channels of one length as a WAV file's bytes; shorter ones are filled up with silence.
pub fn encode(channels: &[&[i16]], rate_hz: u32, encoding: Encoding) -> Vec<u8> {
    let (tag, sample_bytes) = match encoding {
        Encoding::Pcm16 => (TAG_PCM, 2u16),
        Encoding::G711(Codec::Pcma) => (TAG_A_LAW, 1),
        Encoding::G711(Codec::Pcmu) => (TAG_MU_LAW, 1),
    };
    let count = channels.len() as u16;
    let samples = channels.iter().map(|channel| channel.len()).max().unwrap_or(0);
    let data_bytes = samples * channels.len() * usize::from(sample_bytes);
    let mut bytes = Vec::with_capacity(data_bytes + 58);
    bytes.extend_from_slice(b"RIFF\0\0\0\0WAVEfmt ");
    bytes.extend_from_slice(&18u32.to_le_bytes());
    bytes.extend_from_slice(&tag.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&rate_hz.to_le_bytes());
    bytes.extend_from_slice(&(rate_hz * u32::from(count * sample_bytes)).to_le_bytes());
    bytes.extend_from_slice(&(count * sample_bytes).to_le_bytes());
    bytes.extend_from_slice(&(sample_bytes * 8).to_le_bytes());
    bytes.extend_from_slice(&0u16.to_le_bytes());
    bytes.extend_from_slice(b"fact\x04\0\0\0");
    bytes.extend_from_slice(&(samples as u32).to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&(data_bytes as u32).to_le_bytes());
    for index in 0..samples {
        for channel in channels {
            let sample = channel.get(index).copied().unwrap_or(0);
            match encoding {
                Encoding::Pcm16 => bytes.extend_from_slice(&sample.to_le_bytes()),
                Encoding::G711(codec) => bytes.push(codec.encode(sample)),
            }
        }
    }
    if data_bytes % 2 == 1 {
        bytes.push(0);
    }
    let riff_bytes = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&riff_bytes.to_le_bytes());
    bytes
}

const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_A_LAW: u16 = 6;
const TAG_MU_LAW: u16 = 7;
/// The real tag stands in the first two bytes of the sub-format at the end.
const TAG_EXTENSIBLE: u16 = 0xFFFE;

/// One sample of a file.
#[derive(Clone, Copy)]
enum Sample {
    Pcm8,
    Pcm16,
    Pcm24,
    Pcm32,
    Float32,
    G711(Codec),
}

impl Sample {
    fn bytes(self) -> usize {
        match self {
            Sample::Pcm8 | Sample::G711(_) => 1,
            Sample::Pcm16 => 2,
            Sample::Pcm24 => 3,
            Sample::Pcm32 | Sample::Float32 => 4,
        }
    }

    /// Decodes the [`Sample::bytes`] of one sample.
    fn decode(self, bytes: &[u8]) -> i16 {
        match self {
            // The only unsigned one.
            Sample::Pcm8 => (i16::from(bytes[0]) - 128) << 8,
            Sample::G711(codec) => codec.decode(bytes[0]),
            Sample::Pcm16 => i16::from_le_bytes([bytes[0], bytes[1]]),
            Sample::Pcm24 => rounded(i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]])),
            Sample::Pcm32 => rounded(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
            Sample::Float32 => {
                let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                // Casting saturates, and takes "not a number" for 0.
                (value * 32_767.0).round() as i16
            }
        }
    }
}

/// The upper 16 bits, rounded.
fn rounded(sample: i32) -> i16 {
    (sample.saturating_add(1 << 15) >> 16) as i16
}

struct Format {
    sample: Sample,
    channels: usize,
    rate_hz: u32,
    /// Bytes from one sample of a channel to its next.
    stride: usize,
}

impl Format {
    fn parse(bytes: &[u8]) -> Result<Format, WavError> {
        if bytes.len() < 16 {
            return Err(WavError::Missing("complete description of its format"));
        }
        let mut tag = u16_at(bytes, 0);
        let channels = u16_at(bytes, 2);
        let rate_hz = u32_at(bytes, 4);
        let block = u16_at(bytes, 12);
        let bits = u16_at(bytes, 14);
        if tag == TAG_EXTENSIBLE && bytes.len() >= 26 {
            tag = u16_at(bytes, 24);
        }
        let sample = match (tag, bits) {
            (TAG_PCM, 8) => Sample::Pcm8,
            (TAG_PCM, 16) => Sample::Pcm16,
            (TAG_PCM, 24) => Sample::Pcm24,
            (TAG_PCM, 32) => Sample::Pcm32,
            (TAG_FLOAT, 32) => Sample::Float32,
            (TAG_A_LAW, 8) => Sample::G711(Codec::Pcma),
            (TAG_MU_LAW, 8) => Sample::G711(Codec::Pcmu),
            _ => return Err(WavError::Encoding(EncodingName { tag, bits }.to_string())),
        };
        if !(1..=limits::WAV_CHANNELS_MAX).contains(&channels) {
            return Err(WavError::OutOfRange(format!("{channels} channels")));
        }
        if !limits::WAV_RATE_HZ.contains(&rate_hz) {
            return Err(WavError::OutOfRange(format!("{rate_hz} samples per second")));
        }
        let stride = usize::from(channels) * sample.bytes();
        if usize::from(block) != stride {
            return Err(WavError::OutOfRange(format!("{block} bytes per sample of {channels} channels")));
        }
        Ok(Format { sample, channels: usize::from(channels), rate_hz, stride })
    }

    fn decode(&self, audio: &[u8], truncated: bool) -> Wav {
        let sample_bytes = self.sample.bytes();
        let channel = |index: usize| {
            let place = index * sample_bytes..(index + 1) * sample_bytes;
            audio.chunks_exact(self.stride).map(|block| self.sample.decode(&block[place.clone()])).collect()
        };
        Wav { rate_hz: self.rate_hz, channels: (0..self.channels).map(channel).collect(), truncated }
    }
}

/// What people call an encoding.
struct EncodingName {
    tag: u16,
    bits: u16,
}

impl fmt::Display for EncodingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.tag {
            TAG_PCM => "PCM",
            2 | 0x11 => "ADPCM",
            TAG_FLOAT => "float",
            TAG_A_LAW => "A-law",
            TAG_MU_LAW => "\u{b5}-law",
            0x31 => "GSM 06.10",
            0x50 => "MPEG",
            0x55 => "MP3",
            tag => return write!(f, "format {tag:#06x} with {} bits", self.bits),
        };
        write!(f, "{name} with {} bits", self.bits)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests;

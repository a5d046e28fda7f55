//! G.711: the two codecs of the telephone network, A-law and µ-law, at 8 kHz mono.
//!
//! Decides how one sample becomes one byte and back, and how one law becomes the other without going through samples
//! in the caller's code (a table of 256 bytes per direction). Knows no packets. Wideband codecs are left out; they
//! bring state and a clock of their own and will not be variants of [`Codec`] but a layer above it.

/// Samples per second of everything in this crate that is not explicitly something else.
pub const CLOCK_HZ: u32 = 8_000;
/// Samples (and, with G.711, bytes) in one 20 ms frame: the packet length the telephone network uses.
pub const FRAME_SAMPLES: usize = 160;
/// Milliseconds in one frame of [`FRAME_SAMPLES`].
pub const FRAME_MS: u32 = 20;
/// One encoded 20 ms frame.
pub type Frame = [u8; FRAME_SAMPLES];

/// How a G.711 byte stands for a sample (ITU-T G.711).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// µ-law, static payload type 0 (RFC 3551 §4.5.14).
    Pcmu,
    /// A-law, static payload type 8 (RFC 3551 §4.5.14).
    Pcma,
}

impl Codec {
    /// Both codecs, in the order in which we offer them to Microsoft.
    pub const ALL: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    /// The encoding name of SDP's `a=rtpmap` (RFC 3551 §6).
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The static RTP payload type (RFC 3551 table 4).
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// The codec of a static payload type, if it is one of ours.
    pub const fn from_static_payload_type(payload_type: u8) -> Option<Codec> {
        match payload_type {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            _ => None,
        }
    }

    /// The codec of an `a=rtpmap` encoding name; case does not matter (RFC 4855 §3).
    pub fn from_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// The byte that stands for silence.
    pub const fn silence(self) -> u8 {
        match self {
            Codec::Pcmu => 0xFF,
            Codec::Pcma => 0xD5,
        }
    }

    /// A frame of silence.
    pub const fn silent_frame(self) -> Frame {
        [self.silence(); FRAME_SAMPLES]
    }

    /// One linear 16-bit sample as a byte.
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Codec::Pcmu => encode_mu_law(sample),
            Codec::Pcma => encode_a_law(sample),
        }
    }

    /// One byte as a linear 16-bit sample.
    pub const fn decode(self, byte: u8) -> i16 {
        match self {
            Codec::Pcmu => MU_LAW[byte as usize],
            Codec::Pcma => A_LAW[byte as usize],
        }
    }

    /// Encodes `samples` into `bytes`, as many as the shorter of the two holds; returns how many.
    pub fn encode_into(self, samples: &[i16], bytes: &mut [u8]) -> usize {
        for (byte, sample) in bytes.iter_mut().zip(samples) {
            *byte = self.encode(*sample);
        }
        samples.len().min(bytes.len())
    }

    /// Decodes `bytes` into `samples`, as many as the shorter of the two holds; returns how many.
    pub fn decode_into(self, bytes: &[u8], samples: &mut [i16]) -> usize {
        let table = match self {
            Codec::Pcmu => &MU_LAW,
            Codec::Pcma => &A_LAW,
        };
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = table[*byte as usize];
        }
        samples.len().min(bytes.len())
    }

    /// Decodes a whole payload.
    pub fn decode_all(self, bytes: &[u8]) -> Vec<i16> {
        bytes.iter().map(|byte| self.decode(*byte)).collect()
    }

    /// Encodes a whole signal.
    pub fn encode_all(self, samples: &[i16]) -> Vec<u8> {
        samples.iter().map(|sample| self.encode(*sample)).collect()
    }

    /// The table that turns bytes of this codec into bytes of `other`; `None` when they are the same and nothing
    /// needs to be done.
    pub const fn table_to(self, other: Codec) -> Option<&'static [u8; 256]> {
        match (self, other) {
            (Codec::Pcmu, Codec::Pcma) => Some(&MU_TO_A),
            (Codec::Pcma, Codec::Pcmu) => Some(&A_TO_MU),
            _ => None,
        }
    }

    /// Rewrites `bytes` of this codec as bytes of `other`, in place.
    pub fn transcode_in_place(self, other: Codec, bytes: &mut [u8]) {
        if let Some(table) = self.table_to(other) {
            for byte in bytes {
                *byte = table[*byte as usize];
            }
        }
    }
}

static MU_LAW: [i16; 256] = decode_table_mu_law();
static A_LAW: [i16; 256] = decode_table_a_law();
static MU_TO_A: [u8; 256] = transcode_table(Codec::Pcmu);
static A_TO_MU: [u8; 256] = transcode_table(Codec::Pcma);

/// µ-law adds this to the 14-bit magnitude so that every segment starts at a power of two (G.711 §3.2, table 2).
const MU_LAW_BIAS: i32 = 33;
/// The largest biased 14-bit magnitude that still has a code.
const MU_LAW_MAX: i32 = 0x1FFF;

const fn encode_mu_law(sample: i16) -> u8 {
    // One's complement for negative samples keeps the two halves of the scale symmetrical around -0.5.
    let magnitude = if sample < 0 { !(sample as i32) } else { sample as i32 } >> 2;
    let biased = if magnitude + MU_LAW_BIAS > MU_LAW_MAX { MU_LAW_MAX } else { magnitude + MU_LAW_BIAS };
    // The bias makes bit 5 the lowest bit that can be the leading one: segment 0.
    let segment = 26 - biased.leading_zeros() as i32;
    let step = (biased >> (segment + 1)) & 0x0F;
    let sign = if sample < 0 { 0x00 } else { 0x80 };
    // All bits but the sign go inverted on the line, so that silence is rich in ones.
    sign | (!((segment << 4) | step) as u8 & 0x7F)
}

const fn decode_mu_law(byte: u8) -> i16 {
    let inverted = !byte as i32;
    let segment = (inverted >> 4) & 0x07;
    let step = inverted & 0x0F;
    let magnitude = ((((step << 1) + MU_LAW_BIAS) << segment) - MU_LAW_BIAS) << 2;
    if byte & 0x80 == 0 { -(magnitude as i16) } else { magnitude as i16 }
}

/// A-law inverts every second bit on the line (G.711 table 1, note 2).
const A_LAW_TOGGLE: u8 = 0x55;

const fn encode_a_law(sample: i16) -> u8 {
    // 12-bit magnitude; one's complement as above.
    let magnitude = if sample < 0 { !(sample as i32) } else { sample as i32 } >> 4;
    let code = if magnitude < 16 {
        // Segment 0 has no hidden leading one: the scale is linear here.
        magnitude
    } else {
        let segment = 28 - magnitude.leading_zeros() as i32;
        (segment << 4) | ((magnitude >> (segment - 1)) & 0x0F)
    };
    let sign = if sample < 0 { 0x00 } else { 0x80 };
    (sign | code as u8) ^ A_LAW_TOGGLE
}

const fn decode_a_law(byte: u8) -> i16 {
    let plain = byte ^ A_LAW_TOGGLE;
    let segment = (plain >> 4 & 0x07) as i32;
    let step = (plain & 0x0F) as i32;
    // The middle of the step: half a step above its lower edge.
    let magnitude = if segment == 0 { (step << 4) + 8 } else { ((step << 4) + 0x108) << (segment - 1) };
    if plain & 0x80 == 0 { -(magnitude as i16) } else { magnitude as i16 }
}

const fn decode_table_mu_law() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_mu_law(byte as u8);
        byte += 1;
    }
    table
}

const fn decode_table_a_law() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_a_law(byte as u8);
        byte += 1;
    }
    table
}

const fn transcode_table(from: Codec) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match from {
            // Silence maps to silence: µ-law's exact zero lies between A-law's two innermost steps, and which of them
            // the arithmetic picks decides whether a muted line carries a constant offset. Both are inaudible.
            Codec::Pcmu => encode_a_law(decode_mu_law(byte as u8)),
            Codec::Pcma => encode_mu_law(decode_a_law(byte as u8)),
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corner_values_of_both_laws_are_those_of_g711() {
        assert_eq!(Codec::Pcmu.decode(0xFF), 0);
        assert_eq!(Codec::Pcmu.decode(0x7F), 0);
        assert_eq!(Codec::Pcmu.decode(0x80), 32_124);
        assert_eq!(Codec::Pcmu.decode(0x00), -32_124);
        assert_eq!(Codec::Pcma.decode(0xD5), 8);
        assert_eq!(Codec::Pcma.decode(0x55), -8);
        assert_eq!(Codec::Pcma.decode(0xAA), 32_256);
        assert_eq!(Codec::Pcma.decode(0x2A), -32_256);
        for codec in Codec::ALL {
            assert_eq!(codec.encode(0), codec.silence());
        }
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            assert_eq!(Codec::Pcma.encode(Codec::Pcma.decode(byte)), byte);
            // µ-law has two zeros; the negative one comes back as the positive one.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(Codec::Pcmu.encode(Codec::Pcmu.decode(byte)), expected);
        }
    }

    #[test]
    fn every_sample_is_encoded_to_a_nearest_step_and_the_scale_rises() {
        for codec in Codec::ALL {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let heard = codec.decode(codec.encode(sample));
                assert!(heard >= before, "{codec:?} falls at {sample}");
                before = heard;
                let clipped = i32::from(sample).clamp(-32_635, 32_635);
                // Half of the largest step of the segment, plus what the 14- or 13-bit scale itself rounds away.
                let allowed = (clipped.abs() / 32).max(8) + 8;
                let error = (i32::from(heard) - clipped).abs();
                assert!(error <= allowed, "{codec:?} {sample} heard as {heard}");
            }
        }
    }

    #[test]
    fn going_to_the_other_law_and_back_loses_at_most_one_step() {
        for (from, to) in [(Codec::Pcmu, Codec::Pcma), (Codec::Pcma, Codec::Pcmu)] {
            let mut changed = 0;
            for byte in 0..=255u8 {
                let mut wire = [byte];
                from.transcode_in_place(to, &mut wire);
                to.transcode_in_place(from, &mut wire);
                let (was, is) = (i32::from(from.decode(byte)), i32::from(from.decode(wire[0])));
                assert!((was - is).abs() <= was.abs() / 12 + 16, "{from:?} {byte:#04x}: {was} became {is}");
                changed += usize::from(wire[0] != byte);
            }
            assert!(changed < 80, "{from:?} to {to:?} and back changed {changed} of 256 codes");
        }
        assert!(Codec::Pcma.table_to(Codec::Pcma).is_none());
    }

    #[test]
    fn names_and_payload_types_are_those_of_rfc_3551() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_name(&codec.name().to_lowercase()), Some(codec));
            assert_eq!(Codec::from_static_payload_type(codec.static_payload_type()), Some(codec));
        }
        assert_eq!(Codec::from_static_payload_type(101), None);
        assert_eq!(Codec::from_name("opus"), None);
    }
}

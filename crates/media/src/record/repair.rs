//! What a crash left, made whole; and what a recording's file says about itself.
//!
//! Works on the files this crate writes (and on any WAV file whose `data` chunk comes last or is followed by whole
//! chunks). The rule: audio that lies in the file counts, whatever the header says; nothing but sizes is rewritten.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::file::GAPS_COMMENT;
use crate::limits;

/// Longest comment that is read: 1,000 pauses of 24 characters, with room.
const COMMENT_BYTES_MAX: u64 = 64 * 1024;

/// What [`repair`] found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired {
    /// Length of the recording in milliseconds.
    pub duration_ms: u64,
    /// Whether anything had to be changed.
    pub changed: bool,
}

/// What a recording's file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// 1 or 2.
    pub channels: u16,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Length in milliseconds, of the audio that is really there.
    pub duration_ms: u64,
    /// Paused spans (start, end) in milliseconds.
    pub gaps: Vec<(u64, u64)>,
    /// Whether header and content agree; if not, [`repair`] helps.
    pub intact: bool,
}

/// Why a file cannot be repaired or read.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The operating system refused.
    #[error("cannot open or change the file: {0}")]
    Io(#[from] io::Error),
    /// Not a WAV file, or it ended before its audio began.
    #[error("there is no recording in the file: {0}")]
    NoRecording(&'static str),
}

/// Makes header and content of a recording agree after a crash or a full disk. A whole file is not touched.
pub fn repair(path: &Path) -> Result<Repaired, RepairError> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let layout = Layout::read(&file)?;
    let repaired = Repaired { duration_ms: layout.duration_ms(), changed: !layout.intact };
    if repaired.changed {
        file.set_len(layout.file_end)?;
        file.write_all_at(&(layout.data_bytes as u32).to_le_bytes(), layout.data_start - 4)?;
        if let Some(fact) = layout.fact {
            let samples = layout.data_bytes / u64::from(layout.block_align);
            file.write_all_at(&(samples as u32).to_le_bytes(), fact)?;
        }
        file.write_all_at(&((layout.file_end - 8) as u32).to_le_bytes(), 4)?;
        file.sync_all()?;
    }
    Ok(repaired)
}

/// Reads length, form and pauses of a recording without reading its audio.
pub fn read_info(path: &Path) -> Result<Info, RepairError> {
    let file = File::open(path)?;
    let layout = Layout::read(&file)?;
    Ok(Info {
        channels: layout.channels,
        sample_rate_hz: layout.sample_rate_hz,
        duration_ms: layout.duration_ms(),
        gaps: layout.gaps,
        intact: layout.intact,
    })
}

struct Layout {
    channels: u16,
    sample_rate_hz: u32,
    block_align: u16,
    /// Offset of the number of samples in the `fact` chunk.
    fact: Option<u64>,
    data_start: u64,
    /// Bytes of audio that are really there, whole samples only.
    data_bytes: u64,
    /// Where the file ends once it is repaired.
    file_end: u64,
    gaps: Vec<(u64, u64)>,
    intact: bool,
}

impl Layout {
    fn read(file: &File) -> Result<Layout, RepairError> {
        let len = file.metadata()?.len();
        let mut riff = [0; 12];
        read_at(file, &mut riff, 0, "it is empty or too short")?;
        if &riff[..4] != b"RIFF" || &riff[8..] != b"WAVE" {
            return Err(RepairError::NoRecording("it is not a WAV file"));
        }
        let riff_bytes = u64::from(le_u32(&riff[4..8]));
        let mut format = None;
        let mut fact = None;
        let mut at = 12;
        for _ in 0..limits::WAV_CHUNKS_MAX {
            let (name, bytes) = chunk_at(file, at)?;
            let content = at + 8;
            match &name {
                b"fmt " => {
                    let mut fields = [0; 16];
                    read_at(file, &mut fields, content, "its format is cut off")?;
                    format = Some(fields);
                }
                b"fact" => fact = Some(content),
                b"data" => {
                    let fields = format.ok_or(RepairError::NoRecording("it does not say its format"))?;
                    return Layout::of_data(file, len, riff_bytes, fields, fact, content, bytes);
                }
                _ => {}
            }
            at = content + bytes + bytes % 2;
        }
        Err(RepairError::NoRecording("its audio cannot be found"))
    }

    fn of_data(
        file: &File,
        len: u64,
        riff_bytes: u64,
        format: [u8; 16],
        fact: Option<u64>,
        data_start: u64,
        declared: u64,
    ) -> Result<Layout, RepairError> {
        let sample_rate_hz = le_u32(&format[4..8]);
        let channels = le_u16(&format[2..4]);
        let block_align = le_u16(&format[12..14]);
        if sample_rate_hz == 0 || channels == 0 || block_align == 0 {
            return Err(RepairError::NoRecording("its format makes no sense"));
        }
        let present = len.saturating_sub(data_start);
        let mut layout = Layout {
            channels,
            sample_rate_hz,
            block_align,
            fact,
            data_start,
            data_bytes: declared,
            file_end: data_start + declared,
            gaps: Vec::new(),
            intact: false,
        };
        let tail = data_start + declared + declared % 2;
        if declared <= present && declared.is_multiple_of(u64::from(block_align)) {
            let whole = tail >= len || layout.read_tail(file, tail, len)?;
            let mut name = [0; 4];
            if whole {
                layout.intact = riff_bytes + 8 == len.max(tail);
                layout.file_end = len;
                return Ok(layout);
            } else if read_at(file, &mut name, tail, "").is_ok() && &name == b"LIST" {
                // The crash came while the comment was written: the audio was complete and the header current.
                return Ok(layout);
            }
        }
        // The audio goes further than the header knows, or the header further than the audio. 32 bits bound both.
        let usable = present.min(u64::from(u32::MAX).saturating_sub(data_start));
        layout.data_bytes = usable - usable % u64::from(block_align);
        layout.file_end = data_start + layout.data_bytes;
        Ok(layout)
    }

    /// Reads the chunks after the audio; whether they end where the file ends.
    fn read_tail(&mut self, file: &File, tail: u64, len: u64) -> Result<bool, RepairError> {
        let mut at = tail;
        for _ in 0..limits::WAV_CHUNKS_MAX {
            if at == len {
                return Ok(true);
            }
            let Ok((name, bytes)) = chunk_at(file, at) else { return Ok(false) };
            if at + 8 + bytes > len || !name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
                return Ok(false);
            }
            if &name == b"LIST" && bytes <= COMMENT_BYTES_MAX {
                let mut content = vec![0; bytes as usize];
                read_at(file, &mut content, at + 8, "its comment is cut off")?;
                self.gaps = gaps_in(&content);
            }
            at += 8 + bytes + bytes % 2;
        }
        Ok(false)
    }

    fn duration_ms(&self) -> u64 {
        let samples = self.data_bytes / u64::from(self.block_align);
        samples * 1_000 / u64::from(self.sample_rate_hz)
    }
}

/// The pauses named in the content of a `LIST` chunk.
fn gaps_in(content: &[u8]) -> Vec<(u64, u64)> {
    let text = String::from_utf8_lossy(content);
    let Some((_, spans)) = text.split_once(GAPS_COMMENT) else { return Vec::new() };
    let spans = spans.split('\0').next().unwrap_or_default();
    spans
        .split(',')
        .filter_map(|span| {
            let (from, to) = span.split_once('-')?;
            Some((from.parse().ok()?, to.parse().ok()?))
        })
        .collect()
}

fn chunk_at(file: &File, at: u64) -> Result<([u8; 4], u64), RepairError> {
    let mut head = [0; 8];
    read_at(file, &mut head, at, "it ends before its audio begins")?;
    Ok(([head[0], head[1], head[2], head[3]], u64::from(le_u32(&head[4..]))))
}

fn read_at(file: &File, bytes: &mut [u8], at: u64, missing: &'static str) -> Result<(), RepairError> {
    file.read_exact_at(bytes, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => RepairError::NoRecording(missing),
        _ => RepairError::Io(error),
    })
}

fn le_u16(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

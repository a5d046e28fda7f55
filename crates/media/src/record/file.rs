//! One recording's file: a WAV file that is valid after every write but the one in progress.
//!
//! Layout (58 bytes, then audio, then at the end a comment naming the pauses): `RIFF`, `fmt ` with format 7 (µ-law, two
//! channels, 8 kHz), `fact` with the length in samples, `data`.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::sink::Channel;
use super::{Span, samples_to_ms};
use crate::codec::{CLOCK_HZ, Codec};

/// Where the audio begins.
pub(super) const HEADER_BYTES: u64 = 58;
/// Bytes of one sample of both channels.
pub(super) const BLOCK_ALIGN: u64 = 2;
/// The comment that names the pauses begins with this.
pub(super) const GAPS_COMMENT: &str = "paused_ms=";
/// Silence is written in pieces of this many bytes (8 s).
const SILENCE_BYTES: usize = 128_000;
static SILENCE: [u8; SILENCE_BYTES] = [Codec::Pcmu.silence(); SILENCE_BYTES];
/// Recordings are private to the account that runs the server.
const FILE_MODE: u32 = 0o600;

/// A growing recording.
pub(super) struct RecordFile {
    file: File,
    /// Length in samples.
    end: u64,
    /// The file system, to ask for its free space once for all files on it.
    pub(super) device: u64,
}

impl RecordFile {
    /// Creates the file; says in words for an operator why it cannot.
    pub(super) fn create(path: &Path, free_bytes_min: u64) -> Result<RecordFile, String> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match std::fs::metadata(directory) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(format!("{} is not a directory", directory.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(format!("the directory {} does not exist", directory.display()));
            }
            Err(error) => return Err(format!("the directory {} cannot be read: {error}", directory.display())),
        }
        let free =
            rustix::fs::statvfs(directory).map_err(|error| format!("the free space of {} cannot be read: {error}", directory.display()))?;
        enough_space(free_bytes(&free), free_bytes_min)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => format!("a file {} exists already", path.display()),
            ErrorKind::PermissionDenied => format!("no permission to write in {}", directory.display()),
            _ => failure("create", &error),
        })?;
        RecordFile::begin(file).map_err(|error| failure("write", &error))
    }

    /// Takes over an empty file.
    pub(super) fn begin(file: File) -> io::Result<RecordFile> {
        let device = file.metadata()?.dev();
        let file = RecordFile { file, end: 0, device };
        file.write_header()?;
        Ok(file)
    }

    /// Length in samples.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Writes µ-law of both channels, interleaved, at `position` (samples).
    pub(super) fn write_block(&mut self, position: u64, stereo: &[u8]) -> io::Result<()> {
        if position > self.end {
            self.write_silence(self.end, position)?;
        }
        self.file.write_all_at(stereo, offset(position))?;
        self.grow(position + stereo.len() as u64 / BLOCK_ALIGN)
    }

    /// Writes µ-law of one channel at `position`, leaving the other as it is.
    pub(super) fn write_channel(&mut self, position: u64, channel: Channel, mono: &[u8]) -> io::Result<()> {
        let end = position + mono.len() as u64;
        if end > self.end {
            self.write_silence(self.end, end)?;
        }
        let mut stereo = vec![0; mono.len() * BLOCK_ALIGN as usize];
        self.file.read_exact_at(&mut stereo, offset(position))?;
        for (place, byte) in stereo.iter_mut().skip(channel.index()).step_by(BLOCK_ALIGN as usize).zip(mono) {
            *place = *byte;
        }
        self.file.write_all_at(&stereo, offset(position))
    }

    /// Silences both channels in `from..to`, making the file longer where needed.
    pub(super) fn write_silence(&mut self, from: u64, to: u64) -> io::Result<()> {
        let (mut at, end) = (offset(from.min(self.end)), offset(to));
        while at < end {
            let bytes = (end - at).min(SILENCE_BYTES as u64);
            self.file.write_all_at(&SILENCE[..bytes as usize], at)?;
            at += bytes;
        }
        self.grow(to)
    }

    fn grow(&mut self, to: u64) -> io::Result<()> {
        if to > self.end {
            self.end = to;
            self.write_header()?;
        }
        Ok(())
    }

    fn write_header(&self) -> io::Result<()> {
        self.file.write_all_at(&header(self.end), 0)
    }

    /// Makes the file exactly `end` samples long and notes the pauses.
    pub(super) fn complete(&mut self, end: u64, pauses: &[Span]) -> io::Result<()> {
        if end > self.end {
            self.write_silence(self.end, end)?;
        } else if end < self.end {
            self.end = end;
            self.file.set_len(offset(end))?;
            self.write_header()?;
        }
        if !pauses.is_empty() {
            let chunk = comment_chunk(pauses);
            self.file.write_all_at(&chunk, offset(end))?;
            let riff_bytes = (offset(end) + chunk.len() as u64 - 8) as u32;
            self.file.write_all_at(&riff_bytes.to_le_bytes(), 4)?;
        }
        Ok(())
    }

    /// Cuts off what a failed write may have left half done, so that header and audio agree. Best effort: the disk has
    /// just refused us.
    pub(super) fn abandon(&mut self) {
        let cut = self.file.set_len(offset(self.end)).and_then(|()| self.write_header());
        if let Err(error) = cut {
            tracing::warn!(%error, "a failed recording needs repair before it can be played");
        }
    }

    /// Waits until the file is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Free bytes on the file system, for processes without privileges.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        rustix::fs::fstatvfs(&self.file).ok().map(|free| free_bytes(&free))
    }
}

fn free_bytes(free: &rustix::fs::StatVfs) -> u64 {
    free.f_bavail.saturating_mul(free.f_frsize)
}

/// Whether a file system has room left for recordings.
pub(super) fn enough_space(free_bytes: u64, free_bytes_min: u64) -> Result<(), String> {
    if free_bytes >= free_bytes_min {
        return Ok(());
    }
    Err(format!("the disk has only {} MB free, recordings need {} MB to be left", free_bytes >> 20, free_bytes_min.div_ceil(1 << 20)))
}

/// Why the operating system refused, for an operator.
pub(super) fn failure(doing: &str, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull => format!("the disk is full (cannot {doing} the recording)"),
        ErrorKind::QuotaExceeded => format!("the disk quota is used up (cannot {doing} the recording)"),
        ErrorKind::ReadOnlyFilesystem => format!("the disk is read-only (cannot {doing} the recording)"),
        ErrorKind::FileTooLarge => format!("the file would become too large (cannot {doing} the recording)"),
        _ => format!("cannot {doing} the recording: {error}"),
    }
}

fn offset(samples: u64) -> u64 {
    HEADER_BYTES + samples * BLOCK_ALIGN
}

/// The header of a file with `samples` of audio and nothing after it.
pub(super) fn header(samples: u64) -> [u8; HEADER_BYTES as usize] {
    const MU_LAW_FORMAT: u16 = 7;
    let data_bytes = (samples * BLOCK_ALIGN) as u32;
    let fields: [&[u8]; 16] = [
        b"RIFF",
        &(data_bytes + HEADER_BYTES as u32 - 8).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &18u32.to_le_bytes(),
        &MU_LAW_FORMAT.to_le_bytes(),
        &(BLOCK_ALIGN as u16).to_le_bytes(),
        &CLOCK_HZ.to_le_bytes(),
        &(CLOCK_HZ * BLOCK_ALIGN as u32).to_le_bytes(),
        &(BLOCK_ALIGN as u16).to_le_bytes(),
        &8u16.to_le_bytes(),
        // No extension; then the length in samples, which every format but PCM must carry.
        &0u16.to_le_bytes(),
        b"fact\x04\0\0\0",
        &(samples as u32).to_le_bytes(),
        b"data",
        &data_bytes.to_le_bytes(),
    ];
    let mut header = [0; HEADER_BYTES as usize];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    header
}

/// A `LIST` chunk with one `INFO` comment, as players show it: `paused_ms=1000-2500,9000-9900`.
fn comment_chunk(pauses: &[Span]) -> Vec<u8> {
    let spans: Vec<String> = pauses.iter().map(|pause| format!("{}-{}", samples_to_ms(pause.from), samples_to_ms(pause.to))).collect();
    // A text ends with a zero, and every chunk begins at an even offset.
    let mut text = format!("{GAPS_COMMENT}{}\0", spans.join(",")).into_bytes();
    if text.len() % 2 == 1 {
        text.push(0);
    }
    let mut chunk = Vec::with_capacity(text.len() + 20);
    chunk.extend_from_slice(b"LIST");
    chunk.extend_from_slice(&(text.len() as u32 + 12).to_le_bytes());
    chunk.extend_from_slice(b"INFOICMT");
    chunk.extend_from_slice(&(text.len() as u32).to_le_bytes());
    chunk.extend_from_slice(&text);
    chunk
}

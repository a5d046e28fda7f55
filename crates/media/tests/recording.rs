//! Recordings in a process that dies or whose disk is full: the process is this test binary once more.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use dreiklang_media::codec::{Codec, FRAME_SAMPLES};
use dreiklang_media::ids::RecordingId;
use dreiklang_media::limits::WAV_BYTES_MAX;
use dreiklang_media::record::{Channel, Config, Event, Recorder, RepairError, Sink, read_info, repair};
use dreiklang_media::tone::{Generator, heard};
use dreiklang_media::wav::Wav;

/// Where the child records; a process without it is no child.
const CHILD: &str = "DREIKLANG_TEST_RECORD_TO";
const SECOND: u64 = 8_000;
const TONES: [u32; 3] = [620, 1_230, 1_700];
const PATIENCE: Duration = Duration::from_secs(30);

/// Two parties that send a tone each.
struct Call {
    sink: Sink,
    parties: [(Channel, Generator, Codec); 2],
    position: u64,
}

impl Call {
    fn new(sink: Sink) -> Call {
        let party = |channel, hz, codec| (channel, Generator::new(&[hz], -20.0), codec);
        let parties = [party(Channel::Left, 620, Codec::Pcmu), party(Channel::Right, 1_230, Codec::Pcma)];
        Call { sink, parties, position: 0 }
    }

    fn talk_20_ms(&mut self) {
        for (channel, generator, codec) in &mut self.parties {
            let mut samples = [0; FRAME_SAMPLES];
            generator.fill(&mut samples);
            self.sink.write(*channel, self.position, &codec.encode_all(&samples), *codec);
        }
        self.position += FRAME_SAMPLES as u64;
    }
}

/// What the child does: it records until it is killed or its file refuses more. Run by itself it records one second.
#[test]
fn a_process_records_as_long_as_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let (path, seconds) = match std::env::var_os(CHILD) {
        Some(path) => (PathBuf::from(path), 3_600),
        None => (directory.path().join("call.wav"), 1),
    };
    let (sender, events) = sync_channel(10_000);
    let recorder = Recorder::start(Config { free_bytes_min: 0, ..Config::default() }, move |event| {
        sender.send(event).expect("the test listens");
    });
    let mut call = Call::new(recorder.open(RecordingId(1), path));
    for second in 1..=seconds {
        for _ in 0..50 {
            call.talk_20_ms();
            // The media clock, ten times as fast as life: not a wait for something to happen.
            std::thread::sleep(Duration::from_millis(2));
        }
        println!("second {second}");
        if let Ok(Event::Failed { reason, kept_ms, .. }) = events.try_recv() {
            println!("failed {kept_ms} {reason}");
            return;
        }
    }
    call.sink.finish(call.position);
    let finished = events.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(finished, Event::Finished { duration_ms, lost_ms: 0, .. } if duration_ms == seconds * 1_000));
}

/// Starts this binary again as a child that records to `path`, inside `shell` if one is given.
fn child(path: &Path, shell: Option<&str>) -> Child {
    let binary = std::env::current_exe().unwrap();
    let mut command = match shell {
        Some(script) => {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).arg(binary);
            command
        }
        None => Command::new(binary),
    };
    command.args(["--exact", "a_process_records_as_long_as_it_may", "--nocapture"]);
    command.env(CHILD, path).stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads what the child says until it says something that begins with `beginning`.
fn wait_for_line(child: &mut Child, beginning: &str) -> String {
    let (sender, lines) = sync_channel(10_000);
    let output = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
    });
    loop {
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the child never said {beginning:?}"));
        if let Some(at) = line.find(beginning) {
            return line[at..].to_owned();
        }
    }
}

/// Both parties are heard in every second that the file has.
fn assert_whole(path: &Path, duration_ms: u64) {
    let wav = Wav::read(path, WAV_BYTES_MAX).unwrap();
    assert!(!wav.truncated);
    assert_eq!(wav.duration_ms(), duration_ms);
    for (channel, hz) in wav.channels.iter().zip([620, 1_230]) {
        for second in channel.chunks_exact(SECOND as usize) {
            assert_eq!(heard(second, &TONES), [hz]);
        }
    }
}

#[test]
fn a_recording_of_a_killed_process_is_repaired_to_all_but_its_last_moments() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("call.wav");
    let mut child = child(&path, None);
    wait_for_line(&mut child, "second 10");
    child.kill().unwrap();
    child.wait().unwrap();

    // Played as it is, it is a valid file of some length already.
    let before = read_info(&path).unwrap();
    assert_eq!((before.channels, before.gaps.len()), (2, 0));
    let repaired = repair(&path).unwrap();
    // 0.6 s are in the sink, and 0.1 s of the child's time (1 s of its audio) waits in the queue; the rest is margin
    // for a busy machine.
    assert!((6_000..=10_500).contains(&repaired.duration_ms), "{repaired:?}");
    assert_whole(&path, repaired.duration_ms);
    assert!(!repair(&path).unwrap().changed);
    assert!(read_info(&path).unwrap().intact);
}

#[test]
fn a_recording_whose_file_cannot_grow_fails_with_its_reason_and_stays_playable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("call.wav");
    // 128 blocks of 512 bytes: somewhat more than four seconds, in the middle of a block. Some shells count in 1024.
    let mut child = child(&path, Some("trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""));
    let line = wait_for_line(&mut child, "failed ");
    assert!(child.wait().unwrap().success());
    assert!(line.ends_with("the file would become too large (cannot write the recording)"), "{line}");
    let kept_ms: u64 = line.split(' ').nth(1).unwrap().parse().unwrap();
    assert!((3_600..=8_200).contains(&kept_ms), "{kept_ms}");
    assert!(!repair(&path).unwrap().changed);
    assert_whole(&path, kept_ms);
}

/// A finished recording of two seconds with a pause, as bytes.
fn finished_recording(directory: &Path) -> Vec<u8> {
    let path = directory.join("finished.wav");
    let (sender, events) = sync_channel(10_000);
    let recorder = Recorder::start(Config { free_bytes_min: 0, ..Config::default() }, move |event| {
        sender.send(event).expect("the test listens");
    });
    let mut call = Call::new(recorder.open(RecordingId(1), path.clone()));
    (0..100).for_each(|_| call.talk_20_ms());
    call.sink.pause(2 * SECOND);
    call.sink.finish(3 * SECOND);
    let event = events.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(event, Event::Finished { duration_ms: 3_000, .. }), "{event:?}");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    bytes
}

/// Repairs a file of these bytes; its length and content afterwards.
fn repaired(directory: &Path, bytes: &[u8]) -> Result<(u64, bool, Vec<u8>), RepairError> {
    let path = directory.join("damaged.wav");
    std::fs::write(&path, bytes).unwrap();
    let result = repair(&path)?;
    assert!(read_info(&path).unwrap().intact);
    Ok((result.duration_ms, result.changed, std::fs::read(&path).unwrap()))
}

#[test]
fn a_crash_at_any_byte_of_a_recording_can_be_repaired() {
    const HEADER: usize = 58;
    let directory = tempfile::tempdir().unwrap();
    let whole = finished_recording(directory.path());
    let audio_end = HEADER + 3 * 16_000;
    assert_eq!(repaired(directory.path(), &whole).unwrap(), (3_000, false, whole.clone()));

    // Killed between audio and header: any older length in the header.
    for (header_samples, bytes_there) in [(0u32, 40_000), (3_200, 40_000), (3_200, 40_001), (12_800, 25_600)] {
        let mut killed = whole[..HEADER + bytes_there].to_vec();
        killed[4..8].copy_from_slice(&(header_samples * 2 + 50).to_le_bytes());
        killed[46..50].copy_from_slice(&header_samples.to_le_bytes());
        killed[54..58].copy_from_slice(&(header_samples * 2).to_le_bytes());
        let (duration_ms, changed, after) = repaired(directory.path(), &killed).unwrap();
        assert_eq!(duration_ms, bytes_there as u64 / 16);
        assert_eq!(changed, header_samples as usize * 2 != bytes_there);
        assert_eq!(after.len(), HEADER + bytes_there / 2 * 2);
        assert_eq!(after[HEADER..], whole[HEADER..after.len()]);
    }
    // Killed while the comment with the pauses was written: nothing of the audio is lost, no comment becomes audio.
    for cut in audio_end..whole.len() {
        let mut killed = whole[..cut].to_vec();
        killed[4..8].copy_from_slice(&(audio_end as u32 - 8).to_le_bytes());
        let (duration_ms, _, after) = repaired(directory.path(), &killed).unwrap();
        // Fewer than four letters of the comment cannot be told from audio: at most two samples.
        assert!(duration_ms == 3_000 && after.len() <= audio_end + 2, "cut at {cut}: {}", after.len());
    }
    // Killed after the comment, before the size of the whole.
    let mut killed = whole.clone();
    killed[4..8].copy_from_slice(&(audio_end as u32 - 8).to_le_bytes());
    assert_eq!(repaired(directory.path(), &killed).unwrap(), (3_000, true, whole.clone()));
}

#[test]
fn a_file_without_a_recording_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let whole = finished_recording(directory.path());
    let path = directory.path().join("damaged.wav");
    for bytes in [&b""[..], b"RIFF", &whole[..57], b"ID3 this is another kind of file, and a long one", &whole[12..]] {
        assert!(matches!(repaired(directory.path(), bytes), Err(RepairError::NoRecording(_))));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    assert!(matches!(repair(&directory.path().join("none.wav")), Err(RepairError::Io(_))));
}

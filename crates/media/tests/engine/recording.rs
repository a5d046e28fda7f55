//! Recordings as the parties' packets make them.

use std::path::{Path, PathBuf};

use dreiklang_media::codec::{Codec, FRAME_SAMPLES};
use dreiklang_media::engine::{Edit, Event};
use dreiklang_media::ids::RecordingId;

use crate::party::{FRAMES, Metronome, Node, Party, frame};

const RECORDING: RecordingId = RecordingId(70);

fn record(path: &Path, left: &Party, right: Option<&Party>) -> Edit {
    Edit::Record { recording: RECORDING, path: path.to_owned(), left: left.stream, right: right.map(|party| party.stream) }
}

/// Stops the recording and gives its length in milliseconds, its pauses and its file.
fn stop(node: &Node) -> (u64, Vec<(u64, u64)>, PathBuf) {
    node.apply([Edit::StopRecording { recording: RECORDING }]);
    finished(node)
}

fn finished(node: &Node) -> (u64, Vec<(u64, u64)>, PathBuf) {
    node.wait("the recording", |event| match event {
        Event::RecordingFinished { recording: RECORDING, path, duration_ms, channels: 2, lost_ms: 0, gaps } => {
            Some((*duration_ms, gaps.clone(), path.clone()))
        }
        _ => None,
    })
}

/// The µ-law bytes of one channel of a stereo file.
fn channel(path: &Path, right: bool) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("the file");
    let data = bytes.windows(4).position(|window| window == b"data").expect("a data chunk") + 8;
    let size = u32::from_le_bytes(bytes[data - 4..data].try_into().expect("four bytes")) as usize;
    bytes[data..data + size].iter().skip(usize::from(right)).step_by(2).copied().collect()
}

/// The frames that are heard in `audio`, in order, each with the position of its first sample; parts of a frame count.
fn frames(audio: &[u8]) -> Vec<(usize, u8)> {
    let mut heard = Vec::new();
    let mut at = 0;
    for run in audio.chunk_by(|one, next| one == next) {
        if let Some(number) = (0..FRAMES).find(|number| frame(*number)[0] == run[0]) {
            heard.push((at, number));
        }
        at += run.len();
    }
    heard
}

fn numbers(audio: &[u8]) -> Vec<u8> {
    frames(audio).into_iter().map(|(_, number)| number).collect()
}

#[test]
fn both_channels_are_recorded_from_the_first_packet() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    let metronome = Metronome::start(&node);
    for number in 0..30 {
        left.say(number);
        right.say(number + 30);
        assert_eq!(right.hear().payload, frame(number), "the call goes on meanwhile");
        left.hear();
        metronome.beat();
    }
    let (duration_ms, gaps, file) = stop(&node);
    assert_eq!((gaps, &file), (vec![], &path));
    let heard = frames(&channel(&path, false));
    assert_eq!(heard.iter().map(|(_, number)| *number).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
    assert_eq!(numbers(&channel(&path, true)), (30..60).collect::<Vec<_>>());
    // The timestamps rule: one frame exactly after the other, however late the test was.
    for pair in heard.windows(2) {
        assert_eq!(pair[1].0 - pair[0].0, FRAME_SAMPLES);
    }
    assert!(duration_ms >= 600, "{duration_ms}");
}

#[test]
fn the_other_law_is_recorded_as_the_same_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcma, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    left.say(7);
    right.hear();
    stop(&node);
    let mut expected = frame(7);
    Codec::Pcma.transcode_in_place(Codec::Pcmu, &mut expected);
    let audio = channel(&path, false);
    let begin = audio.iter().position(|byte| *byte != Codec::Pcmu.silence()).expect("sound");
    assert_eq!(audio[begin..begin + FRAME_SAMPLES], expected);
}

#[test]
fn the_channels_keep_their_distance_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start_with(|config| config.quiet_ms = 400);
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    left.say(1);
    right.hear();
    // The engine's own clock says when 400 ms are over; from before there may be news of silence as well.
    node.other_events();
    node.wait("silence", |event| matches!(event, Event::Quiet { stream, .. } if *stream == left.stream).then_some(()));
    right.say(2);
    left.hear();
    let (duration_ms, ..) = stop(&node);
    let (said, answered) = (frames(&channel(&path, false))[0].0, frames(&channel(&path, true))[0].0);
    // The first packet may be cut to the beginning of the recording, by the 20 ms it lasts at most.
    assert!(answered - said >= 380 * 8, "{said} and {answered}");
    assert!(duration_ms >= 380);
}

#[test]
fn what_is_said_in_a_pause_is_not_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    let metronome = Metronome::start(&node);
    for number in 0..60 {
        match number {
            20 => node.apply([Edit::PauseRecording { recording: RECORDING }]),
            40 => node.apply([Edit::ResumeRecording { recording: RECORDING }]),
            _ => {}
        }
        left.say(number);
        assert_eq!(right.hear().payload, frame(number), "the call goes on meanwhile");
        metronome.beat();
    }
    let (_, gaps, _) = stop(&node);
    let heard = numbers(&channel(&path, false));
    assert_eq!(heard[..19], (0..19).collect::<Vec<_>>());
    assert_eq!(heard[heard.len() - 15..], (45..60).collect::<Vec<_>>());
    // A packet that is on its way at the border may be cut or left out, one from the middle never comes through.
    assert!(!heard.iter().any(|number| (21..39).contains(number)), "{heard:?}");
    assert_eq!(gaps.len(), 1);
    // About 400 ms; a metronome that was held up makes the next beats come sooner.
    assert!(gaps[0].1 - gaps[0].0 >= 200, "{gaps:?}");
}

#[test]
fn after_a_transfer_the_right_channel_is_the_new_partner() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    let mut third = node.party(3, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    right.say(1);
    left.hear();
    node.apply([
        Edit::Close { stream: right.stream },
        left.hears(&third),
        third.hears(&left),
        Edit::RecordRight { recording: RECORDING, right: Some(third.stream) },
    ]);
    third.say(2);
    left.hear();
    left.say(3);
    third.hear();
    node.apply([Edit::RecordRight { recording: RECORDING, right: None }]);
    third.say(4);
    left.hear();
    stop(&node);
    let heard = numbers(&channel(&path, true));
    assert!(heard.ends_with(&[2]) && !heard.contains(&4), "{heard:?}");
    assert_eq!(numbers(&channel(&path, false)), [3]);
}

#[test]
fn the_last_stream_of_a_call_ends_its_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    left.say(1);
    right.hear();
    node.apply([Edit::Close { stream: left.stream }, Edit::Close { stream: right.stream }]);
    finished(&node);
    assert_eq!(numbers(&channel(&path, false)), [1]);
    assert_eq!(node.engine.counters().recordings, 0);
}

#[test]
fn the_end_of_the_engine_completes_recordings() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(&path, &left, Some(&right))]);
    left.say(1);
    right.hear();
    node.engine.shutdown();
    finished(&node);
    assert_eq!(numbers(&channel(&path, false)), [1]);
}

#[test]
fn a_recording_that_cannot_be_written_fails_and_the_call_goes_on() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(Path::new("/proc/no such folder/call.wav"), &left, Some(&right))]);
    let reason = node.wait("the failure", |event| match event {
        Event::RecordingFailed { recording: RECORDING, reason, kept_ms: 0, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(!reason.is_empty());
    left.say(1);
    assert_eq!(right.hear().payload, frame(1));
    node.wait_counted(|counters| counters.recordings == 0);
}

#[test]
fn two_recordings_of_one_name_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::start();
    let (left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    node.apply([record(&folder.path().join("a.wav"), &left, Some(&right)), record(&folder.path().join("b.wav"), &left, None)]);
    let path = node.wait("the refusal", |event| match event {
        Event::RecordingFailed { recording: RECORDING, path, .. } => Some(path.clone()),
        _ => None,
    });
    assert_eq!(path, folder.path().join("b.wav"));
    stop(&node);
}

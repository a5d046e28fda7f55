//! The recorder as a whole: what is in the file and in the event, also when things go wrong.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use super::*;
use crate::codec::Codec;
use crate::limits::{self, WAV_BYTES_MAX};
use crate::tone;
use crate::wav::Wav;

const PATIENCE: Duration = Duration::from_secs(20);
const FRAME: u64 = crate::codec::FRAME_SAMPLES as u64;
const SECOND: u64 = 8_000;
const TONES: [u32; 3] = [620, 1_230, 1_700];

struct Bench {
    recorder: Recorder,
    events: Receiver<Event>,
    directory: tempfile::TempDir,
}

impl Bench {
    fn new(config: Config) -> Bench {
        let (sender, events) = sync_channel(100);
        let recorder = Recorder::start(config, move |event| sender.send(event).expect("the test listens"));
        Bench { recorder, events, directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("call.wav")
    }

    fn open(&self) -> Sink {
        self.recorder.open(RecordingId(7), self.path())
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("an event comes")
    }

    fn finished(&self) -> (u64, u64, Vec<(u64, u64)>) {
        match self.event() {
            Event::Finished { recording: RecordingId(7), path, duration_ms, lost_ms, gaps } => {
                assert_eq!(path, self.path());
                (duration_ms, lost_ms, gaps)
            }
            other => panic!("{other:?}"),
        }
    }

    fn failure(&self) -> String {
        match self.event() {
            Event::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    fn channels(&self) -> [Vec<i16>; 2] {
        channels(&self.path())
    }
}

fn config() -> Config {
    Config { concurrent_max: 100, free_bytes_min: 0, ..Config::default() }
}

fn channels(path: &Path) -> [Vec<i16>; 2] {
    let wav = Wav::read(path, WAV_BYTES_MAX).unwrap();
    assert!(!wav.truncated);
    wav.channels.try_into().unwrap()
}

/// Frames of a tone, encoded.
fn speech(hz: u32, ms: u32, codec: Codec) -> Vec<Vec<u8>> {
    let samples = tone::sines(&[hz], -20.0, ms);
    samples.chunks(FRAME as usize).map(|frame| codec.encode_all(frame)).collect()
}

/// Both parties talk for `ms`, in turn, from `position` on.
fn talk(sink: &mut Sink, position: u64, ms: u32) {
    let (left, right) = (speech(620, ms, Codec::Pcmu), speech(1_230, ms, Codec::Pcma));
    for (index, (left, right)) in left.iter().zip(&right).enumerate() {
        let at = position + index as u64 * FRAME;
        sink.write(Channel::Left, at, left, Codec::Pcmu);
        sink.write(Channel::Right, at, right, Codec::Pcma);
    }
}

fn ms(from: u64, to: u64) -> std::ops::Range<usize> {
    (from * 8) as usize..(to * 8) as usize
}

#[test]
fn each_party_is_heard_on_its_own_channel_for_the_whole_length() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    talk(&mut sink, 0, 3_000);
    sink.finish(3 * SECOND);
    assert_eq!(bench.finished(), (3_000, 0, vec![]));
    let [left, right] = bench.channels();
    for second in 0..3 {
        let span = ms(second * 1_000, second * 1_000 + 1_000);
        assert_eq!(tone::heard(&left[span.clone()], &TONES), [620]);
        assert_eq!(tone::heard(&right[span], &TONES), [1_230]);
    }
    assert_eq!(left.len(), 24_000);
    let counters = bench.recorder.counters();
    assert_eq!((counters.active, counters.blocks_overflowed, counters.bytes_written), (0, 0, 48_000));
    let info = read_info(&bench.path()).unwrap();
    assert_eq!((info.channels, info.sample_rate_hz, info.duration_ms, info.intact), (2, 8_000, 3_000, true));
}

#[test]
fn audio_begins_exactly_where_its_position_says() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    sink.write(Channel::Left, 12_345, &[0x80; 100], Codec::Pcmu);
    sink.write(Channel::Right, 12_400, &[0xAA; 100], Codec::Pcma);
    sink.finish(2 * SECOND);
    assert_eq!(bench.finished().0, 2_000);
    let [left, right] = bench.channels();
    let loud = |samples: &[i16]| -> Vec<usize> {
        samples.iter().enumerate().filter(|(_, sample)| **sample != 0).map(|(index, _)| index).collect()
    };
    assert_eq!(loud(&left), (12_345..12_445).collect::<Vec<_>>());
    assert_eq!(loud(&right), (12_400..12_500).collect::<Vec<_>>());
}

#[test]
fn a_span_without_packets_is_silent_and_keeps_its_length() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    talk(&mut sink, 0, 1_000);
    talk(&mut sink, 61 * SECOND, 1_000);
    sink.finish(70 * SECOND);
    assert_eq!(bench.finished(), (70_000, 0, vec![]));
    let [left, right] = bench.channels();
    for channel in [left, right] {
        assert_eq!(channel.len(), 560_000);
        assert!(tone::level_dbfs(&channel[ms(0, 1_000)]) > -22.0);
        assert!(channel[ms(1_000, 61_000)].iter().all(|sample| *sample == 0));
        assert!(tone::level_dbfs(&channel[ms(61_000, 62_000)]) > -22.0);
        assert!(channel[ms(62_000, 70_000)].iter().all(|sample| *sample == 0));
    }
}

#[test]
fn packets_out_of_order_and_a_second_late_come_to_their_place() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    let frames = speech(620, 4_000, Codec::Pcma);
    let other = speech(1_230, 4_000, Codec::Pcmu);
    let mut order: Vec<usize> = (0..frames.len()).collect();
    for pair in order.chunks_mut(2) {
        pair.reverse();
    }
    // A stall: one second of the first party comes after the second party's has gone.
    order[60..160].rotate_left(50);
    for (index, late) in order.into_iter().enumerate() {
        sink.write(Channel::Right, index as u64 * FRAME, &other[index], Codec::Pcmu);
        sink.write(Channel::Left, late as u64 * FRAME, &frames[late], Codec::Pcma);
    }
    sink.finish(4 * SECOND);
    assert_eq!(bench.finished(), (4_000, 0, vec![]));
    let [left, right] = bench.channels();
    assert_eq!(left, Codec::Pcma.decode_all(&frames.concat()).iter().map(through_mu_law).collect::<Vec<_>>());
    assert_eq!(right, Codec::Pcmu.decode_all(&other.concat()));
}

fn through_mu_law(sample: &i16) -> i16 {
    Codec::Pcmu.decode(Codec::Pcmu.encode(*sample))
}

#[test]
fn nothing_said_during_a_pause_is_in_the_file() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    talk(&mut sink, 0, 2_000);
    // The command comes when audio beyond its moment has been written already, and some of that has gone to the file.
    sink.pause(SECOND);
    assert!(sink.is_paused());
    talk(&mut sink, 2 * SECOND, 2_000);
    // Said during the pause by somebody whose clock is slow.
    sink.write(Channel::Right, SECOND / 2, &[0x80; 160], Codec::Pcmu);
    sink.resume(4 * SECOND - 100);
    talk(&mut sink, 4 * SECOND, 1_000);
    // Late packets of the pause, and a packet across its end.
    talk(&mut sink, 3 * SECOND, 200);
    sink.write(Channel::Left, 4 * SECOND - 160, &[0x80; 160], Codec::Pcmu);
    sink.pause(5 * SECOND);
    sink.pause(5 * SECOND + 1);
    sink.finish(6 * SECOND);
    let gaps = vec![(1_000, 3_987), (5_000, 6_000)];
    assert_eq!(bench.finished(), (6_000, 0, gaps.clone()));
    assert_eq!(read_info(&bench.path()).unwrap().gaps, gaps);
    let [left, right] = bench.channels();
    for channel in [&left, &right] {
        assert!(tone::level_dbfs(&channel[ms(0, 1_000)]) > -22.0);
        assert!(channel[8_000..31_900].iter().all(|sample| *sample == 0), "a pause is silent");
        assert!(tone::level_dbfs(&channel[ms(4_000, 5_000)]) > -22.0);
        assert!(channel[ms(5_000, 6_000)].iter().all(|sample| *sample == 0));
        assert_eq!(tone::heard(&channel[ms(0, 1_000)], &TONES).len(), 1);
        assert!(channel[ms(0, 1_000)].iter().all(|sample| sample.abs() < 10_000));
    }
    assert!(left[31_900..32_000].iter().all(|sample| *sample == 32_124));
}

#[test]
fn after_a_thousand_pauses_the_last_one_stays() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    for pause in 0..2_000 {
        sink.pause(pause * 20);
        sink.resume(pause * 20 + 10);
    }
    assert!(sink.is_paused());
    talk(&mut sink, 5 * SECOND, 1_000);
    sink.finish(6 * SECOND);
    let (duration_ms, _, gaps) = bench.finished();
    assert_eq!((duration_ms, gaps.len(), gaps[999].1), (6_000, 1_000, 6_000));
    let [left, right] = bench.channels();
    assert!(left.iter().chain(&right).all(|sample| *sample == 0));
}

#[test]
fn silence_reaches_the_file_while_nobody_talks() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    for tick in 1..=50 {
        sink.advance(tick * 1_600);
    }
    bench.recorder.shutdown();
    let (duration_ms, ..) = bench.finished();
    assert!((9_000..=10_000).contains(&duration_ms), "{duration_ms} ms of 10 s were handed over");
    assert!(sink.is_closed());
}

#[test]
fn a_dropped_sink_is_finished_where_it_was() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    talk(&mut sink, 0, 500);
    sink.advance(SECOND);
    drop(sink);
    assert_eq!(bench.finished(), (1_000, 0, vec![]));
}

#[test]
fn a_finish_before_the_last_audio_cuts_it_off() {
    let bench = Bench::new(config());
    let mut sink = bench.open();
    talk(&mut sink, 0, 3_000);
    sink.finish(SECOND);
    assert_eq!(bench.finished(), (1_000, 0, vec![]));
    assert_eq!(bench.channels()[0].len(), 8_000);
    assert_eq!(repair(&bench.path()).unwrap(), Repaired { duration_ms: 1_000, changed: false });
}

#[test]
fn a_recording_ends_at_its_longest_duration() {
    let bench = Bench::new(Config { duration_ms_max: 1_500, ..config() });
    let mut sink = bench.open();
    talk(&mut sink, 0, 3_000);
    assert!(sink.is_closed());
    assert_eq!(bench.finished(), (1_500, 0, vec![]));
    let mut jump = bench.recorder.open(RecordingId(8), bench.directory.path().join("jump.wav"));
    jump.write(Channel::Left, u64::MAX - 5, &[1; 160], Codec::Pcmu);
    assert!(jump.is_closed());
    assert!(matches!(bench.event(), Event::Finished { duration_ms: 1_500, .. }));
}

#[test]
fn no_more_than_the_allowed_recordings_run_at_a_time() {
    let bench = Bench::new(Config { concurrent_max: 1, ..config() });
    let first = bench.open();
    let second = bench.recorder.open(RecordingId(8), bench.directory.path().join("second.wav"));
    assert!(second.is_closed());
    assert!(bench.failure().contains("limit of 1 recordings"));
    first.finish(0);
    assert_eq!(bench.finished(), (0, 0, vec![]));
    let third = bench.recorder.open(RecordingId(9), bench.directory.path().join("third.wav"));
    third.finish(SECOND);
    assert!(matches!(bench.event(), Event::Finished { duration_ms: 1_000, .. }));
}

#[test]
fn what_prevents_a_recording_is_said_clearly() {
    let bench = Bench::new(config());
    let directory = bench.directory.path();
    std::fs::write(directory.join("file"), b"x").unwrap();
    let reason = |path: PathBuf| {
        let mut sink = bench.recorder.open(RecordingId(1), path);
        let reason = bench.failure();
        assert!(sink.is_closed());
        talk(&mut sink, 0, 100);
        reason
    };
    assert!(reason(directory.join("missing/call.wav")).ends_with("missing does not exist"));
    assert!(reason(directory.join("file/call.wav")).ends_with("file is not a directory"));
    assert!(reason(directory.join("file")).ends_with("exists already"));
    // Not even the superuser may create files there.
    assert!(reason(PathBuf::from("/sys/call.wav")).contains("no permission to write in /sys"));
    assert_eq!(bench.recorder.counters().active, 0);

    let greedy = Bench::new(Config { free_bytes_min: u64::MAX, ..config() });
    drop(greedy.open());
    let reason = greedy.failure();
    assert!(reason.contains("MB free") && reason.contains("17592186044416 MB"), "{reason}");
    assert!(!greedy.path().exists());
}

#[test]
fn a_full_disk_is_called_by_its_name() {
    let full = std::fs::OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    let Err(error) = file::RecordFile::begin(full) else { panic!("/dev/full took a header") };
    assert_eq!(file::failure("write", &error), "the disk is full (cannot write the recording)");
}

#[test]
fn blocks_beyond_a_stalled_writer_are_counted_as_lost_and_the_length_stays() {
    let (sender, events) = sync_channel(100);
    let (enter, entered) = sync_channel(100);
    let (leave, left) = sync_channel::<()>(1);
    let left = Mutex::new(left);
    let directory = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(Config { concurrent_max: 1, ..config() }, move |event| {
        if matches!(event, Event::Failed { .. }) {
            enter.send(()).expect("the test listens");
            left.lock().unwrap().recv_timeout(PATIENCE).expect("the test lets go");
        }
        sender.send(event).expect("the test listens");
    });
    // The writer thread itself reports this failure, and is held in its callback.
    drop(recorder.open(RecordingId(1), directory.path().join("missing/call.wav")));
    entered.recv_timeout(PATIENCE).unwrap();
    let path = directory.path().join("call.wav");
    let mut sink = recorder.open(RecordingId(2), path.clone());
    talk(&mut sink, 0, 60_000);
    assert!(recorder.counters().blocks_overflowed > 50);
    leave.send(()).unwrap();
    sink.finish(60 * SECOND);
    assert!(matches!(events.recv_timeout(PATIENCE).unwrap(), Event::Failed { .. }));
    let Event::Finished { duration_ms, lost_ms, .. } = events.recv_timeout(PATIENCE).unwrap() else { panic!() };
    // The queue holds 64 messages: the opening and 63 blocks of 400 ms.
    assert_eq!(duration_ms, 60_000);
    assert!((60_000 - 63 * 400 - 800..=60_000 - 63 * 400).contains(&lost_ms), "{lost_ms}");
    let [left, _] = channels(&path);
    assert_eq!(tone::heard(&left[ms(0, 25_000)], &TONES), [620]);
    assert_eq!(left.len(), 480_000);
}

#[test]
fn recordings_opened_after_the_end_are_refused() {
    let bench = Bench::new(config());
    bench.recorder.shutdown();
    assert!(bench.open().is_closed());
    assert_eq!(bench.failure(), SHUT_DOWN);
    bench.recorder.shutdown();
}

#[test]
fn many_recordings_at_once_keep_their_audio_apart() {
    let bench = Bench::new(config());
    let path = |number: u32| bench.directory.path().join(format!("{number}.wav"));
    let frequency = |number: u32| 500 + 50 * number;
    let mut sinks: Vec<Sink> = (0..40).map(|number| bench.recorder.open(RecordingId(number.into()), path(number))).collect();
    let speeches: Vec<_> = (0..40).map(|number| speech(frequency(number), 2_000, Codec::Pcmu)).collect();
    for index in 0..100 {
        for (sink, speech) in sinks.iter_mut().zip(&speeches) {
            sink.write(Channel::Right, index as u64 * FRAME, &speech[index], Codec::Pcmu);
        }
    }
    for sink in sinks {
        sink.finish(2 * SECOND);
    }
    for _ in 0..40 {
        assert!(matches!(bench.event(), Event::Finished { duration_ms: 2_000, lost_ms: 0, .. }));
    }
    for number in 0..40 {
        let [left, right] = channels(&path(number));
        assert!(left.iter().all(|sample| *sample == 0));
        assert_eq!(right, Codec::Pcmu.decode_all(&speeches[number as usize].concat()));
    }
}

#[test]
fn a_recorder_that_is_ended_while_the_disk_holds_it_up_ends() {
    // The first report waits for the gate, and with it the thread that waits for the disk.
    let (open_gate, gate) = sync_channel::<()>(1);
    let gate = Mutex::new(gate);
    let recordings = limits::RECORDINGS_ENDED_MAX + 10;
    let roomy = Config { concurrent_max: recordings, ..config() };
    let recorder = Recorder::start(roomy, move |_| assert!(gate.lock().unwrap().recv().is_err(), "the gate opens by closing"));
    let directory = tempfile::tempdir().unwrap();
    let path = |number: usize| directory.path().join(format!("{number}.wav"));
    for number in 0..recordings {
        let mut sink = recorder.open(RecordingId(number as u128), path(number));
        // Pauses are written into a file when it is complete: that tells how far the writer has come.
        sink.pause(0);
        sink.finish(SECOND);
    }
    let completed = || (0..recordings).filter(|number| read_info(&path(*number)).is_ok_and(|info| !info.gaps.is_empty())).count();
    let end = std::time::Instant::now() + PATIENCE;
    while completed() < limits::RECORDINGS_ENDED_MAX + 2 {
        assert!(std::time::Instant::now() < end, "{} are complete", completed());
        thread::park_timeout(Duration::from_millis(5));
    }
    // Now the writer waits for its turn behind the others.
    let (over, ended) = sync_channel(1);
    let ending = recorder.clone();
    let shutdown = thread::spawn(move || {
        ending.shutdown();
        over.send(()).unwrap();
    });
    while !recorder.handle.shared.woken.load(Ordering::Acquire) {
        thread::yield_now();
    }
    drop(open_gate);
    ended.recv_timeout(PATIENCE).expect("the recorder ends");
    shutdown.join().unwrap();
}

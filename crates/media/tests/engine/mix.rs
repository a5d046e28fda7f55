//! Several who hear each other.

use std::path::Path;
use std::time::Instant;

use dreiklang_media::codec::{Codec, FRAME_SAMPLES};
use dreiklang_media::dtmf;
use dreiklang_media::engine::{Direction, Edit, Event, Repeat, Source};
use dreiklang_media::ids::{PlayId, RecordingId, StreamId};
use dreiklang_media::limits;
use dreiklang_media::prompt::Prompt;
use dreiklang_media::tone;
use dreiklang_media::wav::Wav;

use crate::party::{GROUP, Metronome, Node, PATIENCE, Party, follows, frame};
use crate::room::{LEVEL_DBFS, Room, TONES};

#[test]
fn three_hear_each_other_and_nobody_the_own_voice() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);
    for speaker in &room.speakers {
        speaker.heard_one_stream();
        // Nothing is lost of the level.
        let samples = speaker.samples();
        for hz in TONES.iter().filter(|hz| **hz != speaker.hz).take(1) {
            let level = tone::tone_dbfs(&samples[samples.len() - 1_600..], f64::from(*hz));
            assert!((level - LEVEL_DBFS).abs() < 1.5, "{hz} Hz at {level} dBFS");
        }
    }
}

#[test]
fn each_speaks_and_hears_the_own_law() {
    let mut room = Room::new(&[Codec::Pcma, Codec::Pcmu, Codec::Pcma]);
    room.node.apply(room.conference());
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);
    for speaker in &room.speakers {
        assert!(speaker.heard.iter().all(|got| got.header.payload_type == speaker.party.remote.payload_type));
    }
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_takes_over() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcma, Codec::Pcmu]);
    let (customer, agent, supervisor) = (0, 1, 2);
    let bridge = |room: &Room, a: usize, b: usize| {
        let (a, b) = (&room.speakers[a].party, &room.speakers[b].party);
        [a.hears(b), b.hears(a)]
    };
    room.node.apply(bridge(&room, customer, agent));
    room.expect(&[&[700], &[400], &[]]);

    room.node.apply([room.hears(supervisor, &[customer, agent])]);
    room.expect(&[&[700], &[400], &[400, 700]]);

    room.node.apply([room.hears(agent, &[customer, supervisor])]);
    room.expect(&[&[700], &[400, 1_000], &[400, 700]]);

    room.node.apply([room.hears(customer, &[agent, supervisor])]);
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);

    let [one, other] = bridge(&room, customer, supervisor);
    room.node.apply([one, other, room.speakers[agent].party.hears_silence()]);
    room.expect(&[&[1_000], &[], &[400]]);
    assert_eq!(room.node.other_events().iter().filter(|event| !matches!(event, Event::FirstPacket { .. })).count(), 0);
}

#[test]
fn what_a_listener_is_sent_stays_one_stream_whatever_it_hears() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcma, Codec::Pcmu]);
    let prompt = std::sync::Arc::new(Prompt::from_samples(&tone::sines(&[2_500], LEVEL_DBFS, 5_000)));
    let listener = room.stream(0);
    let peer = |room: &Room, other: usize| Edit::Hear { listener, source: Source::Peer(room.stream(other)) };
    room.node.apply([peer(&room, 1)]);
    room.forget();
    let play = Source::Prompt { prompt, play: PlayId(1), repeat: Repeat::Forever };
    let changes = [
        room.hears(0, &[1, 2]),
        Edit::Hear { listener, source: play },
        room.hears(0, &[1, 2]),
        room.hears(0, &[2]),
        peer(&room, 2),
        room.hears(0, &[2, 1]),
        Edit::Hear { listener, source: Source::Silence },
        room.hears(0, &[1, 2]),
        peer(&room, 1),
    ];
    for change in changes {
        room.node.apply([change]);
        for _ in 0..12 {
            room.beat();
        }
    }
    room.speakers[0].heard_one_stream();
    let beginnings = room.speakers[0].heard.iter().filter(|got| got.header.marker).count();
    // Each change but the one from two voices to one of them, and the one to silence.
    assert!(beginnings >= 7, "{beginnings}");
}

#[test]
fn who_leaves_is_not_heard_any_more_and_the_last_one_leaves_silence() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    room.expect(&[&[700, 1_000, 1_300], &[400, 1_000, 1_300], &[400, 700, 1_300], &[400, 700, 1_000]]);
    room.node.apply([Edit::Close { stream: room.stream(3) }]);
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700], &[]]);
    room.node.apply([Edit::Close { stream: room.stream(2) }]);
    room.expect(&[&[700], &[400], &[], &[]]);
    room.node.apply([Edit::Close { stream: room.stream(1) }]);
    room.expect(&[&[], &[], &[], &[]]);
    assert!(room.speakers[0].heard.is_empty(), "there is nothing to be heard");
    // The port may be somebody else's by now.
    let joined = room.node.party(9, Codec::Pcmu);
    room.node.apply([Edit::Hear { listener: joined.stream, source: Source::Mix(vec![room.stream(0), room.stream(1)]) }]);
    room.expect(&[&[], &[], &[], &[]]);
}

#[test]
fn who_says_nothing_and_who_cannot_be_reached_yet_disturb_nobody() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.speakers[2].silent = true;
    let unknown = StreamId(50);
    room.node.engine.open(GROUP, unknown).expect("a port");
    let mut edits = room.conference();
    edits.push(Edit::Hear { listener: unknown, source: Source::Mix(vec![room.stream(0), room.stream(1)]) });
    // Nor who is not there at all.
    edits.push(Edit::Hear { listener: room.stream(0), source: Source::Mix(vec![unknown, StreamId(404), room.stream(1), room.stream(1)]) });
    room.node.apply(edits);
    room.expect(&[&[700], &[400], &[400, 700]]);
    // Its address comes later; then it hears too.
    room.speakers[2].heard.clear();
    room.node.apply([Edit::Close { stream: room.stream(2) }, Edit::Remote { stream: unknown, remote: room.speakers[2].party.remote }]);
    room.expect(&[&[700], &[400], &[400, 700]]);
}

#[test]
fn a_party_that_holds_is_sent_nothing_and_not_heard() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    room.speakers[2].party.remote.direction = Direction::Inactive;
    room.node.apply([room.speakers[2].party.remote_edit()]);
    room.expect(&[&[700], &[400], &[]]);
    assert!(room.speakers[2].heard.is_empty());
    room.speakers[2].party.remote.direction = Direction::SendRecv;
    room.node.apply([room.speakers[2].party.remote_edit()]);
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);
}

#[test]
fn lost_packets_are_covered() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    let end = Instant::now() + PATIENCE;
    // Where the machine stands still meanwhile, more is missing than a frame at a time.
    loop {
        room.forget();
        for round in 0..100 {
            room.speakers[1].silent = round % 10 == 0;
            room.beat();
        }
        let listener = &room.speakers[0];
        listener.heard_one_stream();
        let samples = listener.samples();
        let silent = samples.chunks(FRAME_SAMPLES).filter(|frame| tone::level_dbfs(frame) < -60.0).count();
        // A tenth is lost, and half of that is covered: the tone has hardly lost any power.
        let all = tone::tone_dbfs(&samples, 700.0);
        if silent == 0 && all > LEVEL_DBFS - 3.0 {
            return;
        }
        assert!(Instant::now() < end, "{silent} silent frames, {all} dBFS");
    }
}

#[test]
fn a_sender_with_a_fast_clock_is_heard_all_the_time_and_not_later_and_later() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    room.forget();
    for round in 0..250 {
        // Ten percent; clocks are off by a hundredth of a percent.
        if round % 10 == 0 {
            room.speakers[1].speak();
        }
        room.beat();
    }
    // What was said last is heard soon: a pause of ten frames arrives as a pause.
    room.speakers[1].silent = true;
    room.speakers[0].heard.clear();
    room.speakers[2].silent = true;
    for _ in 0..40 {
        room.beat();
    }
    let after = room.speakers[0].samples();
    let last = after.chunks(FRAME_SAMPLES).rposition(|frame| tone::level_dbfs(frame) > -50.0).unwrap_or(0);
    assert!(last < 20, "still heard after {last} frames");
    (room.speakers[1].silent, room.speakers[2].silent) = (false, false);
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);
}

#[test]
fn what_is_too_loud_together_is_clipped_and_does_not_wrap_around() {
    let node = Node::start();
    let loud: Vec<Party> = (1..=2).map(|number| node.party(number, Codec::Pcmu)).collect();
    let listener = node.party(9, Codec::Pcma);
    node.apply([Edit::Hear { listener: listener.stream, source: Source::Mix(loud.iter().map(|party| party.stream).collect()) }]);
    let metronome = Metronome::start(&node);
    let mut loud = loud;
    let mut heard = Vec::new();
    for round in 0..40 {
        metronome.beat();
        // All at full level with the same sign, which changes every ten frames.
        let byte = Codec::Pcmu.encode(if round / 10 % 2 == 0 { i16::MAX } else { i16::MIN });
        for party in &mut loud {
            let packet = party.packet(&[byte; FRAME_SAMPLES]);
            party.rtp.send_to(&packet, party.to()).expect("sent");
        }
        heard.extend(Codec::Pcma.decode_all(&listener.hear().payload));
    }
    let (high, low) = (heard.iter().filter(|sample| **sample > 31_000).count(), heard.iter().filter(|sample| **sample < -31_000).count());
    assert!(high >= 800 && low >= 800, "{high} and {low}");
    // Wrapped around, twice the full level is nearly nothing, of the other sign.
    let quarters: Vec<i16> = heard.chunks(40).map(|part| part[20]).collect();
    let changes = quarters.windows(2).filter(|pair| pair[0].signum() * pair[1].signum() < 0).count();
    assert!(changes <= 6, "{changes} changes of sign, where three were said");
}

#[test]
fn keys_are_noticed_and_not_heard_by_the_others() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    room.forget();
    let pressing = dtmf::Payload { event: 5, end: false, volume: 10, duration: 160 };
    room.speakers[1].silent = true;
    for round in 0..10 {
        let payload = dtmf::Payload { end: round > 6, duration: 160 * (round.min(7) + 1), ..pressing };
        room.speakers[1].party.press(101, payload, round == 0, 160 * u32::from(round));
        room.beat();
    }
    let stream = room.stream(1);
    room.node.wait("the digit", |event| matches!(event, Event::Digit { stream: from, digit: '5', .. } if *from == stream).then_some(()));
    room.speakers[1].silent = false;
    for _ in 0..20 {
        room.beat();
    }
    for listener in [0, 2] {
        room.speakers[listener].heard_one_stream();
        assert!(room.speakers[listener].heard.iter().all(|got| got.header.payload_type == 0));
        let keys = tone::heard(&room.speakers[listener].samples(), &[770, 1_336]);
        assert_eq!(keys, [] as [u32; 0]);
    }
}

#[test]
fn digits_to_a_listener_go_before_its_mix() {
    let mut room = Room::new(&[Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    room.node.apply(room.conference());
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);
    let stream = room.stream(0);
    room.node.apply([Edit::SendDigits { stream, digits: "42".to_owned(), tone_ms: 100, gap_ms: 60 }]);
    for _ in 0..40 {
        room.beat();
    }
    room.node.wait("the digits", |event| matches!(event, Event::DigitsSent { complete: true, .. }).then_some(()));
    let kinds: Vec<u8> = room.speakers[0]
        .heard
        .chunk_by(|one, next| one.header.payload_type == next.header.payload_type)
        .map(|run| run[0].header.payload_type)
        .collect();
    assert_eq!(kinds, [0, 101, 0]);
    room.expect(&[&[700, 1_000], &[400, 1_000], &[400, 700]]);
}

#[test]
fn a_bridged_party_that_others_hear_in_a_mix_is_relayed_as_ever() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcma);
    let supervisor = node.party(3, Codec::Pcmu);
    node.apply([Edit::Hear { listener: supervisor.stream, source: Source::Mix(vec![left.stream, right.stream]) }]);
    left.say(0);
    let mut last = right.hear();
    for number in 1..40 {
        left.say(number);
        let next = right.hear();
        assert_eq!(right.number(&next, Codec::Pcmu), number);
        assert_eq!(follows(&last, &next), 160);
        last = next;
    }
}

/// Both channels of a recording.
fn channels(path: &Path) -> [Vec<i16>; 2] {
    let audio = Wav::read(path, limits::WAV_BYTES_MAX).expect("a recording");
    audio.channels.try_into().expect("two channels")
}

#[test]
fn a_recording_of_a_conference_has_the_customer_left_and_all_others_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let mut room = Room::new(&[Codec::Pcma, Codec::Pcmu, Codec::Pcmu, Codec::Pcma]);
    let (customer, agent, guest, whisperer) = (0, 1, 2, 3);
    let recording = RecordingId(7);
    let everybody = [
        room.hears(customer, &[agent, guest]),
        room.hears(agent, &[customer, guest, whisperer]),
        room.hears(guest, &[customer, agent]),
        room.hears(whisperer, &[customer, agent, guest]),
    ];
    room.node.apply(everybody.to_vec());
    room.expect(&[&[700, 1_000], &[400, 1_000, 1_300], &[400, 700], &[400, 700, 1_000]]);
    let record = Edit::Record { recording, path: path.clone(), left: room.stream(customer), right: Some(room.stream(agent)) };
    let stop = |room: &Room| {
        room.node.apply([Edit::StopRecording { recording }]);
        room.node.wait("the recording", |event| matches!(event, Event::RecordingFinished { lost_ms: 0, .. }).then_some(()));
        let tones = channels(&path).map(|samples| tone::heard(&samples, &TONES));
        std::fs::remove_file(&path).expect("the file");
        tones
    };
    room.node.apply([record.clone()]);
    room.expect(&[&[700, 1_000], &[400, 1_000, 1_300], &[400, 700], &[400, 700, 1_000]]);
    assert_eq!(stop(&room), [vec![400], vec![700, 1_000]]);

    // A customer on hold hears none of them; the agent alone is the other side then, as in any talk. Music is not recorded.
    room.node.apply([record.clone(), Edit::Hear { listener: room.stream(customer), source: Source::Silence }]);
    room.expect(&[&[], &[400, 1_000, 1_300], &[400, 700], &[400, 700, 1_000]]);
    assert_eq!(stop(&room), [vec![400], vec![700]]);

    // And also when the telephone of the customer takes no audio.
    room.node.apply(everybody);
    room.speakers[customer].party.remote.direction = Direction::RecvOnly;
    room.node.apply([record, room.speakers[customer].party.remote_edit()]);
    room.expect(&[&[], &[400, 1_000, 1_300], &[400, 700], &[400, 700, 1_000]]);
    // The agent leaves: the recording has nobody on the other side.
    room.node.apply([Edit::Close { stream: room.stream(agent) }]);
    room.expect(&[&[], &[], &[400], &[400, 1_000]]);
    assert_eq!(stop(&room), [vec![400], vec![700, 1_000]]);
}

#[test]
fn nothing_said_in_a_pause_reaches_the_recording_of_a_conference() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let node = Node::start();
    let (customer, mut agent) = node.call(Codec::Pcmu, Codec::Pcmu);
    let mut guest = node.party(3, Codec::Pcmu);
    let recording = RecordingId(7);
    let mix = Source::Mix(vec![agent.stream, guest.stream]);
    node.apply([
        Edit::Hear { listener: customer.stream, source: mix },
        Edit::Record { recording, path: path.clone(), left: customer.stream, right: Some(agent.stream) },
    ]);
    let metronome = Metronome::start(&node);
    for round in 0..60 {
        metronome.beat();
        // Loud during the pause, and only then.
        let paused = (20..40).contains(&round);
        match round {
            20 => node.apply([Edit::PauseRecording { recording }]),
            40 => node.apply([Edit::ResumeRecording { recording }]),
            _ => {}
        }
        if round == 10 {
            // From now on the agent's voice waits for a while before it is heard.
            for _ in 0..12 {
                let packet = agent.packet(&[Codec::Pcmu.encode(1_000); FRAME_SAMPLES]);
                agent.rtp.send_to(&packet, agent.to()).expect("sent");
            }
        }
        for party in [&mut agent, &mut guest] {
            let packet = party.packet(&[Codec::Pcmu.encode(if paused { 12_000 } else { 1_000 }); FRAME_SAMPLES]);
            party.rtp.send_to(&packet, party.to()).expect("sent");
        }
    }
    node.apply([Edit::StopRecording { recording }]);
    node.wait("the recording", |event| matches!(event, Event::RecordingFinished { lost_ms: 0, .. }).then_some(()));
    let [_, right] = channels(&path);
    assert!(right.iter().all(|sample| *sample < 3_000), "{:?}", right.iter().max());
    let quiet = right.iter().filter(|sample| **sample > 1_500).count();
    assert!(quiet > 20 * FRAME_SAMPLES, "both are there before and after: {quiet}");
}

#[test]
fn more_voices_than_are_possible_are_left_out() {
    let node = Node::start();
    let mut many: Vec<Party> = (1..=20).map(|number| node.party(number, Codec::Pcmu)).collect();
    let listener = node.party(50, Codec::Pcmu);
    let everybody: Vec<StreamId> = many.iter().map(|party| party.stream).collect();
    node.apply([Edit::Hear { listener: listener.stream, source: Source::Mix(everybody) }]);
    let said = i32::from(Codec::Pcmu.decode(Codec::Pcmu.encode(500)));
    let metronome = Metronome::start(&node);
    let end = Instant::now() + PATIENCE;
    let wanted = said * limits::MIX_VOICES_MAX as i32;
    let mut loudest = 0;
    for _ in 0..40 {
        metronome.beat();
        for party in &mut many {
            let packet = party.packet(&[Codec::Pcmu.encode(500); FRAME_SAMPLES]);
            party.rtp.send_to(&packet, party.to()).expect("sent");
        }
        let heard = Codec::Pcmu.decode_all(&listener.hear().payload);
        loudest = loudest.max(heard.into_iter().map(i32::from).max().unwrap_or(0));
        assert!(Instant::now() < end);
    }
    assert!((loudest - wanted).abs() < wanted / 20, "{loudest} of {wanted}");
}

#[test]
fn a_mix_of_the_own_voice_is_an_echo_and_ends_with_its_stream() {
    let node = Node::start();
    let mut party = node.party(1, Codec::Pcmu);
    node.apply([Edit::Hear { listener: party.stream, source: Source::Mix(vec![party.stream]) }]);
    let metronome = Metronome::start(&node);
    let mut heard = false;
    for _ in 0..20 {
        metronome.beat();
        party.say(3);
        heard |= party.hear().payload == frame(3);
    }
    assert!(heard);
    node.apply([Edit::Close { stream: party.stream }]);
    assert_eq!(node.engine.counters().streams, 1, "only the metronome's");
}

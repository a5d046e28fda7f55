//! Parties who speak tones at the same time and keep what they hear: each has a tone of its own, and what each is sent
//! tells whom it hears.

use std::time::Instant;

use dreiklang_media::codec::{Codec, FRAME_SAMPLES};
use dreiklang_media::engine::{Edit, Source};
use dreiklang_media::ids::StreamId;
use dreiklang_media::limits;
use dreiklang_media::rtp::{self, sequence_distance, timestamp_distance};
use dreiklang_media::tone::{self, Generator};

use crate::party::{Got, Metronome, Node, PATIENCE, Party};

/// What the parties speak, by their number.
pub const TONES: [u32; 5] = [400, 700, 1_000, 1_300, 1_700];

/// A level at which three sound together without being clipped.
pub const LEVEL_DBFS: f64 = -16.0;

/// Parties who speak tones and keep what they hear.
pub struct Room {
    pub node: Node,
    metronome: Metronome,
    pub speakers: Vec<Speaker>,
}

pub struct Speaker {
    pub party: Party,
    tone: Generator,
    pub hz: u32,
    pub heard: Vec<Got>,
    /// Says nothing.
    pub silent: bool,
}

impl Room {
    pub fn new(codecs: &[Codec]) -> Room {
        let node = Node::start();
        let speakers = codecs.iter().zip(TONES).zip(1..).map(|((codec, hz), number)| {
            let party = node.party(number, *codec);
            party.rtp.set_nonblocking(true).expect("a socket");
            Speaker { party, tone: Generator::new(&[hz], LEVEL_DBFS), hz, heard: Vec::new(), silent: false }
        });
        let speakers = speakers.collect();
        let metronome = Metronome::start(&node);
        Room { node, metronome, speakers }
    }

    pub fn stream(&self, number: usize) -> StreamId {
        self.speakers[number].party.stream
    }

    /// `listener` hears these.
    pub fn hears(&self, listener: usize, voices: &[usize]) -> Edit {
        Edit::Hear { listener: self.stream(listener), source: Source::Mix(voices.iter().map(|voice| self.stream(*voice)).collect()) }
    }

    /// Everybody hears all the others.
    pub fn conference(&self) -> Vec<Edit> {
        let all: Vec<usize> = (0..self.speakers.len()).collect();
        all.iter().map(|one| self.hears(*one, &all.iter().copied().filter(|other| other != one).collect::<Vec<_>>())).collect()
    }

    /// Lets everybody speak for 20 ms and takes what has come.
    pub fn beat(&mut self) {
        self.metronome.beat();
        for speaker in &mut self.speakers {
            speaker.speak();
            speaker.listen();
        }
    }

    /// Forgets what was heard, which may be on its way still.
    pub fn forget(&mut self) {
        for _ in 0..10 {
            self.beat();
        }
        for speaker in &mut self.speakers {
            speaker.heard.clear();
        }
    }

    /// Speaks until everybody hears whom the table says, and checks that nobody else was heard meanwhile.
    pub fn expect(&mut self, table: &[&[u32]]) {
        self.forget();
        let end = Instant::now() + PATIENCE;
        loop {
            for _ in 0..30 {
                self.beat();
            }
            let heard: Vec<Vec<u32>> = self.speakers.iter().map(Speaker::tones).collect();
            let unwanted = heard.iter().zip(table).any(|(heard, wanted)| heard.iter().any(|hz| !wanted.contains(hz)));
            if heard == table {
                return;
            }
            assert!(!unwanted && Instant::now() < end, "{heard:?} instead of {table:?}");
        }
    }
}

impl Speaker {
    pub fn speak(&mut self) {
        let mut samples = [0; FRAME_SAMPLES];
        self.tone.fill(&mut samples);
        let payload = self.party.remote.codec.encode_all(&samples);
        let packet = self.party.packet(&payload);
        if !self.silent {
            self.party.rtp.send_to(&packet, self.party.to()).expect("sent");
        }
    }

    pub fn listen(&mut self) {
        let mut bytes = [0; limits::DATAGRAM_BYTES_MAX];
        while let Ok(length) = self.party.rtp.recv(&mut bytes) {
            let packet = rtp::parse(&bytes[..length]).expect("an RTP packet");
            self.heard.push(Got { header: packet.header, payload: bytes[packet.payload].to_vec() });
        }
    }

    pub fn samples(&self) -> Vec<i16> {
        let codec = self.party.remote.codec;
        self.heard
            .iter()
            .filter(|got| got.header.payload_type == codec.static_payload_type())
            .flat_map(|got| codec.decode_all(&got.payload))
            .collect()
    }

    pub fn tones(&self) -> Vec<u32> {
        tone::heard(&self.samples(), &TONES)
    }

    /// Checks that all that was heard is one RTP stream.
    pub fn heard_one_stream(&self) {
        for pair in self.heard.windows(2) {
            let (last, next) = (&pair[0].header, &pair[1].header);
            assert_eq!(last.ssrc, next.ssrc);
            assert_eq!(sequence_distance(last.sequence, next.sequence), 1, "no gap and no repetition");
            let advanced = timestamp_distance(last.timestamp, next.timestamp);
            assert!(advanced >= FRAME_SAMPLES as i32, "{advanced}");
            assert!(next.marker || advanced == FRAME_SAMPLES as i32, "time passes unsaid: {advanced}");
        }
    }
}

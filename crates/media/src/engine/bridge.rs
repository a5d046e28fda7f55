//! What happens when a packet arrives: it is judged, counted, recorded and passed on to whoever hears its stream.
//!
//! The audio is not decoded: a new header is written in front of the payload where it lies, and where two parties use
//! different laws the payload goes through a table. Nothing here allocates, locks or waits; the only system calls are
//! one to receive and one per listener to send.

use std::io::ErrorKind;
use std::ops::Range;

use crate::codec::Codec;
use crate::dtmf;
use crate::engine::Event;
use crate::engine::latch::Verdict;
use crate::engine::shard::Shard;
use crate::reception::Arrival;
use crate::record::Channel;
use crate::rtcp;
use crate::rtp::{self, HEADER_BYTES, Header, Kind};

/// What a payload is.
#[derive(Clone, Copy)]
enum Sound {
    Audio(Codec),
    /// A telephone event (RFC 4733).
    Event,
}

impl Shard {
    /// Takes one datagram from an RTP socket. The kernel says again if there are more, which costs less than asking.
    /// False when there was none.
    pub(super) fn receive_rtp(&mut self, index: u32, now: u64) -> bool {
        let Some(stream) = self.streams.get_mut(index) else { return false };
        match stream.sockets.rtp.recv_from(&mut self.datagram[..]) {
            Ok((length, from)) => {
                match rtp::kind(&self.datagram[..length]) {
                    Kind::Rtp => self.rtp(index, length, from, now),
                    Kind::Rtcp => self.rtcp(index, length, from, now, true),
                    Kind::Other => self.refuse(index),
                }
                true
            }
            // Other errors are news of packets we sent earlier (port unreachable).
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Takes one datagram from an RTCP socket.
    pub(super) fn receive_rtcp(&mut self, index: u32, now: u64) -> bool {
        let Some(stream) = self.streams.get_mut(index) else { return false };
        match stream.sockets.rtcp.recv_from(&mut self.datagram[..]) {
            Ok((length, from)) => {
                self.rtcp(index, length, from, now, false);
                true
            }
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    fn refuse(&mut self, index: u32) {
        self.tally.malformed.add(1);
        if let Some(stream) = self.streams.get_mut(index) {
            stream.ignored += 1;
        }
    }

    fn rtcp(&mut self, index: u32, length: usize, from: std::net::SocketAddr, now: u64, shared_port: bool) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        let Some(length) = stream.open(&mut self.datagram[..length], Kind::Rtcp, now, &self.tally) else { return };
        let known = if shared_port { stream.latch.same_host(from) } else { stream.accept_control(from) };
        if !known {
            stream.ignored += 1;
            self.tally.ignored_source.add(1);
            return;
        }
        let Ok(compound) = rtcp::parse(&self.datagram[..length]) else {
            return self.refuse(index);
        };
        let ntp = self.clock.ntp(now);
        for packet in compound {
            stream.control.handle(packet, stream.outgoing.ssrc, stream.reception.ssrc(), ntp);
        }
        stream.last_heard = now;
        stream.quiet = false;
        self.tally.rtcp_in.add(1);
    }

    fn rtp(&mut self, index: u32, length: usize, from: std::net::SocketAddr, now: u64) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        let Some(length) = stream.open(&mut self.datagram[..length], Kind::Rtp, now, &self.tally) else { return };
        let Ok(packet) = rtp::parse(&self.datagram[..length]) else {
            return self.refuse(index);
        };
        let header = packet.header;
        let Some(stream) = self.streams.get_mut(index) else { return };
        let verdict = stream.latch.judge(from, &header);
        let (Some(remote), Verdict::Take | Verdict::TakeAndLock) = (stream.remote, verdict) else {
            stream.ignored += 1;
            self.tally.ignored_source.add(1);
            return;
        };
        if verdict == Verdict::TakeAndLock {
            stream.lock();
        }
        stream.last_heard = now;
        stream.quiet = false;
        if !remote.direction.receives() {
            stream.ignored += 1;
            self.tally.ignored_held.add(1);
            return;
        }
        let sound = if header.payload_type == remote.payload_type {
            Some(Sound::Audio(remote.codec))
        } else if Some(header.payload_type) == remote.dtmf {
            Some(Sound::Event)
        } else {
            // Both laws are usually offered, and some senders change between them without a word.
            Codec::from_static_payload_type(header.payload_type).map(Sound::Audio)
        };
        let first = stream.reception.ssrc().is_none();
        let payload = packet.payload;
        let arrival = stream.reception.handle(&header, payload.len(), now as u32, matches!(sound, Some(Sound::Audio(_))));
        match arrival {
            Arrival::Stray => {
                stream.ignored += 1;
                return;
            }
            Arrival::New => self.source_changed(index, first),
            Arrival::Running => {}
        }
        self.tally.packets_in.add(1);
        match sound {
            Some(Sound::Audio(codec)) if !payload.is_empty() => {
                self.record(index, &header, payload.clone(), codec, now);
                self.pass_on(index, &header, payload.clone(), Sound::Audio(codec), now);
                self.hear_voice(index, &header, payload, codec, now);
            }
            Some(Sound::Event) => {
                self.hear_event(index, &header, payload.clone());
                self.pass_on(index, &header, payload, Sound::Event, now);
            }
            // Comfort noise (RFC 3389) and empty packets keep a stream alive; nobody needs to hear them.
            _ => {
                if sound.is_none() {
                    self.tally.ignored_payload.add(1);
                }
                self.leave_out(index, &header);
            }
        }
    }

    /// A new source at the other end of a stream: nobody may continue the numbers of the old one.
    fn source_changed(&mut self, index: u32, first: bool) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        stream.control.source_changed();
        if let Some(voice) = &mut stream.voice {
            voice.restart();
        }
        if first {
            (self.shared.events)(Event::FirstPacket { group: stream.group, stream: stream.id });
        }
        for at in 0..stream.recorded.len() {
            let Some((recording, channel)) = self.streams.get(index).and_then(|stream| stream.recorded.get(at).copied()) else { break };
            if let Some(recording) = self.recordings.get_mut(recording) {
                recording.source_changed(channel);
            }
        }
        let mut at = 0;
        while let Some(listener) = self.listener(index, at) {
            if let Some(listener) = self.streams.get_mut(listener) {
                listener.outgoing.disconnect();
            }
            at += 1;
        }
    }

    fn listener(&self, index: u32, at: usize) -> Option<u32> {
        self.streams.get(index)?.listeners.get(at).copied()
    }

    fn record(&mut self, index: u32, header: &Header, payload: Range<usize>, codec: Codec, now: u64) {
        let Some(stream) = self.streams.get(index) else { return };
        for (recording, channel) in &stream.recorded {
            if let Some(recording) = self.recordings.get_mut(*recording)
                && !(recording.right_is_mixed() && *channel == Channel::Right)
            {
                recording.write(*channel, header, &self.datagram[payload.clone()], codec, now);
            }
        }
    }

    fn hear_event(&mut self, index: u32, header: &Header, payload: Range<usize>) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        let Some(event) = dtmf::Payload::parse(&self.datagram[payload]) else { return };
        if let Some(digit) = stream.presses.handle(header.ssrc, header.timestamp, event) {
            (self.shared.events)(Event::Digit { group: stream.group, stream: stream.id, digit });
        }
    }

    /// Keeps a packet for those who hear its stream in a mix.
    fn hear_voice(&mut self, index: u32, header: &Header, payload: Range<usize>, codec: Codec, now: u64) {
        if let Some(voice) = self.streams.get_mut(index).and_then(|stream| stream.voice.as_mut()) {
            voice.take(header, &self.datagram[payload], codec, now);
        }
    }

    /// Sends a packet to everybody who hears its stream and nothing else.
    fn pass_on(&mut self, index: u32, header: &Header, payload: Range<usize>, sound: Sound, now: u64) {
        let mut at = 0;
        while let Some(number) = self.listener(index, at) {
            at += 1;
            let Some(listener) = self.streams.get_mut(number) else { continue };
            let Some(remote) = listener.sendable().filter(|_| listener.digits.is_none()) else {
                listener.outgoing.disconnect();
                continue;
            };
            let (payload_type, samples, table) = match sound {
                Sound::Audio(codec) => (remote.payload_type, payload.len() as u32, codec.table_to(remote.codec)),
                Sound::Event => match remote.dtmf {
                    Some(payload_type) => (payload_type, 0, None),
                    None => {
                        listener.outgoing.leave_out(header);
                        continue;
                    }
                },
            };
            let Some(header) = listener.outgoing.relayed(header, now as u32, payload_type, samples) else { continue };
            let datagram = match table {
                // The payload starts behind at least a header's length, so ours fits in front of it.
                None => {
                    let from = payload.start - HEADER_BYTES;
                    self.datagram[from..payload.start].copy_from_slice(&header.to_bytes());
                    &self.datagram[from..payload.end]
                }
                Some(table) => {
                    let length = HEADER_BYTES + payload.len();
                    let (head, body) = self.scratch[..length].split_at_mut(HEADER_BYTES);
                    head.copy_from_slice(&header.to_bytes());
                    for (to, from) in body.iter_mut().zip(&self.datagram[payload.clone()]) {
                        *to = table[usize::from(*from)];
                    }
                    &self.scratch[..length]
                }
            };
            listener.send(datagram, now, &self.tally, &mut self.sealed);
        }
    }

    fn leave_out(&mut self, index: u32, header: &Header) {
        let mut at = 0;
        while let Some(listener) = self.listener(index, at) {
            if let Some(listener) = self.streams.get_mut(listener) {
                listener.outgoing.leave_out(header);
            }
            at += 1;
        }
    }
}

//! The 20 ms: what is due happens, and everybody hears what is to be heard.

use super::{
    Exchange,
    call::{Call, LegStage, Loop},
    effect::{self, Effect},
    operation::Kind,
    streaming::Socket,
};
use crate::people::{
    person::{Ringing, Stage},
    sound::{FRAME, FRAME_MS, Frame, Sum, add, without},
};

/// Speakers sent to a socket that wants each by himself.
const SPEAKERS_MAX: usize = 4;

impl Exchange {
    /// Moves everything on by 20 ms.
    pub(crate) fn step(&mut self) {
        self.post.now += FRAME_MS;
        self.people_act();
        self.rings_end();
        let keys: Vec<u64> = self.calls.keys().copied().collect();
        for key in keys {
            self.with_call(key, |exchange, call| exchange.sound(call));
        }
    }

    /// What people do by themselves.
    fn people_act(&mut self) {
        let now = self.post.now;
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let mut answers = Vec::new();
        let mut keys = Vec::new();
        let mut ends = Vec::new();
        let mut sentences = Vec::new();
        for (raw, person) in &mut self.people {
            if due(person.answer_at) {
                person.answer_at = None;
                answers.push((raw.clone(), person.call, person.manner.ringing));
            }
            if let Some((at, waiting)) = &mut person.press_at
                && *at <= now
            {
                let mut letters = waiting.chars();
                if let Some(key) = letters.next() {
                    keys.push((raw.clone(), key));
                }
                *waiting = letters.collect();
                *at = now + 200;
                if waiting.is_empty() {
                    person.press_at = None;
                }
            }
            if due(person.hang_up_at) {
                person.hang_up_at = None;
                ends.push(raw.clone());
            }
            if person.saying.as_ref().is_some_and(|saying| saying.until <= now)
                && let Some(saying) = person.saying.take()
            {
                person.voice = saying.voice_after;
                sentences.push((raw.clone(), saying.text, saying.began));
            }
        }
        for (raw, call, ringing) in answers {
            let Some(call) = call else { continue };
            self.with_call(call, |exchange, call| {
                let Some(leg) = call.leg(&raw).filter(|leg| !call.legs[*leg].is_connected()) else { return };
                if ringing == Ringing::Decline {
                    let cause = if call.legs[leg].identifier.is_phone() { effect::PSTN_DECLINED } else { effect::DECLINED };
                    exchange.invite_failed(call, leg, &cause);
                } else {
                    exchange.accept(call, leg);
                }
            });
        }
        for (raw, key) in keys {
            self.press(&raw, key);
        }
        for (raw, text, began) in sentences {
            self.said(&raw, &text, began);
        }
        for raw in ends {
            self.hang_up(&raw);
        }
        let silent = std::mem::take(&mut self.silent);
        for (at, raw) in silent {
            if at > now {
                self.silent.push((at, raw));
            } else if let Some(person) = self.people.get_mut(&raw) {
                person.end(true, "0/0");
            }
        }
    }

    /// Rings that took too long.
    fn rings_end(&mut self) {
        let now = self.post.now;
        let is_late = |call: &Call| {
            call.ring.as_ref().is_some_and(|ring| ring.until <= now)
                || call.legs.iter().any(|leg| matches!(leg.stage, LegStage::Ringing { until, .. } if until <= now))
        };
        let late: Vec<u64> = self.calls.values().filter(|call| is_late(call)).map(|call| call.key).collect();
        for key in late {
            self.with_call(key, |exchange, call| {
                if call.ring.as_ref().is_some_and(|ring| ring.until <= now) {
                    exchange.end(call, &effect::PSTN_NO_ANSWER, None);
                    return;
                }
                loop {
                    let found = call.legs.iter().position(|leg| matches!(leg.stage, LegStage::Ringing { until, .. } if until <= now));
                    let Some(leg) = found else { return };
                    let cause = if call.legs[leg].identifier.is_phone() { effect::PSTN_NO_ANSWER } else { effect::NO_ANSWER };
                    exchange.invite_failed(call, leg, &cause);
                }
            });
        }
    }

    /// Who hears whom.
    fn sound(&mut self, call: &mut Call) {
        let mut talk: Sum = [0; FRAME];
        for leg in &mut call.legs {
            leg.speaks = false;
            if !leg.is_connected() {
                continue;
            }
            let Some(person) = self.people.get_mut(&leg.raw) else { continue };
            // Somebody who may not speak goes on speaking all the same.
            let sounds = person.voice.next(&mut leg.frame);
            leg.speaks = sounds && !leg.muted && !leg.on_hold;
            if leg.speaks {
                add(&mut talk, &leg.frame);
            }
        }
        let mut prompts: Vec<(Frame, Option<Vec<String>>)> = Vec::new();
        for index in 0..call.connections.len() {
            self.play(call, index, &mut prompts);
            let mut frame = [0; FRAME];
            let streaming = call.connections[index].streaming.as_mut().filter(|streaming| matches!(streaming.socket, Socket::Open(_)));
            if streaming.is_some_and(|streaming| streaming.next(&mut frame)) {
                prompts.push((frame, None));
            }
        }
        let mut everything = talk;
        for (frame, _) in &prompts {
            add(&mut everything, frame);
        }
        for leg in &mut call.legs {
            if !leg.is_connected() {
                continue;
            }
            let mut heard: Sum = if leg.on_hold { [0; FRAME] } else { talk };
            for (frame, to) in &prompts {
                let is_meant = match to {
                    None => !leg.on_hold,
                    Some(to) => to.contains(&leg.raw),
                };
                if is_meant {
                    add(&mut heard, frame);
                }
            }
            let mut extra = [0; FRAME];
            if let Some(music) = &mut leg.hold_music
                && next_of(music, true, &mut extra)
            {
                add(&mut heard, &extra);
            }
            if let Some(announcement) = &mut leg.announcement {
                if next_of(announcement, false, &mut extra) {
                    add(&mut heard, &extra);
                    add(&mut everything, &extra);
                } else {
                    leg.announcement = None;
                }
            }
            if let Some(person) = self.people.get_mut(&leg.raw)
                && person.tell.borrow().call == Stage::Talking
            {
                person.ear.hear(&without(&heard, Some(&leg.frame).filter(|_| leg.speaks)));
            }
        }
        self.recordings.take(call, &everything);
        self.stream(call, &talk);
    }

    /// One step of an application's prompts and answers.
    fn play(&mut self, call: &mut Call, index: usize, prompts: &mut Vec<(Frame, Option<Vec<String>>)>) {
        let now = self.post.now;
        let mut at = 0;
        while at < call.connections[index].operations.len() {
            let operations = &call.connections[index].operations;
            let waits = operations.iter().take(at).any(|before| before.excludes(&operations[at]));
            if waits {
                at += 1;
                continue;
            }
            let mut frame = [0; FRAME];
            let operation = &mut call.connections[index].operations[at];
            let step = operation.step(now, &mut frame);
            let asked = (operation.context.clone(), operation.callback.clone());
            if step.sounds {
                let operation = &call.connections[index].operations[at];
                let is_for_all = matches!(&operation.kind, Kind::Play { to, .. } if to.is_empty());
                let meant = call.legs.iter().filter(|leg| operation.is_heard_by(&leg.raw)).map(|leg| leg.raw.clone());
                prompts.push((frame, (!is_for_all).then(|| meant.collect())));
            }
            if step.is_over {
                call.connections[index].operations.remove(at);
            } else {
                at += 1;
            }
            for (kind, extra) in step.told {
                self.tell(call, index, kind, (asked.0.as_deref(), asked.1.as_deref()), extra);
            }
        }
    }

    /// Sends sound to the sockets that want it.
    fn stream(&mut self, call: &mut Call, talk: &Sum) {
        let time = self.post.time();
        for connection in &mut call.connections {
            let Some(streaming) = &mut connection.streaming else { continue };
            let Socket::Open(id) = streaming.socket else { continue };
            if !streaming.options.unmixed {
                let text = streaming.audio(&without(talk, None), None, time);
                self.post.out.push(Effect::SocketText { id, text });
                continue;
            }
            for leg in call.legs.iter().filter(|leg| leg.speaks).take(SPEAKERS_MAX) {
                let text = streaming.audio(&leg.frame, Some(&leg.raw), time);
                self.post.out.push(Effect::SocketText { id, text });
            }
        }
    }
}

/// The next 20 ms of a sound of the network.
fn next_of(sound: &mut Loop, repeat: bool, frame: &mut Frame) -> bool {
    let Some(samples) = &sound.samples else { return false };
    if sound.at >= samples.len() {
        if !repeat || samples.is_empty() {
            return false;
        }
        sound.at = 0;
    }
    let piece = &samples[sound.at..samples.len().min(sound.at + FRAME)];
    frame[..piece.len()].copy_from_slice(piece);
    frame[piece.len()..].fill(0);
    sound.at += FRAME;
    true
}

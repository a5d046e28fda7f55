//! Anything in any order over a bad network: calls end exactly once, nothing is left behind, nothing panics.

use std::collections::BTreeMap;
use std::time::Duration;

use dreiklang_sip::event::{CallId, Event};
use dreiklang_sip::hop::Hop;
use dreiklang_sip::message::parse_datagram;
use dreiklang_sip::random::Random;
use proptest::prelude::*;

use crate::network::{ANSWER, Alice, Bob, Fate, OFFER, Pair, Side, invite};
use crate::peer::Peer;

/// Percentages of what the network does to a packet.
#[derive(Clone, Copy, Debug)]
struct Weather {
    lost: u64,
    doubled: u64,
    late: u64,
}

fn percent(random: &mut Random) -> u64 {
    random.next_u64() % 100
}

/// What the outside knows: every call it was told of, and whether its end was told.
struct Told {
    calls: [BTreeMap<CallId, bool>; 2],
}

impl Told {
    fn note(&mut self, pair: &mut Pair, side: Side) {
        for event in pair.events(side) {
            let known = &mut self.calls[side as usize];
            let call = match &event {
                Event::Incoming { call, .. } => {
                    assert!(known.insert(*call, false).is_none(), "{call:?} came twice");
                    continue;
                }
                Event::Ended { call, .. } => {
                    let ended = known.insert(*call, true);
                    assert_eq!(ended, Some(false), "{call:?} ended twice, or was never told of");
                    continue;
                }
                Event::Progress { call, .. }
                | Event::Answered { call, .. }
                | Event::Acknowledged { call, .. }
                | Event::Reinvite { call, .. }
                | Event::ReinviteAnswered { call, .. }
                | Event::ReinviteFailed { call, .. }
                | Event::Refer { call, .. }
                | Event::ReferAnswered { call, .. }
                | Event::ReferProgress { call, .. }
                | Event::Info { call, .. } => *call,
                Event::Request { .. } | Event::Response { .. } => continue,
            };
            assert_eq!(known.get(&call), Some(&false), "{event:?} of a call that is over");
        }
    }

    fn pick(&self, side: Side, random: &mut Random) -> Option<CallId> {
        let calls = &self.calls[side as usize];
        let at = usize::try_from(random.next_u64()).unwrap_or(0).checked_rem(calls.len())?;
        calls.keys().nth(at).copied()
    }
}

fn act(pair: &mut Pair, told: &mut Told, random: &mut Random) {
    let side = if random.next_u64().is_multiple_of(2) { Alice } else { Bob };
    let dice = random.next_u64() % 20;
    let coin = random.next_u64().is_multiple_of(2);
    let call = told.pick(side, random);
    if dice == 0 && side == Alice {
        let call = pair.at(Alice, |endpoint, now| endpoint.invite(now, invite(coin.then_some(OFFER))));
        told.calls[0].insert(call, false);
        return;
    }
    if dice == 1 {
        return pair.at(side, |endpoint, now| endpoint.handle_transport_error(now, &Hop::udp(side.other().address())));
    }
    let Some(call) = call else { return };
    pair.at(side, |endpoint, now| match dice {
        2 | 3 => endpoint.ring(now, call, None),
        4 => endpoint.ring(now, call, Some(ANSWER.to_vec())),
        5..=8 => endpoint.answer(now, call, ANSWER.to_vec()),
        9 => endpoint.reject(now, call, 486, "", Vec::new()),
        10 => endpoint.hang_up(now, call, Some("Q.850;cause=16")),
        11 | 12 => endpoint.reinvite(now, call, OFFER.to_vec()),
        13 => endpoint.answer_reinvite(now, call, Ok(ANSWER.to_vec())),
        14 => endpoint.answer_reinvite(now, call, Err(488)),
        15 => drop(endpoint.refer(now, call, "<sip:c@10.0.0.3>", None)),
        16 => endpoint.answer_refer(now, call, if coin { Ok(()) } else { Err(603) }),
        17 => endpoint.notify_refer(now, call, 180, ""),
        18 => endpoint.notify_refer(now, call, 200, ""),
        _ => endpoint.acknowledge(now, call, Some(ANSWER.to_vec())),
    });
}

fn run(seed: [u8; 32], steps: usize, weather: Weather, replays: u64) {
    let mut random = Random::new(seed);
    let mut sky = Random::new(random.fork());
    let mut pair = Pair::new();
    pair.set_rule(move |_| {
        let dice = percent(&mut sky);
        if dice < weather.lost {
            Fate::Lose
        } else if dice < weather.lost + weather.doubled {
            Fate::Copies(2)
        } else if dice < weather.lost + weather.doubled + weather.late {
            Fate::Delay(sky.between(1..=900))
        } else {
            Fate::Deliver
        }
    });
    let mut told = Told { calls: [BTreeMap::new(), BTreeMap::new()] };
    for _ in 0..steps {
        act(&mut pair, &mut told, &mut random);
        if percent(&mut random) < replays && !pair.log.is_empty() {
            let index = usize::try_from(random.next_u64()).unwrap_or(0) % pair.log.len();
            pair.replay(index);
        }
        let pause = match percent(&mut random) {
            0..=49 => random.between(0..=30),
            50..=89 => random.between(0..=1_000),
            90..=98 => random.between(0..=10_000),
            _ => random.between(0..=400_000),
        };
        pair.run(pause);
        told.note(&mut pair, Alice);
        told.note(&mut pair, Bob);
    }
    for side in [Alice, Bob] {
        for call in told.calls[side as usize].keys() {
            pair.at(side, |endpoint, now| endpoint.hang_up(now, *call, None));
        }
    }
    // Calls that arrive only now are nobody's wish; the phones take them away.
    for _ in 0..100 {
        pair.run(Duration::from_secs(1));
        for side in [Alice, Bob] {
            told.note(&mut pair, side);
            for call in told.calls[side as usize].keys() {
                pair.at(side, |endpoint, now| endpoint.hang_up(now, *call, None));
            }
        }
    }
    pair.drain();
    for side in [Alice, Bob] {
        told.note(&mut pair, side);
        let open: Vec<&CallId> = told.calls[side as usize].iter().filter(|(_, ended)| !**ended).map(|(call, _)| call).collect();
        assert!(open.is_empty(), "{side:?} was never told the end of {open:?}");
        assert!(pair.endpoint(side).is_idle(), "{side:?} keeps {} transactions; {:?}", pair.endpoint(side).transactions(), pair.kinds());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_a_good_network_every_call_ends_once_whatever_both_sides_do(seed: [u8; 32]) {
        run(seed, 80, Weather { lost: 0, doubled: 0, late: 0 }, 0);
    }

    #[test]
    fn on_a_bad_network_every_call_ends_once_whatever_both_sides_do(seed: [u8; 32], lost in 0_u64..40, doubled in 0_u64..20, late in 0_u64..30) {
        run(seed, 80, Weather { lost, doubled, late }, 0);
    }

    #[test]
    fn old_messages_that_come_again_at_any_time_change_no_end(seed: [u8; 32], replays in 1_u64..60) {
        run(seed, 80, Weather { lost: 10, doubled: 5, late: 10 }, replays);
    }

    /// Messages of real calls with a few bytes changed.
    #[test]
    fn damaged_messages_never_panic(seed: [u8; 32]) {
        let mut random = Random::new(seed);
        let mut pair = Pair::new();
        let (alice, bob) = pair.talk();
        pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, OFFER.to_vec()));
        pair.settle();
        pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(ANSWER.to_vec())));
        pair.settle();
        pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
        pair.settle();
        let mut peer = Peer::new();
        peer.strict = false;
        for _ in 0..10 {
            for packet in &pair.log {
                let mut bytes = packet.text.clone().into_bytes();
                for _ in 0..=random.next_u64() % 4 {
                    let at = usize::try_from(random.next_u64()).unwrap_or(0) % bytes.len();
                    bytes[at] = u8::try_from(random.next_u64() % 256).unwrap_or(0);
                }
                peer.act(|endpoint, now| match parse_datagram(&bytes) {
                    Ok(message) => endpoint.handle_message(now, Peer::source(), message),
                    Err(malformed) => endpoint.handle_malformed(now, Peer::source(), malformed),
                });
                let calls: Vec<CallId> = peer.events.drain(..).filter_map(|event| match event {
                    Event::Incoming { call, .. } => Some(call),
                    _ => None,
                }).collect();
                for call in calls {
                    peer.act(|endpoint, now| endpoint.answer(now, call, ANSWER.to_vec()));
                }
            }
            peer.run(Duration::from_secs(3));
        }
        // Calls whose peer never acknowledges end by themselves.
        peer.run(Duration::from_secs(120));
        prop_assert_eq!(peer.endpoint.live_calls(), 0);
        prop_assert!(peer.endpoint.is_idle());
    }
}

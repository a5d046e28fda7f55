//! Who hears whom, for every mixture of hold, consult, conference and supervision.

use dreiklang_core::{
    Engine, Stamped, World,
    conversation::{Consult, Conversation, Facing, Hearing, Member, Supervision, SupervisionMode as Mode},
    ids::{AgentId, LegId, TenantId},
    input::{Actor, TransferTarget},
    output::Prompt,
    time::Timestamp,
};

use crate::office::{ANNA, Office, SUPPORT};

const MEMBER: LegId = LegId(11);
const TARGET: LegId = LegId(12);
const SUPERVISORS: [LegId; 3] = [LegId(13), LegId(14), LegId(15)];

/// A talk of customer and agent as the engine makes it, and both legs.
fn talk() -> (Conversation, LegId, LegId) {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, agent) = office.talk(SUPPORT, ANNA);
    (office.conversation(customer).clone(), customer, agent)
}

/// Every mixture: on hold or not, a consult or none and whom the agent faces in it, a conference or none, and up to three
/// supervisors of all modes, answered or not.
fn mixtures() -> (Vec<Conversation>, LegId, LegId) {
    let (plain, customer, agent) = talk();
    let consult = |facing, answered: bool| Consult {
        agent: ANNA,
        by: Actor::System,
        to: TransferTarget::Number("+49891234567".to_owned()),
        target: None,
        leg: Some(TARGET),
        started_at: Timestamp(0),
        answered_at: answered.then_some(Timestamp(1)),
        facing,
    };
    let consults = [None, Some((Facing::Target, false)), Some((Facing::Target, true)), Some((Facing::Customer, true))];
    let mut all = Vec::new();
    for asked in consults {
        for held in [false, true] {
            // A consult says itself whether the customer is on hold.
            if asked.is_some_and(|(facing, _)| (facing == Facing::Target) != held) {
                continue;
            }
            for members in 0..=1 {
                for choice in 0..64u32 {
                    let mut found = plain.clone();
                    found.consult = asked.map(|(facing, answered)| consult(facing, answered));
                    if let Some(talk) = &mut found.talk {
                        talk.held_since = held.then_some(Timestamp(1));
                    }
                    found.members = (0..members).map(|_| Member { leg: MEMBER, agent: None, joined_at: Timestamp(0) }).collect();
                    for (index, leg) in SUPERVISORS.into_iter().enumerate() {
                        let Some(mode) =
                            [None, Some(Mode::Listen), Some(Mode::Whisper), Some(Mode::Barge)][(choice >> (2 * index)) as usize % 4]
                        else {
                            continue;
                        };
                        let supervisor = AgentId(50 + index as u128);
                        let answered_at = Some(Timestamp(1));
                        found.supervisors.push(Supervision {
                            supervisor,
                            leg,
                            mode,
                            by: Actor::System,
                            started_at: Timestamp(0),
                            answered_at,
                        });
                    }
                    all.push(found);
                }
            }
        }
    }
    (all, customer, agent)
}

fn hears(table: &[Hearing], listener: LegId, speaker: LegId) -> bool {
    table.iter().any(|party| party.leg == listener && party.voices.contains(&speaker))
}

#[test]
fn in_every_mixture_each_hears_just_whom_it_should() {
    let (mixtures, customer, agent) = mixtures();
    assert_eq!(mixtures.len(), 5 * 2 * 64);
    for found in mixtures {
        let table = found.hearing(&Prompt::Music);
        let says = || format!("{table:?}\n{found:?}");
        let away = found.consult.as_ref().is_some_and(|consult| consult.facing == Facing::Target);
        let consulted = found.consult.as_ref().is_some_and(|consult| consult.answered_at.is_some());
        let on_hold = found.talk.as_ref().unwrap().held_since.is_some();
        let member = !found.members.is_empty();

        assert_eq!(hears(&table, customer, agent), !on_hold, "{}", says());
        assert_eq!(hears(&table, agent, customer), !on_hold, "{}", says());
        assert_eq!(hears(&table, agent, TARGET), consulted && away, "{}", says());
        assert_eq!(hears(&table, customer, MEMBER), member && !on_hold, "{}", says());
        assert_eq!(hears(&table, agent, MEMBER), member && !away, "{}", says());
        assert!(!hears(&table, customer, TARGET) && !hears(&table, TARGET, customer) && !hears(&table, MEMBER, TARGET), "{}", says());
        for one in &found.supervisors {
            assert!(hears(&table, one.leg, agent), "a supervisor hears the agent: {}", says());
            assert_eq!(hears(&table, one.leg, customer), !on_hold, "{}", says());
            assert_eq!(hears(&table, one.leg, TARGET), consulted && away, "{}", says());
            assert_eq!(hears(&table, agent, one.leg), one.mode != Mode::Listen, "{}", says());
            assert_eq!(hears(&table, customer, one.leg), one.mode == Mode::Barge && !on_hold, "{}", says());
            assert_eq!(hears(&table, TARGET, one.leg), one.mode == Mode::Barge && consulted && away, "{}", says());
            for other in found.supervisors.iter().filter(|other| other.leg != one.leg) {
                assert_eq!(hears(&table, one.leg, other.leg), other.mode == Mode::Barge, "{}", says());
            }
        }
        for party in &table {
            assert!(!party.voices.contains(&party.leg), "nobody hears himself: {}", says());
            assert!(party.voices.is_empty() || party.prompt.is_none(), "{}", says());
            let named: Vec<_> = table.iter().filter(|other| other.leg == party.leg).collect();
            assert_eq!(named.len(), 1, "everybody is named once: {}", says());
        }
        let waits = |leg: LegId| table.iter().any(|party| party.leg == leg && party.prompt == Some(Prompt::Music));
        assert_eq!(waits(customer), on_hold, "who waits hears music: {}", says());
        assert_eq!(waits(TARGET), consulted && !away, "{}", says());
        assert_eq!(waits(MEMBER), member && away, "{}", says());
    }
}

#[test]
fn who_is_being_called_is_not_in_it_yet() {
    let (mut found, customer, agent) = talk();
    let supervision = |answered_at| Supervision {
        supervisor: AgentId(50),
        leg: SUPERVISORS[0],
        mode: Mode::Barge,
        by: Actor::System,
        started_at: Timestamp(0),
        answered_at,
    };
    found.supervisors = vec![supervision(None)];
    assert!(!found.is_mixed());
    assert_eq!(found.hearing(&Prompt::Music).iter().map(|party| party.leg).collect::<Vec<_>>(), [customer, agent]);
    found.supervisors = vec![supervision(Some(Timestamp(1)))];
    assert!(found.is_mixed());
}

#[test]
fn without_a_talk_there_is_nothing_to_say() {
    let mut office = Office::new();
    let customer = office.call(SUPPORT);
    assert_eq!(office.conversation(customer).hearing(&Prompt::Music), []);
}

#[test]
fn conversations_of_before_are_read_as_having_no_further_parties() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let mut written = serde_json::to_value(office.conversation(customer)).unwrap();
    for field in ["members", "supervisors", "mixed", "waited"] {
        written.as_object_mut().unwrap().remove(field);
    }
    let read: Conversation = serde_json::from_value(written).unwrap();
    assert_eq!(&read, office.conversation(customer));
    let events: Vec<Stamped> = office.events.clone();
    assert_eq!(Engine::replay(World::new(TenantId(7)), events).world(), office.engine.world());
}

//! Supervisors listen, whisper, barge in and take over.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::{Availability, Duty, Occupation, Settings as Agent},
    config::{Change, Target},
    conversation::{CauseKind, SegmentKind, SupervisionMode as Mode, SupervisionOutcome as Outcome},
    endpoint::Line,
    ids::{AgentId, ConversationId, LegId},
    input::TransferTarget,
    limits,
    output::HangUpReason,
    queue::{Allowance, Settings},
};

const DORA: AgentId = AgentId(3);

struct Talk {
    office: Office,
    id: ConversationId,
    customer: LegId,
    anna: LegId,
    dora: LegId,
}

/// Anna talks with a customer; Dora, on a break, follows and has answered.
fn followed(mode: Mode) -> Talk {
    let mut talk = called(mode);
    talk.office.connect(talk.dora);
    talk
}

/// The same, while Dora's telephone rings.
fn called(mode: Mode) -> Talk {
    let mut office = Office::with_agents(&[ANNA, BERT, DORA]);
    office.put(Change::PutAgent(Agent { supervises: true, ..agent(DORA, "Dora") }));
    office.put(Change::PutQueue(Settings { wrap_up: Allowance::UntilFinished, ..queue(QUEUE, "Support") }));
    let availability = Availability::NotReady { reason: "coaching".to_owned() };
    office.ask(Command::SetAvailability { agent: DORA, availability }).unwrap();
    let (customer, anna) = office.talk(SUPPORT, ANNA);
    let id = office.conversation_id(customer);
    office.ask_as(Actor::Agent(DORA), Command::Supervise { conversation: id, agent: DORA, mode }).unwrap();
    let dora = office.agent(DORA).leg.unwrap();
    Talk { office, id, customer, anna, dora }
}

fn outcomes(office: &Office) -> Vec<Outcome> {
    let outcome = |event: &Event| if let Event::SupervisionEnded { outcome, .. } = event { Some(*outcome) } else { None };
    office.events.iter().filter_map(|stamped| outcome(&stamped.event)).collect()
}

#[test]
fn modes_change_in_any_order_and_everybody_hears_just_that() {
    let Talk { mut office, id, customer, anna, dora } = followed(Mode::Listen);
    for mode in [Mode::Listen, Mode::Barge, Mode::Whisper, Mode::Barge, Mode::Listen, Mode::Whisper] {
        office.ask(Command::ChangeSupervision { conversation: id, agent: DORA, mode }).unwrap();
        assert_eq!(office.voices(dora), [customer, anna], "{mode:?}");
        let (to_customer, to_agent) = match mode {
            Mode::Listen => (vec![anna], vec![customer]),
            Mode::Whisper => (vec![anna], vec![customer, dora]),
            Mode::Barge => (vec![anna, dora], vec![customer, dora]),
        };
        assert_eq!((office.voices(customer), office.voices(anna)), (to_customer, to_agent), "{mode:?}");
    }
    office.ask(Command::EndSupervision { conversation: id, agent: DORA }).unwrap();
    assert_eq!((office.voices(customer), office.voices(anna)), (vec![anna], vec![customer]));
    assert_eq!((outcomes(&office), office.agent(DORA).occupation), (vec![Outcome::Ended], Occupation::Idle));
}

#[test]
fn until_the_supervisor_answers_nothing_changes_for_anybody() {
    let Talk { mut office, id, customer, dora, .. } = called(Mode::Barge);
    assert!(!office.actions.iter().any(|(_, action)| matches!(action, Action::Mix { .. })));
    assert_eq!(office.agent(DORA).occupation, Occupation::Supervising { conversation: id });
    assert!(office.ask(Command::TakeOver { conversation: id, agent: DORA }).is_err(), "who is not there cannot take over");
    assert!(office.ask(Command::SetDuty { agent: DORA, duty: Duty::SignedOut }).is_err());
    office.pass(limits::TRANSFER_RING.0 as i64);
    assert_eq!(outcomes(&office), [Outcome::NoAnswer]);
    assert!(office.conversation(customer).leg(dora).unwrap().ending);
    assert_eq!(office.agent(DORA).availability, Availability::NotReady { reason: "coaching".to_owned() }, "nobody is blamed");
    office.connect(dora);
    assert!(office.conversation(customer).supervisors.is_empty(), "who picks up too late is not in it");
}

#[test]
fn what_becomes_of_the_supervisor_never_harms_the_talk() {
    for (answered, kind, outcome) in [
        (false, CauseKind::Declined, Outcome::Declined),
        (false, CauseKind::Busy, Outcome::Busy),
        (false, CauseKind::Unreachable, Outcome::Unreachable),
        (true, CauseKind::FarEnd, Outcome::Left),
        (true, CauseKind::Network, Outcome::Left),
    ] {
        let Talk { mut office, customer, anna, dora, .. } = if answered { followed(Mode::Barge) } else { called(Mode::Barge) };
        office.end(dora, kind);
        assert_eq!((outcomes(&office), office.voices(customer)), (vec![outcome], vec![anna]));
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
        assert_eq!(office.agent(DORA).occupation, Occupation::Idle);
    }
}

#[test]
fn on_hold_the_supervisor_hears_the_agent_and_may_whisper() {
    let Talk { mut office, id, customer, anna, dora } = followed(Mode::Whisper);
    office.ask(Command::Hold { conversation: id }).unwrap();
    assert_eq!((office.voices(customer), office.voices(anna), office.voices(dora)), (vec![], vec![dora], vec![anna]));
    office.ask(Command::ChangeSupervision { conversation: id, agent: DORA, mode: Mode::Listen }).unwrap();
    assert_eq!((office.voices(anna), office.voices(dora)), (vec![], vec![anna]));
    office.ask(Command::Resume { conversation: id }).unwrap();
    assert_eq!(office.voices(dora), [customer, anna]);
}

#[test]
fn in_a_consult_the_supervisor_follows_the_agent() {
    let Talk { mut office, id, customer, anna, dora } = followed(Mode::Barge);
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
    assert_eq!((office.voices(customer), office.voices(anna)), (vec![], vec![dora]));
    let bert = office.offered_leg(BERT).unwrap();
    office.connect(bert);
    assert_eq!((office.voices(anna), office.voices(bert)), (vec![bert, dora], vec![anna, dora]));
    office.ask(Command::SwapConsult { conversation: id }).unwrap();
    assert_eq!((office.voices(customer), office.voices(bert)), (vec![anna, dora], vec![]));
    office.ask(Command::CompleteConsult { conversation: id }).unwrap();
    assert_eq!((outcomes(&office), office.voices(customer)), (vec![Outcome::TalkEnded], vec![bert]), "the talk that was followed is over");
}

#[test]
fn taken_over_the_supervisor_has_the_customer_and_the_agent_wraps_up() {
    for during in ["talk", "hold", "consult"] {
        let Talk { mut office, id, customer, anna, dora } = followed(Mode::Listen);
        match during {
            "hold" => office.ask(Command::Hold { conversation: id }).unwrap(),
            "consult" => office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap(),
            _ => {}
        }
        office.ask_as(Actor::Agent(DORA), Command::TakeOver { conversation: id, agent: DORA }).unwrap();
        let talk = office.conversation(customer).talk.clone().unwrap();
        assert_eq!((talk.leg, talk.agent, talk.queue), (dora, Some(DORA), Some(QUEUE)), "{during}");
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
        assert_eq!(office.voices(customer), [dora]);
        let told = |action: &Action| matches!(action, Action::HangUp { leg, reason: HangUpReason::Transferred, .. } if *leg == anna);
        assert!(office.actions.iter().any(|(_, action)| told(action)));
        assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
        assert_eq!((outcomes(&office), office.agent(BERT).occupation), (vec![Outcome::TookOver], Occupation::Idle));
    }
}

#[test]
fn an_agent_who_is_gone_leaves_the_customer_with_who_barges_in_and_with_nobody_who_only_listens() {
    for kind in [CauseKind::FarEnd, CauseKind::Network] {
        let Talk { mut office, customer, anna, dora, .. } = followed(Mode::Barge);
        office.end(anna, kind);
        assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, Some(DORA));
        assert_eq!((office.voices(customer), outcomes(&office)), (vec![dora], vec![Outcome::TookOver]));
    }
    let Talk { mut office, customer, anna, .. } = followed(Mode::Whisper);
    office.end(anna, CauseKind::Network);
    assert!(office.conversation(customer).visit.is_some(), "the customer waits again");
    assert_eq!(outcomes(&office), [Outcome::TalkEnded]);
}

#[test]
fn agents_supervise_themselves_only_and_only_when_they_may() {
    let mut office = Office::with_agents(&[ANNA, BERT, DORA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    let ask = |agent| Command::Supervise { conversation, agent, mode: Mode::Listen };
    assert!(matches!(office.ask_as(Actor::Agent(BERT), ask(BERT)), Err(Refusal::NotAllowed { .. })), "without the right");
    office.put(Change::PutAgent(Agent { supervises: true, ..agent(BERT, "Bert") }));
    assert!(matches!(office.ask_as(Actor::Agent(BERT), ask(DORA)), Err(Refusal::NotAllowed { .. })), "for somebody else");
    assert_eq!(office.ask_as(Actor::Agent(BERT), ask(BERT)), Ok(()));
    assert_eq!(office.ask(ask(DORA)), Ok(()), "other rights were judged before");
    let change = Command::ChangeSupervision { conversation, agent: DORA, mode: Mode::Barge };
    assert!(matches!(office.ask_as(Actor::Agent(BERT), change), Err(Refusal::NotAllowed { .. })));
    assert!(office.ask(ask(ANNA)).is_err(), "nobody follows the own talk");
    assert!(office.ask(ask(BERT)).is_err(), "who follows a talk already changes the mode");
}

#[test]
fn only_an_agents_talk_can_be_supervised() {
    let mut office = Office::with_agents(&[ANNA, DORA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    let ask = Command::Supervise { conversation, agent: DORA, mode: Mode::Listen };
    office.ask(Command::Transfer { conversation, to: TransferTarget::Number("+49891234567".to_owned()) }).unwrap();
    assert!(matches!(office.ask(ask.clone()), Err(Refusal::WrongState { .. })));
    let outside = office.conversation(customer).transfer.as_ref().unwrap().leg.unwrap();
    office.connect(outside);
    assert!(matches!(office.ask(ask), Err(Refusal::WrongState { .. })));
    let nowhere = Command::Supervise { conversation: ConversationId(9), agent: DORA, mode: Mode::Listen };
    assert!(matches!(office.ask(nowhere), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_line_that_cannot_do_it_leaves_customer_and_agent_together_and_says_why() {
    let Talk { mut office, customer, anna, dora, .. } = followed(Mode::Listen);
    office.fail_last_action();
    assert_eq!((office.voices(customer), office.voices(anna)), (vec![anna], vec![customer]));
    let said = |event: &Event| matches!(event, Event::SupervisionEnded { outcome: Outcome::Failed, problem: Some(problem), .. } if problem == "it cannot be done");
    assert_eq!(office.count(said), 1);
    assert!(office.conversation(customer).leg(dora).unwrap().ending);
    assert_eq!(office.agent(DORA).occupation, Occupation::Idle);
}

#[test]
fn a_failure_while_the_customer_is_on_hold_leaves_it_so() {
    let Talk { mut office, id, customer, anna, .. } = followed(Mode::Whisper);
    office.ask(Command::Hold { conversation: id }).unwrap();
    office.fail_last_action();
    let last = |wanted: LegId| office.actions.iter().rev().find(|(_, action)| action.is_hearing() && action.needs_leg(wanted)).unwrap();
    assert!(matches!(last(customer).1, Action::Play { .. }));
    assert!(matches!(last(anna).1, Action::Silence { .. }));
}

#[test]
fn a_talk_that_ends_ends_the_supervision_and_a_removed_supervisor_disappears_then() {
    let Talk { mut office, customer, .. } = followed(Mode::Barge);
    office.put(Change::RemoveAgent(DORA));
    assert!(office.agent(DORA).retiring);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(outcomes(&office), [Outcome::TalkEnded]);
    office.obey_hang_ups();
    assert!(office.engine.world().agent(DORA).is_none());
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_supervisor_who_died_with_a_former_process_does_not_get_the_customer() {
    let Talk { mut office, customer, .. } = followed(Mode::Barge);
    office.pass(1_000);
    office.give(Input::TookOver);
    office.give(Input::Survey { line: Line::Connected, live: vec![customer] });
    assert!(office.conversation(customer).visit.is_some());
    assert!(office.conversation(customer).supervisors.is_empty());
    assert_eq!(office.agent(DORA).occupation, Occupation::Idle);
}

#[test]
fn while_following_a_talk_nobody_is_offered_a_call_and_a_direct_call_is_refused() {
    let Talk { mut office, .. } = followed(Mode::Listen);
    office.ask(Command::SetAvailability { agent: DORA, availability: Availability::Ready }).unwrap();
    office.ask(Command::SetDuty { agent: BERT, duty: Duty::OffDuty }).unwrap();
    let waiting = office.call(SUPPORT);
    assert!(office.conversation(waiting).offer.is_none());
    office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(DORA))));
    office.arrive("+49303000");
    assert!(matches!(office.actions.last().unwrap().1, Action::Reject { .. }));
}

//! Asking somebody before handing a customer over.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::{Availability, Occupation},
    config::Change,
    conversation::{CauseKind, ConsultOutcome, Role, SegmentKind, TerminationReason},
    ids::{AgentId, ConversationId, LegId},
    input::TransferTarget,
    limits,
    output::{HangUpReason, Prompt},
    queue::{Allowance, CallRules, ConsultDrop, RecordingPolicy},
    time::Millis,
};

const CARL: AgentId = AgentId(3);

/// Anna talks to a customer: conversation, the customer's leg, Anna's leg.
fn talking(agents: &[AgentId]) -> (Office, ConversationId, LegId, LegId) {
    let mut office = Office::with_agents(agents);
    let (customer, anna) = office.talk(SUPPORT, ANNA);
    let id = office.conversation_id(customer);
    (office, id, customer, anna)
}

fn outside() -> TransferTarget {
    TransferTarget::Number("+49891234567".to_owned())
}

fn outside_leg(office: &Office, customer: LegId) -> LegId {
    let legs = &office.conversation(customer).legs;
    legs.iter().find(|leg| leg.role == Role::External).map(|leg| leg.id).expect("somebody outside is called")
}

fn outcomes(office: &Office) -> Vec<ConsultOutcome> {
    let of = |event: &Event| match event {
        Event::ConsultEnded { outcome, .. } => Some(*outcome),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| of(&stamped.event)).collect()
}

fn bridged(office: &Office) -> Option<(LegId, LegId)> {
    office.actions.iter().rev().find_map(|(_, action)| match action {
        Action::Bridge { a, b, .. } => Some((*a, *b)),
        _ => None,
    })
}

fn told(office: &Office, wanted: LegId) -> Option<HangUpReason> {
    office.actions.iter().find_map(|(_, action)| match action {
        Action::HangUp { leg, reason, .. } if *leg == wanted => Some(*reason),
        _ => None,
    })
}

/// Anna consults Bert, who has answered: also his leg.
fn consulting() -> (Office, ConversationId, LegId, LegId, LegId) {
    let (mut office, id, customer, anna) = talking(&[ANNA, BERT]);
    office.ask_as(Actor::Agent(ANNA), Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
    let bert = office.offered_leg(BERT).unwrap();
    office.connect(bert);
    (office, id, customer, anna, bert)
}

fn goes_back(office: &Office, customer: LegId, anna: LegId) {
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    assert_eq!(bridged(office), Some((customer, anna)), "the agent has the customer again");
    assert!(matches!(office.agent(ANNA).occupation, Occupation::Talking { .. }));
    assert!(office.conversation(customer).consult.is_none());
}

#[test]
fn the_customer_hears_music_while_agent_and_target_talk() {
    let (office, id, customer, anna, bert) = consulting();
    let music = |action: &Action| matches!(action, Action::Play { leg, prompt: Prompt::Music, .. } if *leg == customer);
    assert!(office.actions.iter().any(|(_, action)| music(action)));
    let ringback = |action: &Action| matches!(action, Action::Play { leg, prompt: Prompt::Ringback, .. } if *leg == anna);
    assert!(office.actions.iter().any(|(_, action)| ringback(action)), "the agent heard Bert's telephone ring");
    assert_eq!(bridged(&office), Some((anna, bert)));
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Hold));
    for agent in [ANNA, BERT] {
        assert_eq!(office.agent(agent).occupation, Occupation::Consulting { conversation: id });
    }
}

#[test]
fn completed_the_target_has_the_customer_and_the_agent_wraps_up() {
    let (mut office, id, customer, anna, bert) = consulting();
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::UntilFinished;
    office.put(Change::PutQueue(settings));
    office.ask(Command::CompleteConsult { conversation: id }).unwrap();
    assert_eq!(bridged(&office), Some((customer, bert)));
    assert_eq!(told(&office, anna), Some(HangUpReason::Transferred));
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    assert_eq!(office.agent(BERT).occupation, Occupation::Talking { conversation: id });
    let talk = office.conversation(customer).talk.clone().unwrap();
    assert_eq!((talk.agent, talk.queue), (Some(BERT), Some(QUEUE)), "it is still the queue's customer");
    assert_eq!(outcomes(&office), [ConsultOutcome::Completed]);
    office.obey_hang_ups();
    office.end(bert, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn cancelled_the_agent_has_the_customer_and_the_target_is_free_without_wrap_up() {
    let (mut office, id, customer, anna, bert) = consulting();
    office.ask(Command::CancelConsult { conversation: id }).unwrap();
    goes_back(&office, customer, anna);
    assert_eq!(told(&office, bert), Some(HangUpReason::Normal));
    assert_eq!(office.agent(BERT).occupation, Occupation::Idle);
    assert_eq!(outcomes(&office), [ConsultOutcome::Cancelled]);
}

#[test]
fn cancelled_while_it_rings_the_target_has_missed_nothing() {
    let (mut office, id, customer, anna) = talking(&[ANNA, BERT]);
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
    let bert = office.offered_leg(BERT).unwrap();
    office.ask(Command::CancelConsult { conversation: id }).unwrap();
    goes_back(&office, customer, anna);
    assert_eq!(told(&office, bert), Some(HangUpReason::CallerGone));
    assert_eq!(office.agent(BERT).availability, Availability::Ready);
    office.connect(bert);
    assert!(office.conversation(customer).consult.is_none(), "who picks up too late is not in it");
}

#[test]
fn swapped_the_agent_hears_the_customer_and_the_target_music_and_back() {
    let (mut office, id, customer, anna, bert) = consulting();
    office.ask(Command::SwapConsult { conversation: id }).unwrap();
    assert_eq!(bridged(&office), Some((customer, anna)));
    let waits = office.actions.iter().rev().find(|(_, action)| action.needs_leg(bert)).unwrap();
    assert!(matches!(waits.1, Action::Play { prompt: Prompt::Music, .. }));
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    office.ask(Command::SwapConsult { conversation: id }).unwrap();
    assert_eq!(bridged(&office), Some((anna, bert)));
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Hold));
    office.ask(Command::SwapConsult { conversation: id }).unwrap();
    office.ask(Command::CompleteConsult { conversation: id }).unwrap();
    assert_eq!(bridged(&office), Some((customer, bert)), "it can be completed while the target waits");
}

#[test]
fn a_target_who_declines_or_does_not_answer_is_judged_as_for_any_offer_and_the_agent_goes_back() {
    for (missed, outcome) in [(true, ConsultOutcome::NoAnswer), (false, ConsultOutcome::Declined)] {
        let (mut office, id, customer, anna) = talking(&[ANNA, BERT]);
        office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
        let bert = office.offered_leg(BERT).unwrap();
        if missed {
            office.pass(limits::TRANSFER_RING.0 as i64);
        } else {
            office.end(bert, CauseKind::Declined);
        }
        goes_back(&office, customer, anna);
        assert_eq!(outcomes(&office), [outcome]);
        assert!(matches!(office.agent(BERT).availability, Availability::NotReady { .. }));
    }
}

#[test]
fn a_target_who_hangs_up_leaves_agent_and_customer_together() {
    for swapped in [false, true] {
        let (mut office, id, customer, anna, bert) = consulting();
        if swapped {
            office.ask(Command::SwapConsult { conversation: id }).unwrap();
        }
        office.end(bert, CauseKind::FarEnd);
        goes_back(&office, customer, anna);
        assert_eq!(outcomes(&office), [ConsultOutcome::TargetLeft]);
        assert_eq!(office.agent(BERT).occupation, Occupation::Idle);
    }
}

#[test]
fn a_customer_who_leaves_ends_it_for_both_and_only_the_agent_wraps_up() {
    let (mut office, id, customer, anna, bert) = consulting();
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::UntilFinished;
    office.put(Change::PutQueue(settings));
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(outcomes(&office), [ConsultOutcome::ConversationEnded]);
    assert!(told(&office, anna).is_some() && told(&office, bert).is_some());
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { conversation, .. } if conversation == id));
    assert_eq!(office.agent(BERT).occupation, Occupation::Idle);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    let hung_up = |event: &Event| matches!(event, Event::LegEnded { termination, .. } if termination.reason == TerminationReason::HungUp);
    assert_eq!(office.count(hung_up), 3, "every leg's end is classified");
}

#[test]
fn an_agent_who_drops_out_leaves_the_customer_with_who_was_consulted() {
    for cause in [CauseKind::FarEnd, CauseKind::Network] {
        let (mut office, id, customer, anna, bert) = consulting();
        office.end(anna, cause);
        assert_eq!(bridged(&office), Some((customer, bert)), "{cause:?}");
        assert_eq!(outcomes(&office), [ConsultOutcome::Joined]);
        assert_eq!(office.agent(BERT).occupation, Occupation::Talking { conversation: id });
        assert!(!matches!(office.agent(ANNA).occupation, Occupation::Consulting { .. }));
    }
}

#[test]
fn an_agent_who_drops_out_before_anybody_answered_leaves_the_customer_first_in_the_queue() {
    for cause in [CauseKind::FarEnd, CauseKind::Network] {
        let (mut office, id, customer, anna) = talking(&[ANNA, BERT]);
        office.ask(Command::Consult { conversation: id, to: outside() }).unwrap();
        let target = outside_leg(&office, customer);
        office.end(anna, cause);
        let visit = office.conversation(customer).visit.clone().expect("the customer waits");
        assert_eq!((visit.queue, visit.priority), (QUEUE, limits::PRIORITY_MAX), "{cause:?}");
        assert_eq!(told(&office, target), Some(HangUpReason::CallerGone));
        assert_eq!(outcomes(&office), [ConsultOutcome::AgentLeft]);
    }
}

#[test]
fn by_the_queues_rule_a_customer_is_not_joined_but_goes_back_to_the_queue() {
    let (mut office, _, customer, anna, bert) = consulting();
    let mut settings = queue(QUEUE, "Support");
    settings.calls = Box::new(CallRules { consult_drop: ConsultDrop::Queue, ..CallRules::default() });
    office.put(Change::PutQueue(settings));
    office.end(anna, CauseKind::Network);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert!(told(&office, bert).is_some());
    assert_eq!(outcomes(&office), [ConsultOutcome::AgentLeft]);
}

#[test]
fn somebody_outside_is_consulted_and_gets_the_customer() {
    let (mut office, id, customer, anna) = talking(&[ANNA]);
    office.ask(Command::Consult { conversation: id, to: outside() }).unwrap();
    let target = outside_leg(&office, customer);
    let early = office.ask(Command::CompleteConsult { conversation: id });
    assert!(matches!(early, Err(Refusal::WrongState { reason }) if reason.contains("not answered")));
    office.connect(target);
    assert_eq!(bridged(&office), Some((anna, target)));
    office.ask(Command::CompleteConsult { conversation: id }).unwrap();
    assert_eq!(bridged(&office), Some((customer, target)));
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, None);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
}

#[test]
fn every_way_somebody_outside_cannot_be_had_brings_the_agent_back() {
    let ways = [
        (CauseKind::Busy, ConsultOutcome::Busy),
        (CauseKind::FarEnd, ConsultOutcome::Declined),
        (CauseKind::NoAnswer, ConsultOutcome::NoAnswer),
        (CauseKind::Unreachable, ConsultOutcome::Unreachable),
        (CauseKind::Failure, ConsultOutcome::Failure),
    ];
    for (cause, outcome) in ways {
        let (mut office, id, customer, anna) = talking(&[ANNA]);
        office.ask(Command::Consult { conversation: id, to: outside() }).unwrap();
        let target = outside_leg(&office, customer);
        office.end(target, cause);
        goes_back(&office, customer, anna);
        assert_eq!(outcomes(&office), [outcome]);
    }
    let (mut office, id, customer, anna) = talking(&[ANNA]);
    office.ask(Command::Consult { conversation: id, to: outside() }).unwrap();
    let target = outside_leg(&office, customer);
    office.pass(limits::TRANSFER_RING.0 as i64);
    goes_back(&office, customer, anna);
    assert_eq!(told(&office, target), Some(HangUpReason::NoAnswer));
}

#[test]
fn a_consulted_queue_is_its_agent_idle_longest_and_counts_no_visit() {
    let (mut office, id, customer, _) = talking(&[ANNA, BERT, CARL]);
    let visits = office.count(|event| matches!(event, Event::VisitStarted { .. }));
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    let bert = office.offered_leg(BERT).expect("he has been idle longer than Carl");
    office.end(bert, CauseKind::Declined);
    let carl = office.offered_leg(CARL).expect("the next one is asked");
    office.connect(carl);
    assert_eq!(office.count(|event| matches!(event, Event::VisitStarted { .. })), visits);
    office.ask(Command::CompleteConsult { conversation: id }).unwrap();
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().queue, Some(OTHER_QUEUE));
}

#[test]
fn a_consulted_queue_without_free_agents_is_waited_for_behind_its_customers_and_not_for_ever() {
    let (mut office, id, customer, anna) = talking(&[ANNA]);
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    let waiting = office.call(SALES);
    office.put(Change::PutAgent(crate::office::agent(BERT, "Bert")));
    office.ready(BERT);
    assert!(office.conversation(waiting).offer.is_some(), "customers come first");
    office.put(Change::PutAgent(crate::office::agent(CARL, "Carl")));
    office.ready(CARL);
    let offer = office.conversation(customer).offer.clone().expect("then the one who asks");
    assert_eq!(offer.agent, CARL);
    office.end(offer.leg, CauseKind::Declined);
    office.pass(limits::CONSULT_WAIT.0 as i64);
    goes_back(&office, customer, anna);
    assert_eq!(outcomes(&office), [ConsultOutcome::NobodyFree]);
}

#[test]
fn what_agent_and_target_say_is_not_recorded_unless_the_queue_says_so() {
    for recorded in [false, true] {
        let mut office = Office::with_agents(&[ANNA, BERT]);
        let mut settings = queue(QUEUE, "Support");
        settings.recording = RecordingPolicy::FromAnswer;
        settings.calls.record_consult = recorded;
        office.put(Change::PutQueue(settings));
        let (customer, anna) = office.talk(SUPPORT, ANNA);
        let id = office.conversation_id(customer);
        let right = |office: &Office| {
            office.actions.iter().rev().find_map(|(_, action)| match action {
                Action::RecordRight { right, .. } | Action::StartRecording { right, .. } => Some(*right),
                _ => None,
            })
        };
        office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
        assert_eq!(right(&office), Some(recorded.then_some(anna)));
        let bert = office.offered_leg(BERT).unwrap();
        office.connect(bert);
        office.ask(Command::SwapConsult { conversation: id }).unwrap();
        assert_eq!(right(&office), Some(Some(anna)));
        office.ask(Command::CompleteConsult { conversation: id }).unwrap();
        assert_eq!(right(&office), Some(Some(bert)), "the recording follows the customer");
    }
}

#[test]
fn while_it_lasts_hold_resume_transfer_and_a_second_one_are_refused_with_what_to_do() {
    let (mut office, id, ..) = consulting();
    let refused = [
        Command::Hold { conversation: id },
        Command::Resume { conversation: id },
        Command::Transfer { conversation: id, to: TransferTarget::Queue(OTHER_QUEUE) },
        Command::Consult { conversation: id, to: outside() },
    ];
    for command in refused {
        let answer = office.ask(command.clone());
        assert!(matches!(answer, Err(Refusal::WrongState { ref reason }) if reason.contains("cancel")), "{command:?}: {answer:?}");
    }
    assert!(matches!(office.ask_as(Actor::Agent(BERT), Command::CompleteConsult { conversation: id }), Err(Refusal::NotAllowed { .. })));
    for command in [Command::SwapConsult { conversation: id }, Command::CompleteConsult { conversation: id }] {
        office.ask(Command::CancelConsult { conversation: id }).ok();
        assert!(matches!(office.ask(command), Err(Refusal::WrongState { .. })));
    }
}

#[test]
fn a_telephone_that_holds_meanwhile_decides_again_once_the_consult_is_over() {
    let (mut office, id, customer, anna, _) = consulting();
    office.give(Input::HeldByParty { leg: anna, held: true });
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Hold));
    office.ask(Command::CancelConsult { conversation: id }).unwrap();
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Hold), "the telephone still holds");
    office.give(Input::HeldByParty { leg: anna, held: false });
    goes_back(&office, customer, anna);
}

#[test]
fn two_who_cannot_be_connected_leave_agent_and_customer_together() {
    let (mut office, _, customer, anna, bert) = consulting();
    office.fail_last_action();
    goes_back(&office, customer, anna);
    assert_eq!(outcomes(&office), [ConsultOutcome::Failure]);
    assert_eq!(told(&office, bert), Some(HangUpReason::Normal));
}

#[test]
fn a_consult_can_begin_while_the_customer_is_on_hold_and_hold_counts_through() {
    let (mut office, id, customer, _) = talking(&[ANNA, BERT]);
    office.ask(Command::Hold { conversation: id }).unwrap();
    office.pass(1_000);
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
    let bert = office.offered_leg(BERT).unwrap();
    office.connect(bert);
    office.pass(2_000);
    office.ask(Command::CompleteConsult { conversation: id }).unwrap();
    let held = |event: &Event| matches!(event, Event::TalkEnded { hold, .. } if *hold == Millis::from_secs(3));
    assert_eq!(office.count(held), 1);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
}

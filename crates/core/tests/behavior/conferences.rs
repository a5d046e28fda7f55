//! Customer, agent and further parties talk with each other.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::Occupation,
    config::Change,
    conversation::{CauseKind, ConsultOutcome, MemberEnd, Role, SegmentKind},
    endpoint::Line,
    ids::{AgentId, ConversationId, LegId},
    input::TransferTarget,
    limits,
    queue::{Allowance, RecordingPolicy, Settings},
};

const CARL: AgentId = AgentId(3);

struct Conference {
    office: Office,
    id: ConversationId,
    customer: LegId,
    anna: LegId,
    bert: LegId,
}

/// Anna has consulted Bert and brought everybody together.
fn conference(agents: &[AgentId]) -> Conference {
    let mut office = Office::with_agents(agents);
    let wrap_up = Allowance::UntilFinished;
    office.put(Change::PutQueue(Settings { recording: RecordingPolicy::FromAnswer, wrap_up, ..queue(QUEUE, "Support") }));
    let (customer, anna) = office.talk(SUPPORT, ANNA);
    let id = office.conversation_id(customer);
    let bert = join(&mut office, id, TransferTarget::Agent(BERT));
    Conference { office, id, customer, anna, bert }
}

/// One more is consulted, answers, and joins.
fn join(office: &mut Office, id: ConversationId, to: TransferTarget) -> LegId {
    office.ask(Command::Consult { conversation: id, to }).unwrap();
    let leg = office.engine.world().conversation(id).unwrap().legs.last().unwrap().id;
    office.connect(leg);
    office.ask(Command::MergeConsult { conversation: id }).unwrap();
    leg
}

fn outside() -> TransferTarget {
    TransferTarget::Number("+49891234567".to_owned())
}

fn ends(office: &Office) -> Vec<MemberEnd> {
    let end = |event: &Event| if let Event::MemberLeft { end, .. } = event { Some(*end) } else { None };
    office.events.iter().filter_map(|stamped| end(&stamped.event)).collect()
}

#[test]
fn merged_all_hear_each_other_and_the_recording_stays_with_customer_and_agent() {
    let Conference { office, id, customer, anna, bert } = conference(&[ANNA, BERT]);
    assert_eq!(office.voices(customer), [anna, bert]);
    assert_eq!(office.voices(anna), [customer, bert]);
    assert_eq!(office.voices(bert), [customer, anna]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    for agent in [ANNA, BERT] {
        assert_eq!(office.agent(agent).occupation, Occupation::Talking { conversation: id });
    }
    let merged = |event: &Event| matches!(event, Event::ConsultEnded { outcome: ConsultOutcome::Merged, .. });
    assert_eq!(office.count(merged), 1);
    let right = office.actions.iter().rev().find_map(|(_, action)| match action {
        Action::RecordRight { right, .. } => Some(*right),
        _ => None,
    });
    assert_eq!(right, Some(Some(anna)));
}

#[test]
fn on_hold_the_customer_hears_music_and_the_others_talk_about_it() {
    let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT]);
    office.ask(Command::Hold { conversation: id }).unwrap();
    assert_eq!(office.voices(customer), []);
    assert_eq!(office.voices(anna), [bert]);
    office.ask(Command::Resume { conversation: id }).unwrap();
    assert_eq!(office.voices(customer), [anna, bert]);
}

#[test]
fn a_telephone_that_holds_by_itself_is_not_heard_by_the_rest() {
    let Conference { mut office, customer, anna, bert, .. } = conference(&[ANNA, BERT]);
    office.give(Input::HeldByParty { leg: bert, held: true });
    assert_eq!(office.voices(customer), [anna], "its music would disturb");
    office.give(Input::HeldByParty { leg: bert, held: false });
    office.give(Input::HeldByParty { leg: anna, held: true });
    assert_eq!((office.voices(customer), office.voices(bert)), (vec![], vec![]), "the agent's telephone puts the customer on hold");
}

#[test]
fn one_more_comes_by_one_more_consult_while_the_rest_waits() {
    let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT, CARL]);
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    let carl = office.offered_leg(CARL).unwrap();
    assert_eq!((office.voices(customer), office.voices(bert)), (vec![], vec![]));
    office.connect(carl);
    assert_eq!(office.voices(anna), [carl]);
    office.ask(Command::SwapConsult { conversation: id }).unwrap();
    assert_eq!((office.voices(customer), office.voices(carl)), (vec![anna, bert], vec![]));
    office.ask(Command::MergeConsult { conversation: id }).unwrap();
    assert_eq!(office.voices(customer), [anna, bert, carl]);
    office.end(carl, CauseKind::Network);
    assert_eq!(office.voices(customer), [anna, bert]);
    assert_eq!(office.agent(CARL).occupation, Occupation::Idle);
}

#[test]
fn parties_are_let_go_by_the_agent_and_leave_by_themselves() {
    for by in [Actor::Agent(ANNA), Actor::Agent(BERT), Actor::User("lead".to_owned())] {
        let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT, CARL]);
        let others = office.ask_as(Actor::Agent(CARL), Command::DropParty { conversation: id, leg: bert });
        assert!(matches!(others, Err(Refusal::NotAllowed { .. })));
        let another = office.ask_as(Actor::Agent(BERT), Command::DropParty { conversation: id, leg: anna });
        assert!(matches!(another, Err(Refusal::NotAllowed { .. })));
        office.ask_as(by, Command::DropParty { conversation: id, leg: bert }).unwrap();
        assert_eq!(office.voices(customer), [anna], "two talk as two");
        assert!(matches!(office.actions.iter().rev().find(|(_, action)| action.is_hearing()).unwrap().1, Action::Bridge { .. }));
        assert_eq!((ends(&office), office.agent(BERT).occupation), (vec![MemberEnd::Dropped], Occupation::Idle));
        for leg in [customer, anna] {
            assert!(matches!(office.ask(Command::DropParty { conversation: id, leg }), Err(Refusal::WrongState { .. })));
        }
    }
}

#[test]
fn when_the_agent_leaves_a_colleague_in_it_has_the_customer() {
    for cause in [Some(CauseKind::FarEnd), Some(CauseKind::Network), None] {
        let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT]);
        match cause {
            Some(cause) => office.end(anna, cause),
            None => office.ask_as(Actor::Agent(ANNA), Command::DropParty { conversation: id, leg: anna }).unwrap(),
        }
        let talk = office.conversation(customer).talk.clone().unwrap();
        assert_eq!((talk.leg, talk.agent, talk.queue), (bert, Some(BERT), Some(QUEUE)), "{cause:?}");
        assert_eq!(office.voices(customer), [bert]);
        assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
        assert_eq!(ends(&office), [MemberEnd::Promoted]);
        office.obey_hang_ups();
        office.end(bert, CauseKind::FarEnd);
        office.obey_hang_ups();
        assert_eq!(office.engine.world().conversations().len(), 0);
        assert!(matches!(office.agent(BERT).occupation, Occupation::WrapUp { .. }));
    }
}

#[test]
fn the_last_agent_who_leaves_leaves_the_customer_with_somebody_outside() {
    let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT]);
    let external = join(&mut office, id, outside());
    assert_eq!(office.conversation(customer).leg(external).unwrap().role, Role::External);
    office.end(anna, CauseKind::FarEnd);
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, Some(BERT), "agents first");
    assert_eq!(office.voices(customer), [bert, external]);
    office.end(bert, CauseKind::FarEnd);
    let talk = office.conversation(customer).talk.clone().unwrap();
    assert_eq!((talk.leg, talk.agent, talk.queue), (external, None, None));
    office.end(external, CauseKind::FarEnd);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending));
}

#[test]
fn an_agent_who_drops_out_of_a_consult_leaves_the_customer_with_the_conference() {
    let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT, CARL]);
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(CARL) }).unwrap();
    office.end(anna, CauseKind::Network);
    assert_eq!(office.voices(customer), [bert]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    assert_eq!(office.agent(CARL).occupation, Occupation::Idle);
}

#[test]
fn a_customer_who_leaves_ends_it_for_everybody() {
    let Conference { mut office, customer, .. } = conference(&[ANNA, BERT]);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(ends(&office), [MemberEnd::TalkEnded]);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    assert_eq!(office.agent(BERT).occupation, Occupation::Idle);
}

#[test]
fn a_conference_is_not_transferred_as_a_whole() {
    let Conference { mut office, id, anna, .. } = conference(&[ANNA, BERT]);
    for command in [
        Command::Transfer { conversation: id, to: TransferTarget::Queue(OTHER_QUEUE) },
        Command::Requeue { conversation: id, queue: None, keep_wait: false },
        Command::MergeConsult { conversation: id },
    ] {
        assert!(matches!(office.ask(command), Err(Refusal::WrongState { .. })));
    }
    office.give(Input::TransferRequested { leg: anna, target: "+49891234567".to_owned() });
    assert!(matches!(office.actions.last().unwrap().1, Action::AnswerTransfer { accepted: false, .. }));
}

#[test]
fn a_line_that_cannot_connect_so_many_leaves_customer_and_agent_together() {
    let Conference { mut office, id, customer, anna, bert } = conference(&[ANNA, BERT]);
    let (mix, _) = office.actions.iter().rev().find(|(_, action)| matches!(action, Action::Mix { .. })).cloned().unwrap();
    office.fail(mix);
    assert_eq!((office.voices(customer), office.voices(anna)), (vec![anna], vec![customer]));
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, Some(ANNA));
    assert_eq!((ends(&office), office.agent(BERT).occupation), (vec![MemberEnd::Failed], Occupation::Idle));
    let problem = |event: &Event| matches!(event, Event::MemberLeft { problem: Some(problem), .. } if problem == "it cannot be done");
    assert_eq!(office.count(problem), 1);
    assert!(office.conversation(customer).leg(bert).unwrap().ending);
    office.fail(mix);
    assert_eq!(office.conversation_id(customer), id, "said twice it changes nothing");
}

#[test]
fn who_died_with_a_former_process_does_not_get_the_customer() {
    let Conference { mut office, customer, anna, .. } = conference(&[ANNA, BERT]);
    office.pass(1_000);
    office.give(Input::TookOver);
    office.give(Input::Survey { line: Line::Connected, live: vec![customer] });
    let found = office.conversation(customer);
    assert!(found.visit.is_some(), "the customer waits again: {found:?}");
    assert!(found.leg(anna).is_none() && found.members.is_empty());
    let offered = |agent| matches!(office.agent(agent).occupation, Occupation::Offered { .. });
    assert!(offered(ANNA) != offered(BERT), "both are free, and one of them is asked");
}

#[test]
fn a_conference_has_room_for_so_many_and_no_more() {
    let agents: Vec<AgentId> = (1..=10).map(AgentId).collect();
    let Conference { mut office, id, customer, .. } = conference(&agents);
    for _ in 1..limits::CONFERENCE_MEMBERS {
        join(&mut office, id, outside());
    }
    office.ask(Command::Consult { conversation: id, to: outside() }).unwrap();
    let leg = office.conversation(customer).legs.last().unwrap().id;
    office.connect(leg);
    assert!(matches!(office.ask(Command::MergeConsult { conversation: id }), Err(Refusal::Full { .. })));
    office.ask(Command::CancelConsult { conversation: id }).unwrap();
    assert_eq!(office.voices(customer).len(), limits::CONFERENCE_MEMBERS + 1);
}

//! Customers who say how the talk was: nobody is kept on the line for it, least of all the agent.

use crate::{
    flows::{FLOW, HOTLINE, ends, exits, hear_out, lead_hotline_to, menu, path, press, said, says, variable},
    office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, agent, queue},
};
use dreiklang_core::{
    Actor, Command, Event, Input, Refusal,
    agent::Occupation,
    config::{Change, validate},
    conversation::{CauseKind, SegmentKind, TerminationReason, TerminationResult},
    endpoint::Line,
    expression::{Type, Value},
    flow::{Flow, FlowEnd, Node, Survey, Variable},
    ids::{AgentId, ConversationId, FlowId, LegId, QueueId},
    input::TransferTarget,
    queue::{Allowance, CallRules, Settings},
    stats::Subject,
    time::Millis,
};

fn flow() -> Flow {
    let satisfaction =
        Survey { into: Some("score".to_owned()), ..Survey::new("satisfaction", says("How was it, from 1 to 5?"), "more", "bye") };
    let again = Survey {
        least: 0,
        most: 9,
        wrong: Some(says("Please press a key.")),
        attempts: 2,
        ..Survey::new("again", says("Would you recommend us?"), "bye", "bye")
    };
    let nodes = [
        ("start", Node::Survey(Box::new(satisfaction))),
        ("more", Node::Survey(Box::new(again))),
        ("bye", Node::HangUp { says: Some(says("Thank you.")) }),
    ];
    let mut flow = path(nodes);
    flow.variables.insert("score".to_owned(), Variable::new(Type::Int));
    flow
}

fn surveying() -> Settings {
    Settings {
        calls: Box::new(CallRules { after_talk: Some(FLOW), ..CallRules::default() }),
        wrap_up: Allowance::Timed { duration: Millis::from_secs(30) },
        ..queue(QUEUE, "Support")
    }
}

fn office() -> Office {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutFlow(Box::new(flow())));
    office.put(Change::PutQueue(surveying()));
    office
}

/// A customer whom Anna has just let go.
fn let_go(office: &mut Office) -> LegId {
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.pass(10_000);
    office.end(leg, CauseKind::FarEnd);
    customer
}

/// The next one, once the notes about the last are written.
fn let_go_again(office: &mut Office) -> LegId {
    office.obey_hang_ups();
    office.pass(30_000);
    let_go(office)
}

type Answer = (String, u8, Option<QueueId>, Option<AgentId>);

fn answers(office: &Office) -> Vec<Answer> {
    let answer = |event: &Event| match event {
        Event::SurveyAnswered { question, score, queue, agent, .. } => Some((question.clone(), *score, *queue, *agent)),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| answer(&stamped.event)).collect()
}

fn termination(office: &Office, id: ConversationId) -> (TerminationResult, TerminationReason) {
    let end = |event: &Event| match event {
        Event::ConversationEnded { conversation, termination, .. } if *conversation == id => Some((termination.result, termination.reason)),
        _ => None,
    };
    office.events.iter().find_map(|stamped| end(&stamped.event)).expect("the conversation has ended")
}

fn offered(office: &Office) -> usize {
    office.count(|event| matches!(event, Event::SurveyOffered { queue: Some(QUEUE), agent: ANNA, .. }))
}

#[test]
fn a_customer_whose_agent_hangs_up_is_asked_and_the_agent_is_in_wrap_up_at_once() {
    let mut office = office();
    let customer = let_go(&mut office);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Flow));
    assert_eq!(said(&office, customer).last().unwrap(), "How was it, from 1 to 5?");
    assert_eq!(offered(&office), 1);
    let id = office.conversation_id(customer);
    press(&mut office, customer, "4");
    assert_eq!(variable(&office, customer, "score"), Some(Value::Int(4)));
    hear_out(&mut office, customer);
    press(&mut office, customer, "0");
    let of_anna = |question: &str, score| (question.to_owned(), score, Some(QUEUE), Some(ANNA));
    assert_eq!(answers(&office), [of_anna("satisfaction", 4), of_anna("again", 0)]);
    hear_out(&mut office, customer);
    office.obey_hang_ups();
    assert_eq!(ends(&office), [FlowEnd::Finished]);
    assert_eq!(termination(&office, id), (TerminationResult::Success, TerminationReason::HungUp));
    let second = let_go_again(&mut office);
    office.end(second, CauseKind::FarEnd);
    let books = crate::figures::books(&office);
    for subject in [Subject::Queue(QUEUE), Subject::Agent(ANNA), Subject::Line(Line::Connected)] {
        let counters = books.total(subject).interval;
        assert_eq!((counters.surveys_offered, counters.surveys_answered, counters.survey_answers), (2, 1, 2), "{subject:?}");
        // Four of five is in the top box of two and three quarters up; nothing of nine is the worst.
        assert_eq!((counters.survey_top, counters.survey_points), (1, 750), "{subject:?}");
    }
}

#[test]
fn an_agent_who_ends_the_talk_at_the_desk_lets_the_customer_be_asked_too() {
    let mut office = office();
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask_as(Actor::Agent(ANNA), Command::HangUp { conversation }).unwrap();
    assert!(office.engine.world().leg(leg).is_some_and(|leg| leg.ending), "the agent's telephone is told");
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Flow));
    office.end(leg, CauseKind::Ours);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    assert_eq!(offered(&office), 1);
    office.ask(Command::HangUp { conversation }).unwrap();
    office.obey_hang_ups();
    assert_eq!(termination(&office, conversation), (TerminationResult::Us, TerminationReason::Ended), "a supervisor ends it all");
}

#[test]
fn a_customer_may_hang_up_at_any_time_and_has_not_given_up() {
    let mut office = office();
    let customer = let_go(&mut office);
    let id = office.conversation_id(customer);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(termination(&office, id), (TerminationResult::Caller, TerminationReason::HungUp));
    assert_eq!(answers(&office), []);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_customer_who_hangs_up_first_is_not_asked() {
    let mut office = office();
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(offered(&office), 0);
}

#[test]
fn without_the_rule_the_call_ends_with_the_agent() {
    let mut office = office();
    office.put(Change::PutQueue(queue(QUEUE, "Support")));
    let customer = let_go(&mut office);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending));
}

#[test]
fn an_agent_whose_connection_broke_has_not_ended_the_talk() {
    let mut office = office();
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.end(leg, CauseKind::MediaLost);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert_eq!(offered(&office), 0);
}

#[test]
fn a_customer_on_hold_whose_agent_hangs_up_is_asked() {
    let mut office = office();
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Hold { conversation }).unwrap();
    office.end(leg, CauseKind::FarEnd);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Flow));
}

#[test]
fn an_agent_who_consulted_hands_the_customer_over_instead() {
    let mut office = office();
    office.put(Change::PutAgent(agent(BERT, "Bert")));
    office.ready(BERT);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask_as(Actor::Agent(ANNA), Command::Consult { conversation, to: TransferTarget::Agent(BERT) }).unwrap();
    let other = office.offered_leg(BERT).unwrap();
    office.connect(other);
    office.end(leg, CauseKind::FarEnd);
    assert_eq!(office.conversation(customer).talk.as_ref().and_then(|talk| talk.agent), Some(BERT));
    office.end(other, CauseKind::FarEnd);
    let by_bert = office.count(|event| matches!(event, Event::SurveyOffered { agent: BERT, .. }));
    assert_eq!(by_bert, 1, "who talked last is rated");
}

#[test]
fn wrong_keys_and_silence_lead_on() {
    let mut office = office();
    let customer = let_go(&mut office);
    press(&mut office, customer, "9*7");
    assert_eq!(exits(&office), ["start otherwise"], "three attempts");
    assert_eq!(answers(&office), []);
    let mut office = self::office();
    let customer = let_go(&mut office);
    press(&mut office, customer, "5");
    hear_out(&mut office, customer);
    office.pass(5_000);
    assert_eq!(said(&office, customer).last().unwrap(), "Please press a key.");
    hear_out(&mut office, customer);
    office.pass(5_000);
    assert_eq!(exits(&office), ["start next", "more otherwise"]);
    assert_eq!(said(&office, customer).last().unwrap(), "Thank you.");
}

#[test]
fn a_score_before_any_talk_is_nobodys() {
    let mut office = Office::with_agents(&[ANNA]);
    lead_hotline_to(&mut office, flow());
    let customer = office.call(HOTLINE);
    press(&mut office, customer, "3");
    assert_eq!(answers(&office), [("satisfaction".to_owned(), 3, None, None)]);
    let id = office.conversation_id(customer);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(termination(&office, id).1, TerminationReason::Abandoned);
}

#[test]
fn a_flow_removed_meanwhile_is_not_waited_for() {
    let mut office = office();
    let refused = validate(office.engine.world(), &Change::RemoveFlow(FLOW));
    assert!(matches!(refused, Err(Refusal::Invalid { problem, .. }) if problem.contains("Support")));
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.put(Change::PutQueue(queue(QUEUE, "Support")));
    office.put(Change::RemoveFlow(FLOW));
    office.end(leg, CauseKind::FarEnd);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending));
}

#[test]
fn a_new_process_goes_on_asking_and_buries_who_is_gone() {
    let mut office = office();
    let customer = let_go(&mut office);
    office.give(Input::TookOver);
    press(&mut office, customer, "2");
    assert_eq!(answers(&office).len(), 1);
    office.give(Input::Survey { line: dreiklang_core::endpoint::Line::Connected, live: Vec::new() });
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn surveys_are_refused_with_the_field_and_a_remedy() {
    let office = Office::new();
    let refused = |change: fn(&mut Survey)| {
        let mut asked = flow();
        match asked.nodes.get_mut("start") {
            Some(Node::Survey(survey)) => change(survey),
            other => panic!("{other:?}"),
        }
        match validate(office.engine.world(), &Change::PutFlow(Box::new(asked))) {
            Err(Refusal::Invalid { field, .. }) => field.replace("flow.nodes.start.", ""),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|survey| survey.question = String::new()), "question");
    assert_eq!(refused(|survey| survey.most = 10), "most");
    assert_eq!(refused(|survey| survey.least = 5), "most");
    assert_eq!(refused(|survey| survey.into = Some("nobody".to_owned())), "into");
    assert_eq!(refused(|survey| survey.attempts = 0), "attempts");
    assert_eq!(refused(|survey| survey.next = "x".to_owned()), "next");
    let settings =
        Settings { calls: Box::new(CallRules { after_talk: Some(FlowId(9)), ..CallRules::default() }), ..queue(OTHER_QUEUE, "Sales") };
    let answer = validate(office.engine.world(), &Change::PutQueue(settings));
    assert!(matches!(answer, Err(Refusal::Invalid { field, .. }) if field == "queue.calls.after_talk"));
    assert_eq!(menu().id, FLOW);
}

//! Who writes: chats, mail and tasks beside calls, so many of each at a time.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, agent, queue};
use dreiklang_core::{
    Actor, Command, Engine, Event, Input, Refusal,
    agent::{self, Availability, Duty, Occupation},
    config::{Change, validate},
    conversation::{CauseKind, TerminationReason, TerminationResult},
    endpoint::Party,
    ids::{AgentId, ConversationId},
    limits,
    queue::{AgentRules, Allowance, Disposition, MissRules, OnMiss, Outcome, Preferred, RoutingRules, Settings, WrapUpRules},
    routing::{OfferOutcome, Strategy, Verdict},
    stats::{Daybook, Ledger, Subject},
    time::Millis,
    written::{Channel, Letter, Share, WorkState, WrittenRules},
};

/// Longer than an agent has for taking one.
const RINGS_OUT: i64 = 60_000;
const USER: fn() -> Actor = || Actor::User("supervisor".to_owned());

fn share(at_once: u8) -> Share {
    Share { at_once, during_calls: false, calls_interrupt: true }
}

fn writer(id: AgentId, name: &str, share: Share) -> agent::Settings {
    agent::Settings { channels: [(Channel::Chat, share), (Channel::Email, Share { at_once: 1, ..share })].into(), ..agent(id, name) }
}

/// Agents who take two chats and a mail at a time.
fn office(agents: &[AgentId]) -> Office {
    office_with(agents, share(2))
}

fn office_with(agents: &[AgentId], share: Share) -> Office {
    let mut office = Office::with_agents(agents);
    for id in agents {
        let name = if *id == ANNA { "Anna" } else { "Bert" };
        office.put(Change::PutAgent(writer(*id, name, share)));
    }
    office
}

fn letter(number: u128, channel: Channel) -> Letter {
    Letter {
        conversation: ConversationId(number),
        channel,
        queue: QUEUE,
        customer: Party { number: Some("ada@example.com".to_owned()), name: Some("Ada".to_owned()) },
        subject: None,
        link: None,
        priority: None,
        skills: Vec::new(),
        language: None,
        preferred: None,
    }
}

fn open(office: &mut Office, letter: Letter) -> ConversationId {
    let conversation = letter.conversation;
    office.pass(1);
    office.ask_as(USER(), Command::OpenWritten { letter: Box::new(letter) }).unwrap();
    conversation
}

fn chat(office: &mut Office, number: u128) -> ConversationId {
    open(office, letter(number, Channel::Chat))
}

fn take(office: &mut Office, conversation: ConversationId, agent: AgentId) -> Result<(), Refusal> {
    office.ask_as(Actor::Agent(agent), Command::TakeWritten { conversation, agent })
}

fn close(office: &mut Office, conversation: ConversationId, agent: AgentId) -> Result<(), Refusal> {
    office.ask_as(Actor::Agent(agent), Command::CloseWritten { conversation, by_customer: false, disposition: None })
}

fn leave(office: &mut Office, conversation: ConversationId) {
    office.ask_as(USER(), Command::CloseWritten { conversation, by_customer: true, disposition: None }).unwrap();
}

fn offered(office: &Office, agent: AgentId) -> Vec<ConversationId> {
    let work = &office.agent(agent).work;
    work.iter().filter(|(_, work)| matches!(work.state, WorkState::Offered { .. })).map(|(id, _)| *id).collect()
}

fn has(office: &Office, agent: AgentId, conversation: ConversationId) -> bool {
    office.engine.world().written_of(conversation).is_some_and(|found| found.handling.is_some_and(|handling| handling.agent == agent))
}

fn waits(office: &Office, conversation: ConversationId) -> bool {
    office.engine.world().visit(conversation).is_some()
}

fn outcome(office: &Office, conversation: ConversationId) -> Option<Outcome> {
    office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::WrittenUnqueued { conversation: of, outcome, .. } if *of == conversation => Some(*outcome),
        _ => None,
    })
}

fn termination(office: &Office, conversation: ConversationId) -> Option<(TerminationResult, TerminationReason)> {
    office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::WrittenClosed { conversation: of, termination, .. } if *of == conversation => Some((termination.result, termination.reason)),
        _ => None,
    })
}

#[test]
fn an_agent_has_as_many_chats_as_fit_and_the_next_one_waits_for_one_to_be_closed() {
    let mut office = office(&[ANNA]);
    let (first, second, third) = (chat(&mut office, 1), chat(&mut office, 2), chat(&mut office, 3));
    assert_eq!(offered(&office, ANNA), [first, second], "the third does not fit");
    take(&mut office, first, ANNA).unwrap();
    take(&mut office, second, ANNA).unwrap();
    assert!(has(&office, ANNA, first) && has(&office, ANNA, second) && waits(&office, third));
    close(&mut office, first, ANNA).unwrap();
    assert_eq!(offered(&office, ANNA), [third]);
    assert_eq!(termination(&office, first), Some((TerminationResult::Agent, TerminationReason::Finished)));
}

#[test]
fn channels_are_counted_each_for_itself() {
    let mut office = office(&[ANNA]);
    let chats = [chat(&mut office, 1), chat(&mut office, 2)];
    let (mail, other) = (open(&mut office, letter(3, Channel::Email)), open(&mut office, letter(4, Channel::Email)));
    let task = open(&mut office, letter(5, Channel::Task));
    assert_eq!(offered(&office, ANNA), [chats[0], chats[1], mail]);
    assert!(waits(&office, other) && waits(&office, task), "one mail at a time, and no tasks at all");
}

#[test]
fn whoever_has_least_to_answer_is_asked_first() {
    let mut office = office(&[ANNA, BERT]);
    let first = chat(&mut office, 1);
    take(&mut office, first, ANNA).unwrap();
    let second = chat(&mut office, 2);
    assert_eq!(offered(&office, BERT), [second], "Anna has been idle longer, and has one already");
    take(&mut office, second, BERT).unwrap();
    let third = chat(&mut office, 3);
    assert_eq!(offered(&office, ANNA), [third]);
}

#[test]
fn a_call_comes_beside_what_is_written_where_that_may_be_interrupted() {
    let mut office = office(&[ANNA]);
    let first = chat(&mut office, 1);
    take(&mut office, first, ANNA).unwrap();
    let call = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).expect("calls interrupt");
    office.connect(leg);
    assert!(office.conversation(call).talk.is_some() && has(&office, ANNA, first));
    let second = chat(&mut office, 2);
    assert_eq!(offered(&office, ANNA), [], "nothing more in writing during a call");
    office.end(leg, CauseKind::FarEnd);
    assert_eq!(offered(&office, ANNA), [second]);
}

#[test]
fn a_call_waits_while_something_undisturbed_is_written() {
    let mut office = office_with(&[ANNA], Share { calls_interrupt: false, ..share(1) });
    let chat = chat(&mut office, 1);
    let caller = office.call(SUPPORT);
    let call = office.conversation_id(caller);
    assert!(office.offered_leg(ANNA).is_none());
    let verdict = office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::Decided { conversation, decision, .. } if *conversation == call => Some(decision.candidates[0].verdict),
        _ => None,
    });
    assert_eq!(verdict, Some(Verdict::Undisturbed));
    take(&mut office, chat, ANNA).unwrap();
    close(&mut office, chat, ANNA).unwrap();
    assert!(office.offered_leg(ANNA).is_some(), "done with it, Anna is called");
}

#[test]
fn who_may_is_offered_chats_during_a_call() {
    let mut office = office_with(&[ANNA], Share { during_calls: true, ..share(1) });
    office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let chat = chat(&mut office, 1);
    take(&mut office, chat, ANNA).unwrap();
    assert!(matches!(office.agent(ANNA).occupation, Occupation::Talking { .. }) && has(&office, ANNA, chat));
}

#[test]
fn what_is_missed_during_a_call_makes_not_ready_after_it() {
    let mut office = office_with(&[ANNA], Share { during_calls: true, ..share(1) });
    office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let chat = chat(&mut office, 1);
    office.pass(RINGS_OUT);
    assert_eq!(office.agent(ANNA).availability, Availability::Ready, "the call goes on as it was");
    assert!(offered(&office, ANNA).is_empty() && waits(&office, chat), "nothing more is offered meanwhile");
    office.end(leg, CauseKind::FarEnd);
    assert!(matches!(&office.agent(ANNA).availability, Availability::NotReady { reason } if reason == "no_answer"));
}

#[test]
fn who_does_not_answer_is_not_ready_and_the_next_one_is_asked() {
    let mut office = office(&[ANNA, BERT]);
    let first = chat(&mut office, 1);
    office.pass(RINGS_OUT);
    assert!(matches!(&office.agent(ANNA).availability, Availability::NotReady { reason } if reason == "no_answer"));
    assert_eq!(offered(&office, BERT), [first]);
    office.ask_as(Actor::Agent(BERT), Command::DeclineWritten { conversation: first, agent: BERT }).unwrap();
    assert!(matches!(&office.agent(BERT).availability, Availability::NotReady { reason } if reason == "declined"));
    assert!(waits(&office, first), "it is not lost");
    office.ready(ANNA);
    assert_eq!(offered(&office, ANNA), [first]);
}

#[test]
fn who_is_passed_over_stays_ready_and_is_asked_again_in_time() {
    let mut office = office(&[ANNA]);
    let missed = MissRules { declined: OnMiss::PassOver, ask_again: Some(Millis::from_secs(30)), ..MissRules::default() };
    let rules = AgentRules { missed, ..AgentRules::default() };
    office.put(Change::PutQueue(Settings { agents: Box::new(rules), ..queue(QUEUE, "Support") }));
    let first = chat(&mut office, 1);
    office.ask_as(Actor::Agent(ANNA), Command::DeclineWritten { conversation: first, agent: ANNA }).unwrap();
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
    let second = chat(&mut office, 2);
    assert_eq!(offered(&office, ANNA), [second], "others are offered");
    office.pass(30_000);
    assert_eq!(offered(&office, ANNA), [first, second]);
}

#[test]
fn where_all_are_asked_at_once_the_first_to_take_it_has_it() {
    let mut office = office(&[ANNA, BERT]);
    let routing = RoutingRules { strategy: Strategy::RingAll, ..RoutingRules::default() };
    office.put(Change::PutQueue(Settings { routing, ..queue(QUEUE, "Support") }));
    let chat = chat(&mut office, 1);
    assert_eq!((offered(&office, ANNA), offered(&office, BERT)), (vec![chat], vec![chat]));
    take(&mut office, chat, BERT).unwrap();
    assert!(offered(&office, ANNA).is_empty() && has(&office, BERT, chat));
    let outcomes: Vec<OfferOutcome> = office
        .events
        .iter()
        .filter_map(|stamped| match &stamped.event {
            Event::WrittenOfferEnded { outcome, .. } => Some(*outcome),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [OfferOutcome::Accepted, OfferOutcome::Withdrawn]);
    assert!(matches!(take(&mut office, chat, ANNA), Err(Refusal::WrongState { .. })));
}

#[test]
fn a_customer_may_leave_at_any_time() {
    let mut office = office(&[ANNA]);
    let taken = chat(&mut office, 1);
    take(&mut office, taken, ANNA).unwrap();
    leave(&mut office, taken);
    assert_eq!(termination(&office, taken), Some((TerminationResult::Caller, TerminationReason::Finished)));
    let rings = chat(&mut office, 2);
    leave(&mut office, rings);
    assert_eq!(outcome(&office, rings), Some(Outcome::Abandoned { short: false }));
    assert_eq!(termination(&office, rings), Some((TerminationResult::Caller, TerminationReason::Abandoned)));
    assert!(office.agent(ANNA).has_nothing_to_do() && office.engine.world().written().len() == 0);
    let gone = take(&mut office, rings, ANNA);
    assert!(matches!(gone, Err(Refusal::NotFound { .. })), "{gone:?}");
}

#[test]
fn notes_count_until_they_are_finished_and_say_what_became_of_it() {
    let mut office = office_with(&[ANNA], share(1));
    let codes = vec![Disposition::new("solved", "Solved")];
    let wrap_up = WrapUpRules { required: true, dispositions: codes, ..WrapUpRules::default() };
    let settings = Settings {
        wrap_up: Allowance::UntilFinished,
        agents: Box::new(AgentRules { wrap_up, ..AgentRules::default() }),
        ..queue(QUEUE, "Support")
    };
    office.put(Change::PutQueue(settings));
    let (first, second) = (chat(&mut office, 1), chat(&mut office, 2));
    take(&mut office, first, ANNA).unwrap();
    close(&mut office, first, ANNA).unwrap();
    assert!(offered(&office, ANNA).is_empty(), "whoever finishes notes is not done");
    let finish = |office: &mut Office, disposition: Option<&str>| {
        let disposition = disposition.map(str::to_owned);
        office.ask_as(Actor::Agent(ANNA), Command::FinishWritten { conversation: first, disposition })
    };
    assert!(matches!(finish(&mut office, None), Err(Refusal::Invalid { field, .. }) if field == "disposition"));
    assert!(matches!(finish(&mut office, Some("nonsense")), Err(Refusal::Invalid { field, .. }) if field == "disposition"));
    finish(&mut office, Some("solved")).unwrap();
    assert_eq!(offered(&office, ANNA), [second]);
    assert!(office.engine.world().written_of(first).is_none());
}

#[test]
fn notes_that_are_not_finished_end_by_themselves() {
    let mut office = office_with(&[ANNA], share(1));
    office.put(Change::PutQueue(Settings { wrap_up: Allowance::Timed { duration: Millis::from_secs(20) }, ..queue(QUEUE, "Support") }));
    let first = chat(&mut office, 1);
    take(&mut office, first, ANNA).unwrap();
    close(&mut office, first, ANNA).unwrap();
    assert!(!office.agent(ANNA).has_nothing_to_do());
    office.pass(20_000);
    assert!(office.agent(ANNA).has_nothing_to_do());
}

#[test]
fn nobody_goes_home_with_something_to_answer_and_who_plans_to_is_offered_nothing_more() {
    let mut office = office(&[ANNA]);
    let first = chat(&mut office, 1);
    take(&mut office, first, ANNA).unwrap();
    let refused = office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })), "{refused:?}");
    office.ask(Command::PlanDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    let second = chat(&mut office, 2);
    office.call(SUPPORT);
    assert!(offered(&office, ANNA).is_empty() && office.offered_leg(ANNA).is_none());
    close(&mut office, first, ANNA).unwrap();
    assert_eq!(office.agent(ANNA).duty, Duty::SignedOut);
    assert!(waits(&office, second));
}

#[test]
fn what_is_moved_is_as_old_as_it_is_and_may_wait_for_one_agent_first() {
    let mut office = office(&[ANNA, BERT]);
    let first = chat(&mut office, 1);
    take(&mut office, first, ANNA).unwrap();
    office.pass(5_000);
    let preferred = Some(Preferred { agent: BERT, wait: Millis::from_secs(60) });
    office.ask_as(Actor::Agent(ANNA), Command::MoveWritten { conversation: first, queue: Some(OTHER_QUEUE), preferred }).unwrap();
    assert!(office.agent(ANNA).has_nothing_to_do());
    assert_eq!(offered(&office, BERT), [first]);
    let found = office.engine.world().written_of(first).unwrap();
    let visit = found.visit.as_ref().unwrap();
    assert_eq!((visit.queue, visit.in_line_since()), (OTHER_QUEUE, found.started_at));
}

#[test]
fn agents_decide_about_what_they_have_taken_and_supervisors_about_everything() {
    let mut office = office(&[ANNA, BERT]);
    let first = chat(&mut office, 1);
    take(&mut office, first, ANNA).unwrap();
    assert!(matches!(close(&mut office, first, BERT), Err(Refusal::NotAllowed { .. })));
    let opens = office.ask_as(Actor::Agent(ANNA), Command::OpenWritten { letter: Box::new(letter(9, Channel::Chat)) });
    assert!(matches!(opens, Err(Refusal::NotAllowed { .. })));
    office.ask_as(USER(), Command::MoveWritten { conversation: first, queue: None, preferred: None }).unwrap();
    assert!(waits(&office, first));
}

#[test]
fn an_agent_takes_out_of_turn_what_waits_in_an_own_queue_as_long_as_it_fits() {
    let mut office = office_with(&[ANNA], share(1));
    let (first, second) = (chat(&mut office, 1), chat(&mut office, 2));
    let full = take(&mut office, second, ANNA);
    assert!(matches!(full, Err(Refusal::WrongState { .. })), "the first is being offered: {full:?}");
    office.ask_as(Actor::Agent(ANNA), Command::DeclineWritten { conversation: first, agent: ANNA }).unwrap();
    take(&mut office, second, ANNA).unwrap();
    assert!(has(&office, ANNA, second), "being ready is not needed for it");
    let mut settings = writer(BERT, "Bert", share(1));
    settings.queues = [OTHER_QUEUE].into();
    office.put(Change::PutAgent(settings));
    office.ready(BERT);
    assert!(matches!(take(&mut office, first, BERT), Err(Refusal::NotAllowed { .. })));
}

#[test]
fn a_closed_queue_takes_mail_and_no_chats() {
    let mut office = office(&[]);
    office.ask_as(USER(), Command::CloseQueue { queue: QUEUE, reason: "night".to_owned(), until: None }).unwrap();
    let refused = office.ask_as(USER(), Command::OpenWritten { letter: Box::new(letter(1, Channel::Chat)) });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })));
    let mail = open(&mut office, letter(2, Channel::Email));
    assert!(waits(&office, mail));
}

#[test]
fn what_nobody_closes_ends_by_itself_when_it_has_been_forgotten() {
    let mut office = office(&[]);
    let mail = open(&mut office, letter(1, Channel::Email));
    office.pass(i64::try_from(limits::WRITTEN_MAX.0).unwrap() - 1_000);
    assert!(waits(&office, mail));
    office.pass(1_000);
    assert_eq!(termination(&office, mail), Some((TerminationResult::Us, TerminationReason::TooLong)));
}

#[test]
fn who_is_passed_over_comes_last_for_calls_too() {
    let mut office = office(&[ANNA, BERT]);
    let missed = MissRules { declined: OnMiss::PassOver, ..MissRules::default() };
    office.put(Change::PutQueue(Settings { agents: Box::new(AgentRules { missed, ..AgentRules::default() }), ..queue(QUEUE, "Support") }));
    let first = chat(&mut office, 1);
    office.ask_as(Actor::Agent(ANNA), Command::DeclineWritten { conversation: first, agent: ANNA }).unwrap();
    office.call(SUPPORT);
    assert!(office.offered_leg(BERT).is_some(), "Anna has just said no to something");
}

#[test]
fn saying_twice_that_somebody_writes_opens_one() {
    let mut office = office(&[ANNA]);
    let first = chat(&mut office, 1);
    let before = office.events.len();
    assert_eq!(chat(&mut office, 1), first);
    assert_eq!(office.events.len(), before);
}

#[test]
fn what_does_not_hold_together_is_refused_with_the_field_and_a_remedy() {
    let mut office = office(&[ANNA]);
    let mut refused = |change: &dyn Fn(&mut Letter)| {
        let mut wrong = letter(1, Channel::Chat);
        change(&mut wrong);
        match office.ask_as(USER(), Command::OpenWritten { letter: Box::new(wrong) }) {
            Err(Refusal::Invalid { field, .. }) => field,
            other => format!("{other:?}"),
        }
    };
    assert_eq!(refused(&|letter| letter.subject = Some("x".repeat(limits::SUBJECT_CHARS + 1))), "subject");
    assert_eq!(refused(&|letter| letter.priority = Some(101)), "priority");
    assert_eq!(refused(&|letter| letter.language = Some("not a tag".to_owned())), "language");
    let field = |change: Change| match validate(office.engine.world(), &change) {
        Err(Refusal::Invalid { field, .. }) => field,
        other => format!("{other:?}"),
    };
    assert_eq!(field(Change::PutAgent(writer(ANNA, "Anna", share(0)))), "agent.channels.chat.at_once");
    let written = WrittenRules { ring: Millis(1), ..WrittenRules::default() };
    assert_eq!(field(Change::PutQueue(Settings { written, ..queue(QUEUE, "Support") })), "queue.written.ring");
}

#[test]
fn an_agent_who_is_removed_leaves_nothing_unanswered() {
    let mut office = office(&[ANNA, BERT]);
    let (first, second) = (chat(&mut office, 1), chat(&mut office, 2));
    take(&mut office, first, ANNA).unwrap();
    take(&mut office, second, BERT).unwrap();
    let third = chat(&mut office, 3);
    assert_eq!(offered(&office, ANNA), [third]);
    office.put(Change::RemoveAgent(ANNA));
    assert!(office.engine.world().agent(ANNA).is_none());
    assert_eq!(offered(&office, BERT), [first], "the elder of two that wait fits beside the one Bert has");
    assert!(waits(&office, third));
}

#[test]
fn what_waits_in_a_queue_that_is_removed_ends_and_what_is_being_answered_goes_on() {
    let mut office = office_with(&[ANNA], share(1));
    let (first, second) = (chat(&mut office, 1), chat(&mut office, 2));
    take(&mut office, first, ANNA).unwrap();
    let mut settings = writer(ANNA, "Anna", share(1));
    settings.queues = [OTHER_QUEUE].into();
    office.put(Change::PutAgent(settings));
    office.put(Change::RemoveNumber(dreiklang_core::ids::NumberId(1)));
    office.put(Change::RemoveQueue(QUEUE));
    assert_eq!(termination(&office, second), Some((TerminationResult::Us, TerminationReason::Ended)));
    assert!(has(&office, ANNA, first));
    close(&mut office, first, ANNA).unwrap();
    assert!(office.agent(ANNA).has_nothing_to_do());
}

#[test]
fn another_process_goes_on_with_what_is_offered() {
    let mut office = office(&[ANNA, BERT]);
    let first = chat(&mut office, 1);
    office.engine = Engine::replay(office.engine.world().clone(), []);
    office.give(Input::TookOver);
    assert_eq!(offered(&office, ANNA), [first]);
    office.pass(RINGS_OUT);
    assert_eq!(offered(&office, BERT), [first]);
}

#[test]
fn nobody_is_blamed_for_what_was_not_taken_while_no_process_was_there() {
    let mut office = office(&[ANNA]);
    let first = chat(&mut office, 1);
    office.engine = Engine::replay(office.engine.world().clone(), []);
    office.now = dreiklang_core::time::Timestamp(office.now.0 + RINGS_OUT + 1);
    office.give(Input::TookOver);
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
    assert_eq!(offered(&office, ANNA), [first], "it is offered anew");
}

#[test]
fn nothing_written_is_counted_among_calls() {
    let mut office = office(&[ANNA]);
    let first = chat(&mut office, 1);
    office.pass(9_999);
    take(&mut office, first, ANNA).unwrap();
    office.pass(30_000);
    close(&mut office, first, ANNA).unwrap();
    let late = chat(&mut office, 2);
    leave(&mut office, late);
    let (mut ledger, mut books) = (Ledger::default(), Daybook::default());
    for stamped in &office.events {
        ledger.observe(stamped, &mut books);
    }
    let queue = books.total(Subject::Queue(QUEUE)).interval;
    assert_eq!((queue.offered, queue.talks, queue.offers), (0, 0, 0));
    let chats = &queue.written[&Channel::Chat];
    assert_eq!((chats.entered, chats.offered, chats.answered, chats.abandoned), (2, 2, 1, 1));
    assert_eq!((chats.wait_answered, chats.handling, chats.handled, chats.answered_in_time), (Millis(9_999), Millis(30_000), 1, 1));
    let anna = books.total(Subject::Agent(ANNA));
    assert_eq!(anna.states.writing, Millis(30_000));
    assert_eq!(anna.states.residual(), 0);
}

//! Customers who are called back instead of waiting on the line.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::{Availability, Duty, Occupation},
    callback::{Callback, CallbackOutcome, CallbackRules},
    config::{Change, Destination, Tenant, validate},
    conversation::{CauseKind, SegmentKind, TerminationReason},
    endpoint::{Endpoint, Line, Party},
    hours::{Hours, Span, TimeOfDay, Week},
    ids::{CallbackId, ConversationId, HoursId, LegId},
    input::TransferTarget,
    limits,
    output::Prompt,
    queue::{FlowOutReason, Outcome, WaitingRules},
    stats::{Daybook, Kind, Ledger, Subject, Terms, Value, View},
    time::{Millis, Timestamp},
};

const NUMBER: &str = "+491701234567";

/// The key 1 in the queue leads to a callback; the customer is called twice, a minute apart.
fn office(agents: &[dreiklang_core::ids::AgentId]) -> Office {
    let mut office = Office::with_agents(agents);
    office.put(Change::PutQueue(settings()));
    office
}

fn settings() -> dreiklang_core::queue::Settings {
    let keys = [('1', Destination::Callback(QUEUE))].into();
    dreiklang_core::queue::Settings {
        waiting: Box::new(WaitingRules { keys, ..WaitingRules::default() }),
        callbacks: CallbackRules { attempts: 2, gap: Millis::from_secs(60), most: 2 },
        ..queue(QUEUE, "Support")
    }
}

fn press(office: &mut Office, leg: LegId, keys: &str) {
    for digit in keys.chars() {
        office.give(Input::Digit { leg, digit });
    }
}

/// Calls, chooses a callback to the own number, and is let go.
fn choose(office: &mut Office) -> CallbackId {
    let customer = office.call(SUPPORT);
    press(office, customer, "1#");
    let play = office.conversation(customer).playing.expect("a farewell");
    office.give(Input::PlayFinished { leg: customer, play });
    office.obey_hang_ups();
    office.engine.world().callbacks().iter().last().expect("it was promised").id
}

fn callback(office: &Office, id: CallbackId) -> &Callback {
    office.engine.world().callback(id).expect("it is open")
}

/// Asked for by a program.
fn request(office: &mut Office, number: &str, at: Option<Timestamp>) -> Result<(), Refusal> {
    let party = Party { number: Some(number.to_owned()), name: Some("Carla".to_owned()) };
    office.ask(Command::RequestCallback { queue: QUEUE, party, at, priority: None, language: None })
}

fn requested(office: &mut Office) -> CallbackId {
    request(office, NUMBER, None).unwrap();
    office.engine.world().callbacks().of(NUMBER, QUEUE).unwrap().id
}

/// The conversation in which it stands in line.
fn standing(office: &Office, id: CallbackId) -> ConversationId {
    callback(office, id).conversation.expect("it stands in line")
}

/// The leg over which the customer is called.
fn called(office: &Office, id: CallbackId) -> LegId {
    let conversation = standing(office, id);
    office.engine.world().conversation(conversation).and_then(|found| found.customer).expect("the customer is called")
}

fn accept(office: &mut Office, agent: dreiklang_core::ids::AgentId) -> LegId {
    let leg = office.offered_leg(agent).expect("it is offered");
    office.connect(leg);
    leg
}

fn outcomes(office: &Office) -> Vec<CallbackOutcome> {
    let outcome = |event: &Event| match event {
        Event::CallbackEnded { outcome, .. } => Some(*outcome),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| outcome(&stamped.event)).collect()
}

fn last_prompt(office: &Office, wanted: LegId) -> Option<Prompt> {
    office.actions.iter().rev().find_map(|(_, action)| match action {
        Action::Play { leg, prompt, .. } if *leg == wanted => Some(prompt.clone()),
        _ => None,
    })
}

#[test]
fn a_customer_who_confirms_the_own_number_is_let_go_and_keeps_the_place() {
    let mut office = office(&[]);
    let customer = office.call(SUPPORT);
    let since = office.conversation(customer).visit.as_ref().unwrap().enqueued_at;
    office.pass(30_000);
    press(&mut office, customer, "1");
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Callback));
    press(&mut office, customer, "#");
    let play = office.conversation(customer).playing.unwrap();
    office.give(Input::PlayFinished { leg: customer, play });
    assert_eq!(office.conversation(customer).ending.map(|ending| ending.reason), Some(TerminationReason::CallbackPromised));
    let outcome = Outcome::FlowOut { reason: FlowOutReason::Callback };
    assert_eq!(office.count(|event| matches!(event, Event::VisitEnded { outcome: ended, .. } if *ended == outcome)), 1);
    let open = office.engine.world().callbacks().iter().next().unwrap().clone();
    assert_eq!((open.place.in_line_since, open.place.priority), (since, Some(50)));
    office.pass(10_000);
    let stands = office.engine.world().conversation(standing(&office, open.id)).unwrap();
    assert_eq!(stands.turn().map(|turn| turn.enqueued_at), Some(since));
}

#[test]
fn of_equals_who_came_first_is_served_first_whether_on_the_line_or_called_back() {
    let mut office = office(&[]);
    let first = choose(&mut office);
    office.pass(1_000);
    let second = office.call(SALES);
    office.end(second, CauseKind::FarEnd);
    let waits = office.call(SUPPORT);
    office.pass(20_000);
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.ready(ANNA);
    let offered = office.engine.world().conversation_of(office.offered_leg(ANNA).unwrap()).unwrap().id;
    assert_eq!(offered, standing(&office, first), "the callback came before who waits on the line");
    assert!(office.conversation(waits).offer.is_none());
}

#[test]
fn the_agent_comes_first_and_hears_the_customers_telephone_ring_and_then_they_hear_each_other() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    let conversation = standing(&office, id);
    let own = accept(&mut office, ANNA);
    assert_eq!(last_prompt(&office, own), Some(Prompt::Ringback));
    let customer = called(&office, id);
    let dials =
        |action: &Action| matches!(action, Action::Dial { leg, to: Endpoint::Number(number), .. } if *leg == customer && number == NUMBER);
    assert!(office.actions.iter().any(|(_, action)| dials(action)));
    assert_eq!(office.agent(ANNA).occupation, Occupation::Talking { conversation });
    office.give(Input::Ringing { leg: customer });
    office.pass(5_000);
    office.connect(customer);
    let bridge = |action: &Action| matches!(action, Action::Bridge { a, b, .. } if *a == customer && *b == own);
    assert!(office.actions.iter().any(|(_, action)| bridge(action)));
    assert_eq!(outcomes(&office), [CallbackOutcome::Connected]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_customer_who_cannot_be_had_is_called_again_and_then_given_up_and_the_agent_is_free_meanwhile() {
    for kind in [CauseKind::Busy, CauseKind::Declined, CauseKind::FarEnd, CauseKind::Unreachable] {
        let mut office = office(&[ANNA]);
        let id = requested(&mut office);
        accept(&mut office, ANNA);
        let customer = called(&office, id);
        office.end(customer, kind);
        office.obey_hang_ups();
        assert_eq!(office.agent(ANNA).occupation, Occupation::Idle, "{kind:?}");
        assert_eq!((callback(&office, id).attempts, callback(&office, id).conversation), (1, None));
        office.pass(59_999);
        assert_eq!(office.offered_leg(ANNA), None);
        office.pass(1);
        accept(&mut office, ANNA);
        let customer = called(&office, id);
        office.end(customer, kind);
        office.obey_hang_ups();
        assert_eq!(outcomes(&office), [CallbackOutcome::Failed]);
        assert!(office.engine.world().callbacks().is_empty());
    }
}

#[test]
fn a_telephone_that_rings_in_vain_counts_as_an_attempt() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    accept(&mut office, ANNA);
    office.pass(i64::try_from(limits::ANSWER_MAX.0).unwrap());
    office.obey_hang_ups();
    let missed = |event: &Event| matches!(event, Event::CallbackMissed { reason: TerminationReason::NoAnswer, attempts: 1, .. });
    assert_eq!(office.count(missed), 1);
    assert!(callback(&office, id).conversation.is_none());
}

#[test]
fn an_agent_who_does_not_take_it_leaves_it_in_line_for_the_next() {
    let mut office = office(&[ANNA, BERT]);
    let id = requested(&mut office);
    let leg = office.offered_leg(ANNA).unwrap();
    office.end(leg, CauseKind::Declined);
    assert!(office.offered_leg(BERT).is_some());
    assert_eq!(callback(&office, id).attempts, 0);
}

#[test]
fn an_agent_who_hangs_up_while_it_rings_costs_an_attempt_and_no_customer() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    let own = accept(&mut office, ANNA);
    office.end(own, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(callback(&office, id).attempts, 1);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
    office.pass(60_000);
    accept(&mut office, ANNA);
    let conversation = standing(&office, id);
    office.ask_as(Actor::Agent(ANNA), Command::HangUp { conversation }).unwrap();
    office.obey_hang_ups();
    assert_eq!(outcomes(&office), [CallbackOutcome::Failed], "by the desk it is the same");
}

#[test]
fn a_customer_answers_in_the_moment_in_which_the_agent_is_lost() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    let own = accept(&mut office, ANNA);
    let customer = called(&office, id);
    office.end(own, CauseKind::Network);
    office.connect(customer);
    office.obey_hang_ups();
    assert!(callback(&office, id).conversation.is_none(), "it is tried again");
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
}

#[test]
fn what_a_restart_cuts_off_is_no_attempt() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    accept(&mut office, ANNA);
    office.give(Input::TookOver);
    office.give(Input::Survey { line: Line::Connected, live: Vec::new() });
    office.pass(1);
    assert_eq!(callback(&office, id).attempts, 0);
    assert_eq!(office.offered_leg(ANNA).is_some(), callback(&office, id).conversation.is_some(), "it stands in line again");
}

#[test]
fn a_customer_types_another_number_and_corrects_it() {
    let mut office = office(&[]);
    let customer = office.call(SUPPORT);
    press(&mut office, customer, "112#");
    assert_eq!(office.engine.world().callbacks().len(), 0, "too short: asked again");
    press(&mut office, customer, "999*0301234#");
    assert_eq!(office.engine.world().callbacks().iter().next().unwrap().number, "0301234");
}

#[test]
fn who_says_nothing_is_called_at_the_own_number_and_who_has_none_is_let_go() {
    let mut office = office(&[]);
    let customer = office.call(SUPPORT);
    press(&mut office, customer, "1");
    office.pass(i64::try_from(limits::CALLBACK_QUESTION.0).unwrap());
    assert_eq!(office.engine.world().callbacks().len(), 1);
    let withheld = LegId(77);
    office.give(Input::Arrived { leg: withheld, line: Line::Connected, caller: Party::default(), dialed: SUPPORT.to_owned() });
    office.connect(withheld);
    press(&mut office, withheld, "1#");
    assert_eq!(office.conversation(withheld).place(), Some(SegmentKind::Callback), "there is nothing to confirm");
    office.pass(i64::try_from(limits::CALLBACK_QUESTION.0).unwrap());
    assert_eq!(office.conversation(withheld).ending.map(|ending| ending.reason), Some(TerminationReason::Unreachable));
}

#[test]
fn who_hangs_up_while_being_asked_is_promised_nothing() {
    let mut office = office(&[]);
    let customer = office.call(SUPPORT);
    press(&mut office, customer, "1");
    office.end(customer, CauseKind::FarEnd);
    assert!(office.engine.world().callbacks().is_empty());
    assert_eq!(office.count(|event| matches!(event, Event::CallbackOffered { .. })), 1);
}

#[test]
fn one_number_is_called_back_once_at_the_earlier_time_with_the_elder_place() {
    let mut office = office(&[]);
    let later = Timestamp(office.now.0 + 3_600_000);
    request(&mut office, NUMBER, Some(later)).unwrap();
    office.pass(1_000);
    request(&mut office, NUMBER, None).unwrap();
    assert_eq!(office.engine.world().callbacks().len(), 1);
    assert_eq!(office.count(|event| matches!(event, Event::CallbackRepeated { .. })), 1);
    office.pass(1);
    assert!(office.engine.world().callbacks().iter().all(|open| open.conversation.is_some()), "it stands in line already");
}

#[test]
fn a_customer_who_calls_again_and_is_answered_is_not_called_back() {
    let mut office = office(&[]);
    request(&mut office, NUMBER, None).unwrap();
    let leg = LegId(77);
    let caller = Party { number: Some(NUMBER.to_owned()), name: None };
    office.give(Input::Arrived { leg, line: Line::Connected, caller, dialed: SALES.to_owned() });
    office.connect(leg);
    assert_eq!(office.engine.world().callbacks().len(), 1, "as long as the customer waits it stays");
    let mut anna = agent(ANNA, "Anna");
    anna.queues = [OTHER_QUEUE].into();
    office.put(Change::PutAgent(anna));
    office.ready(ANNA);
    let own = office.offered_leg(ANNA).unwrap();
    office.connect(own);
    assert_eq!(outcomes(&office), [CallbackOutcome::CalledAgain]);
    assert_eq!(office.engine.world().conversations().len(), 1, "what stood in line is gone");
}

#[test]
fn a_scheduled_callback_stands_in_line_at_its_time_behind_who_was_there_before() {
    let mut office = office(&[]);
    let at = Timestamp(office.now.0 + 600_000);
    request(&mut office, NUMBER, Some(at)).unwrap();
    office.pass(300_000);
    let waits = office.call(SUPPORT);
    office.pass(299_999);
    assert!(office.engine.world().callbacks().iter().all(|open| open.conversation.is_none()));
    office.pass(2);
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.ready(ANNA);
    assert!(office.conversation(waits).offer.is_some());
}

#[test]
fn a_callback_is_scheduled_within_the_hours_of_the_queue_and_postponed_when_they_change() {
    let mut office = office(&[]);
    let id = HoursId(1);
    let nine_to_five = Span::new(TimeOfDay::new(9, 0).unwrap(), TimeOfDay::new(17, 0).unwrap());
    let hours = Hours { week: Week::every_day(&[nine_to_five]), ..Hours::new(id, "Office", "Europe/Berlin") };
    office.put(Change::PutHours(Box::new(hours)));
    let waiting = Box::new(WaitingRules { hours: Some(id), ..WaitingRules::default() });
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting, ..settings() }));
    // It is 2023-11-14, 23:13 in Berlin.
    let opens = Timestamp(1_699_948_800_000 + 86_400_000);
    let refusal = request(&mut office, NUMBER, Some(Timestamp(opens.0 - 60_000))).unwrap_err().to_string();
    assert!(refusal.starts_with("at: is outside the hours") && refusal.contains(&opens.0.to_string()), "{refusal}");
    request(&mut office, NUMBER, None).unwrap();
    let open = office.engine.world().callbacks().iter().next().unwrap();
    assert_eq!((open.due, open.conversation), (opens, None), "it waits for the queue to open");
    office.pass(opens.0 - office.now.0);
    assert!(office.engine.world().callbacks().iter().all(|open| open.conversation.is_some()));
}

#[test]
fn a_callback_of_a_closed_queue_waits_and_is_given_up_after_days() {
    let mut office = office(&[]);
    office.ask(Command::CloseQueue { queue: QUEUE, reason: "fire".to_owned(), until: None }).unwrap();
    request(&mut office, NUMBER, None).unwrap();
    office.pass(86_400_000);
    assert_eq!(office.engine.world().callbacks().len(), 1);
    office.pass(i64::try_from(limits::CALLBACK_WAIT_MAX.0).unwrap());
    assert_eq!(outcomes(&office), [CallbackOutcome::Expired]);
}

#[test]
fn a_callback_for_which_nobody_ever_has_time_expires() {
    let mut office = office(&[]);
    requested(&mut office);
    office.pass(i64::try_from(limits::CALLBACK_WAIT_MAX.0).unwrap());
    assert_eq!(outcomes(&office), [CallbackOutcome::Expired]);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn callbacks_are_cancelled_and_rescheduled_by_supervisors_in_whatever_state() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    assert!(matches!(office.ask_as(Actor::Agent(ANNA), Command::CancelCallback { callback: id }), Err(Refusal::NotAllowed { .. })));
    let at = Some(Timestamp(office.now.0 + 60_000));
    office.ask(Command::RescheduleCallback { callback: id, at }).unwrap();
    office.obey_hang_ups();
    assert_eq!(office.offered_leg(ANNA), None, "the telephone rings no more");
    office.pass(60_000);
    accept(&mut office, ANNA);
    let refused = office.ask(Command::RescheduleCallback { callback: id, at: None });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })), "the customer is being called");
    office.ask(Command::CancelCallback { callback: id }).unwrap();
    office.obey_hang_ups();
    assert_eq!(outcomes(&office), [CallbackOutcome::Cancelled]);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert!(matches!(office.ask(Command::CancelCallback { callback: id }), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_callback_in_line_is_led_nowhere_else() {
    let mut office = office(&[]);
    let id = requested(&mut office);
    let conversation = standing(&office, id);
    let refused = office.ask(Command::Transfer { conversation, to: TransferTarget::Queue(OTHER_QUEUE) });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })));
    office.ask(Command::HangUp { conversation }).unwrap();
    assert_eq!(outcomes(&office), [CallbackOutcome::Cancelled], "letting it go in line ends it");
}

#[test]
fn a_pulled_callback_calls_its_customer_too() {
    let mut office = office(&[]);
    let id = requested(&mut office);
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.give(Input::Reachable { agent: ANNA, reachable: true });
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::OnDuty }).unwrap();
    let lunch = Availability::NotReady { reason: "lunch".to_owned() };
    office.ask(Command::SetAvailability { agent: ANNA, availability: lunch }).unwrap();
    let conversation = standing(&office, id);
    office.ask_as(Actor::Agent(ANNA), Command::Pull { conversation, agent: ANNA }).unwrap();
    accept(&mut office, ANNA);
    let customer = called(&office, id);
    office.connect(customer);
    assert_eq!(outcomes(&office), [CallbackOutcome::Connected]);
}

#[test]
fn callbacks_take_no_line_and_do_not_give_way_to_rules_of_the_queue() {
    let mut office = office(&[]);
    let waiting = WaitingRules {
        overflow: vec![dreiklang_core::queue::OverflowRule {
            when: dreiklang_core::queue::Condition::Waited { after: Millis::from_secs(5) },
            to: Destination::HangUp,
        }],
        ..WaitingRules::default()
    };
    let rules =
        dreiklang_core::queue::Settings { max_waiting: 1, max_wait: Some(Millis::from_secs(20)), waiting: Box::new(waiting), ..settings() };
    office.put(Change::PutQueue(rules));
    let id = requested(&mut office);
    let caller = office.call(SUPPORT);
    assert!(office.conversation(caller).visit.is_some(), "the only place on the line is free");
    office.pass(60_000);
    assert!(callback(&office, id).conversation.is_some());
}

#[test]
fn nobody_is_promised_what_cannot_be_kept() {
    let mut office = office(&[]);
    for wrong in ["", "me", "+49"] {
        assert!(request(&mut office, wrong, None).unwrap_err().to_string().starts_with("number"), "{wrong}");
    }
    let past = Some(Timestamp(office.now.0 - 1));
    assert!(request(&mut office, NUMBER, past).unwrap_err().to_string().starts_with("at"));
    request(&mut office, "+4930111", None).unwrap();
    request(&mut office, "+4930222", None).unwrap();
    assert!(matches!(request(&mut office, "+4930333", None), Err(Refusal::Full { .. })));
    let customer = office.call(SUPPORT);
    press(&mut office, customer, "1");
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue), "the key leads nowhere at present");
    office.put(Change::PutTenant(Tenant { name: "Test".to_owned(), ..Tenant::default() }));
    assert!(matches!(request(&mut office, "+4930111", None), Err(Refusal::WrongState { .. })));
}

#[test]
fn removing_the_queue_takes_its_promises_back() {
    let mut office = office(&[]);
    let waiting = Box::new(WaitingRules::default());
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting, ..settings() }));
    requested(&mut office);
    let later = Timestamp(office.now.0 + 60_000);
    request(&mut office, "+4930222", Some(later)).unwrap();
    office.put(Change::RemoveNumber(dreiklang_core::ids::NumberId(1)));
    office.put(Change::RemoveQueue(QUEUE));
    assert_eq!(outcomes(&office), [CallbackOutcome::Cancelled, CallbackOutcome::Cancelled]);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn an_agent_lost_in_the_talk_leaves_the_customer_first_in_line_like_any_other() {
    let mut office = office(&[ANNA]);
    let id = requested(&mut office);
    let own = accept(&mut office, ANNA);
    let customer = called(&office, id);
    office.connect(customer);
    office.end(own, CauseKind::Network);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert_eq!(office.conversation(customer).visit.as_ref().map(|visit| visit.priority), Some(100));
}

#[test]
fn rules_for_callbacks_that_do_not_hold_together_are_refused_with_their_field() {
    let office = Office::new();
    let problem = |callbacks: CallbackRules| {
        let settings = dreiklang_core::queue::Settings { callbacks, ..queue(QUEUE, "Support") };
        validate(office.engine.world(), &Change::PutQueue(settings)).unwrap_err().to_string()
    };
    assert!(problem(CallbackRules { attempts: 0, ..CallbackRules::default() }).starts_with("queue.callbacks.attempts"));
    assert!(problem(CallbackRules { gap: Millis(1), ..CallbackRules::default() }).starts_with("queue.callbacks.gap"));
    assert!(problem(CallbackRules { most: 100_000, ..CallbackRules::default() }).starts_with("queue.callbacks.most"));
}

#[test]
fn the_figures_say_how_many_were_offered_promised_and_connected_and_after_what_time() {
    let mut office = office(&[]);
    office.call(SUPPORT);
    let id = choose(&mut office);
    request(&mut office, NUMBER, None).unwrap();
    request(&mut office, NUMBER, None).unwrap();
    let other = office.engine.world().callbacks().of(NUMBER, QUEUE).unwrap().id;
    assert_ne!(id, other);
    office.ask(Command::CancelCallback { callback: other }).unwrap();
    office.pass(50_000);
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.put(Change::PutAgent(agent(BERT, "Bert")));
    office.ready(ANNA);
    office.ready(BERT);
    accept(&mut office, ANNA);
    accept(&mut office, BERT);
    let customer = called(&office, id);
    office.connect(customer);
    let (mut ledger, mut books) = (Ledger::default(), Daybook::default());
    for stamped in &office.events {
        ledger.observe(stamped, &mut books);
    }
    let total = books.total(Subject::Queue(QUEUE));
    let figures = View { interval: &total.interval, states: &total.states, terms: Terms::default() }.figures(Kind::Queue);
    let expected = [
        ("callbacks_offered", 1),
        ("callbacks_requested", 2),
        ("callbacks_repeated", 1),
        ("callback_attempts", 1),
        ("callbacks_connected", 1),
        ("callbacks_cancelled", 1),
        ("callbacks_failed", 0),
        ("flow_out_callback", 1),
        ("teams_agent_answered_callback", 1),
        ("teams_agent_answered_call", 1),
    ];
    for (key, count) in expected {
        assert_eq!(figures.get(key), Some(&Value::Whole(count)), "{key}: {:?}", total.interval);
    }
    let Some(Value::Part(time)) = figures.get("average_time_to_callback") else { panic!("somebody was called back") };
    assert!(*time >= 50_000.0 && figures["callback_success_rate"] == Value::Part(1.0), "{time}");
}

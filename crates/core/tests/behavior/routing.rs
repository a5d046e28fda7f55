//! How agents are chosen, and whose turn it is.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Action, Command, Event,
    agent::{Availability, Occupation},
    config::{Change, Number, Skill, Target},
    conversation::{CauseKind, TerminationReason},
    ids::{AgentId, LegId, SkillId},
    output::HangUpReason,
    queue::{Aging, Preferred, Ring, RoutingRules, SkillRequirement},
    routing::{Decision, Misfit, OfferOutcome, Strategy, Verdict},
    time::Millis,
};

const CARL: AgentId = AgentId(3);
const GERMAN: SkillId = SkillId(1);
const GERMANS: &str = "+49303000";

fn rules(office: &mut Office, rules: RoutingRules) {
    let mut settings = queue(QUEUE, "Support");
    settings.routing = rules;
    office.put(Change::PutQueue(settings));
}

fn choosing(office: &mut Office, strategy: Strategy) {
    rules(office, RoutingRules { strategy, ..RoutingRules::default() });
}

/// A call is offered to somebody; who, and both legs.
fn offered(office: &mut Office) -> (AgentId, LegId, LegId) {
    let customer = office.call(SUPPORT);
    let offer = office.conversation(customer).offer.clone().expect("somebody is asked");
    (offer.agent, customer, offer.leg)
}

/// A call is taken and over at once.
fn served(office: &mut Office) -> AgentId {
    office.pass(1_000);
    let (agent, customer, leg) = offered(office);
    office.connect(leg);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    agent
}

/// The caller gives up before anybody answers.
fn given_up(office: &mut Office) -> AgentId {
    office.pass(1_000);
    let (agent, customer, _) = offered(office);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    agent
}

fn level(office: &mut Office, id: AgentId, name: &str, level: u8) {
    let mut settings = agent(id, name);
    settings.skills.insert(GERMAN, level);
    office.put(Change::PutAgent(settings));
}

fn germans(level: u8) -> Number {
    Number { skills: vec![SkillRequirement { skill: GERMAN, level }], ..number(3, GERMANS, Target::Queue(QUEUE)) }
}

#[test]
fn by_longest_idle_the_one_who_has_rested_longest_is_asked() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    assert_eq!(served(&mut office), ANNA);
    assert_eq!(served(&mut office), BERT);
    assert_eq!(given_up(&mut office), ANNA);
    assert_eq!(served(&mut office), ANNA, "an offer that was taken back leaves her place");
}

#[test]
fn by_round_robin_everybody_is_asked_in_turn_whether_or_not_the_call_was_answered() {
    let mut office = Office::with_agents(&[ANNA, BERT, CARL]);
    choosing(&mut office, Strategy::RoundRobin);
    let asked: Vec<AgentId> = (0..3).map(|_| given_up(&mut office)).collect();
    assert_eq!(asked, [ANNA, BERT, CARL]);
    assert_eq!(served(&mut office), ANNA);
    let (busy, ..) = offered(&mut office);
    assert_eq!(busy, BERT);
    assert_eq!(served(&mut office), CARL);
    assert_eq!(served(&mut office), ANNA);
    assert_eq!(served(&mut office), CARL, "Bert is passed over while his telephone rings");
}

#[test]
fn by_fewest_calls_who_has_taken_least_since_signing_in_is_asked() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    choosing(&mut office, Strategy::FewestCalls);
    assert_eq!(served(&mut office), ANNA);
    assert_eq!(given_up(&mut office), BERT);
    assert_eq!(served(&mut office), BERT, "what was not taken does not count");
    assert_eq!(served(&mut office), ANNA);
    assert_eq!(office.agent(ANNA).taken, 2);
    office.ask(Command::SetDuty { agent: ANNA, duty: dreiklang_core::agent::Duty::SignedOut }).unwrap();
    office.ready(ANNA);
    assert_eq!(office.agent(ANNA).taken, 0);
    assert_eq!(served(&mut office), ANNA, "a new shift begins at nought");
}

#[test]
fn by_skill_level_the_best_is_asked_and_among_equals_who_has_rested_longest() {
    let mut office = Office::with_agents(&[ANNA, BERT, CARL]);
    office.put(Change::PutSkill(Skill { id: GERMAN, name: "German".to_owned() }));
    for (id, name, skill) in [(ANNA, "Anna", 2), (BERT, "Bert", 7), (CARL, "Agent3", 7)] {
        level(&mut office, id, name, skill);
    }
    let mut settings = queue(QUEUE, "Support");
    settings.skills = vec![SkillRequirement { skill: GERMAN, level: 1 }];
    settings.routing.strategy = Strategy::SkillLevel;
    office.put(Change::PutQueue(settings));
    assert_eq!(served(&mut office), BERT);
    assert_eq!(served(&mut office), CARL);
    let (first, ..) = offered(&mut office);
    let (second, ..) = offered(&mut office);
    let (last, ..) = offered(&mut office);
    assert_eq!((first, second, last), (BERT, CARL, ANNA));
}

#[test]
fn by_ring_all_every_telephone_rings_and_the_first_to_answer_has_the_call() {
    let mut office = Office::with_agents(&[ANNA, BERT, CARL]);
    choosing(&mut office, Strategy::RingAll);
    let customer = office.call(SUPPORT);
    let rung: Vec<AgentId> = office.conversation(customer).offers().map(|offer| offer.agent).collect();
    assert_eq!(rung, [ANNA, BERT, CARL]);
    let (anna, bert) = (office.agent(ANNA).leg.unwrap(), office.agent(BERT).leg.unwrap());
    office.pass(2_000);
    office.connect(bert);
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, Some(BERT));
    let elsewhere = |action: &Action| matches!(action, Action::HangUp { reason: HangUpReason::AnsweredElsewhere, .. });
    assert_eq!(office.actions.iter().filter(|(_, action)| elsewhere(action)).count(), 2);
    assert_eq!(office.count(|event| matches!(event, Event::OfferEnded { outcome: OfferOutcome::Withdrawn, .. })), 2);

    // Anna picked up at the same moment: she hears that it was answered elsewhere, and nothing else comes of it.
    office.connect(anna);
    assert_eq!(office.count(|event| matches!(event, Event::TalkStarted { .. })), 1);
    office.obey_hang_ups();
    let answered_elsewhere =
        |event: &Event| matches!(event, Event::LegEnded { termination, .. } if termination.reason == TerminationReason::AnsweredElsewhere);
    assert_eq!(office.count(answered_elsewhere), 2);
    for blameless in [ANNA, CARL] {
        assert!(office.agent(blameless).is_routable());
    }
}

#[test]
fn by_ring_all_one_who_declines_does_not_stop_the_others_telephones() {
    let mut office = Office::with_agents(&[ANNA, BERT, CARL]);
    choosing(&mut office, Strategy::RingAll);
    let customer = office.call(SUPPORT);
    let bert = office.agent(BERT).leg.unwrap();
    office.ask(Command::Decline { agent: ANNA }).unwrap();
    office.end(bert, CauseKind::Busy);
    let rung: Vec<AgentId> = office.conversation(customer).offers().map(|offer| offer.agent).collect();
    assert_eq!(rung, [CARL]);
    assert!(!office.agent(ANNA).is_routable() && !office.agent(BERT).is_routable());
    office.connect(office.agent(CARL).leg.unwrap());
    assert_eq!(office.agent(CARL).occupation, Occupation::Talking { conversation: office.conversation_id(customer) });
}

#[test]
fn by_ring_all_everybody_who_does_not_answer_has_missed_it() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    choosing(&mut office, Strategy::RingAll);
    let customer = office.call(SUPPORT);
    office.pass(20_000);
    assert_eq!(office.count(|event| matches!(event, Event::OfferEnded { outcome: OfferOutcome::NoAnswer, .. })), 2);
    office.obey_hang_ups();
    assert!(office.conversation(customer).offer.is_none());
    office.end(customer, CauseKind::FarEnd);
}

#[test]
fn when_the_caller_leaves_every_ringing_telephone_stops() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    choosing(&mut office, Strategy::RingAll);
    let customer = office.call(SUPPORT);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable() && office.agent(BERT).is_routable());
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn with_every_ring_a_waiting_caller_asks_for_less_and_more_agents_are_asked() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutSkill(Skill { id: GERMAN, name: "German".to_owned() }));
    level(&mut office, ANNA, "Anna", 3);
    office.put(Change::PutNumber(germans(5)));
    let ring = |after: u64| Ring { after: Millis::from_secs(after), ..Ring::default() };
    let rings = vec![Ring { lower: 1, ..ring(10) }, Ring { lower: 1, ..ring(20) }, Ring { drop: [GERMAN].into(), ..ring(30) }];
    rules(&mut office, RoutingRules { rings, ..RoutingRules::default() });
    let customer = office.call(GERMANS);
    office.pass(19_999);
    assert!(office.conversation(customer).offer.is_none(), "level 4 is still too much");
    office.pass(1);
    assert!(office.conversation(customer).offer.is_some(), "level 3 she has");
    assert_eq!(office.count(|event| matches!(event, Event::VisitWidened { .. })), 2);
    office.connect(office.offered_leg(ANNA).unwrap());
    let second = office.call(GERMANS);
    office.put(Change::PutAgent(agent(BERT, "Bert")));
    office.ready(BERT);
    office.pass(29_000);
    assert!(office.offered_leg(BERT).is_none());
    office.pass(1_000);
    assert_eq!(office.conversation(second).offer.as_ref().map(|offer| offer.agent), Some(BERT));
}

#[test]
fn a_ring_asks_agents_of_other_queues_and_certain_agents() {
    let mut office = Office::new();
    let mut helper = agent(ANNA, "Anna");
    helper.queues = [OTHER_QUEUE].into();
    office.put(Change::PutAgent(helper));
    let mut boss = agent(BERT, "Bert");
    boss.queues = Default::default();
    office.put(Change::PutAgent(boss));
    office.ready(ANNA);
    office.ready(BERT);
    let far = Ring { after: Millis::from_secs(5), queues: [OTHER_QUEUE].into(), ..Ring::default() };
    let farther = Ring { after: Millis::from_secs(10), agents: [BERT].into(), ..Ring::default() };
    rules(&mut office, RoutingRules { rings: vec![far, farther], ..RoutingRules::default() });
    let (first, second) = (office.call(SUPPORT), office.call(SUPPORT));
    assert!(office.conversation(first).offer.is_none());
    office.pass(5_000);
    assert_eq!(office.conversation(first).offer.as_ref().map(|offer| offer.agent), Some(ANNA));
    assert!(office.conversation(second).offer.is_none());
    office.pass(5_000);
    assert_eq!(office.conversation(second).offer.as_ref().map(|offer| offer.agent), Some(BERT));
    let refusal = dreiklang_core::config::validate(office.engine.world(), &Change::RemoveAgent(BERT)).unwrap_err();
    assert!(refusal.to_string().contains("ring"), "{refusal}");
}

#[test]
fn a_ring_that_is_set_up_while_somebody_waits_counts_at_once() {
    let mut office = Office::new();
    let mut helper = agent(ANNA, "Anna");
    helper.queues = [OTHER_QUEUE].into();
    office.put(Change::PutAgent(helper));
    office.ready(ANNA);
    let customer = office.call(SUPPORT);
    office.pass(60_000);
    let far = Ring { after: Millis::from_secs(5), queues: [OTHER_QUEUE].into(), ..Ring::default() };
    rules(&mut office, RoutingRules { rings: vec![far], ..RoutingRules::default() });
    assert!(office.conversation(customer).offer.is_some());
}

#[test]
fn who_prefers_an_agent_waits_for_that_one_and_then_for_everybody() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let wish = Preferred { agent: BERT, wait: Millis::from_secs(30) };
    office.put(Change::PutNumber(Number { preferred: Some(wish), ..number(3, "+49303000", Target::Queue(QUEUE)) }));
    let first = office.call("+49303000");
    assert_eq!(office.conversation(first).offer.as_ref().map(|offer| offer.agent), Some(BERT), "though Anna has rested longer");
    office.connect(office.offered_leg(BERT).unwrap());
    let second = office.call("+49303000");
    assert!(office.conversation(second).offer.is_none(), "Bert is busy and Anna not asked");
    let usual = office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_some(), "others are not kept waiting by it");
    office.end(usual, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.pass(29_999);
    assert!(office.offered_leg(ANNA).is_none());
    office.pass(1);
    assert_eq!(office.conversation(second).offer.as_ref().map(|offer| offer.agent), Some(ANNA));
}

#[test]
fn nobody_waits_for_a_preferred_agent_who_is_not_at_work() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutAgent(agent(BERT, "Bert")));
    let wish = Preferred { agent: BERT, wait: Millis::from_secs(30) };
    office.put(Change::PutNumber(Number { preferred: Some(wish), ..number(3, "+49303000", Target::Queue(QUEUE)) }));
    office.call("+49303000");
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn a_caller_with_a_language_is_given_only_to_who_speaks_it() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let mut bert = agent(BERT, "Bert");
    bert.languages.insert("de".to_owned(), 5);
    office.put(Change::PutAgent(bert));
    office.put(Change::PutNumber(Number { language: Some("de-AT".to_owned()), ..number(3, GERMANS, Target::Queue(QUEUE)) }));
    let ring = Ring { after: Millis::from_secs(15), any_language: true, ..Ring::default() };
    rules(&mut office, RoutingRules { rings: vec![ring], ..RoutingRules::default() });
    let first = office.call(GERMANS);
    assert_eq!(office.conversation(first).offer.as_ref().map(|offer| offer.agent), Some(BERT));
    let second = office.call(GERMANS);
    assert!(office.conversation(second).offer.is_none());
    office.pass(15_000);
    assert_eq!(office.conversation(second).offer.as_ref().map(|offer| offer.agent), Some(ANNA), "better any than none");
}

#[test]
fn the_language_somebody_chooses_holds_for_the_next_queue() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    let conversation = office.conversation_id(customer);
    office.ask(Command::SetLanguage { conversation, language: Some("de-DE".to_owned()) }).unwrap();
    assert!(office.ask(Command::SetLanguage { conversation, language: Some("no tag".to_owned()) }).is_err());
    let to = dreiklang_core::input::TransferTarget::Queue(OTHER_QUEUE);
    office.ask(Command::Transfer { conversation, to }).unwrap();
    office.obey_hang_ups();
    assert!(office.conversation(customer).offer.is_none(), "Anna speaks no German");
    let mut anna = agent(ANNA, "Anna");
    anna.languages.insert("de".to_owned(), 5);
    office.put(Change::PutAgent(anna));
    assert!(office.conversation(customer).offer.is_some());
}

#[test]
fn priority_grows_with_waiting_until_it_overtakes_and_stops_at_its_bound() {
    let mut office = Office::with_agents(&[ANNA]);
    // A point a second: 50 reaches 60 after ten seconds.
    let aging = Aging { every: Millis::from_secs(10), step: 10, max: 80 };
    rules(&mut office, RoutingRules { aging: Some(aging), ..RoutingRules::default() });
    for (id, text, priority) in [(3, "+49303060", 60), (4, "+49303090", 90)] {
        office.put(Change::PutNumber(Number { priority: Some(priority), ..number(id, text, Target::Queue(QUEUE)) }));
    }
    let (talking, _) = office.talk(SUPPORT, ANNA);
    let patient = office.call(SUPPORT);
    office.pass(9_000);
    let soon = office.call("+49303060");
    office.pass(2_000);
    let late = office.call("+49303060");
    office.pass(500_000);
    let above = office.call("+49303090");
    let waiting: Vec<_> = office.engine.world().waiting(QUEUE).map(|found| found.customer.unwrap()).collect();
    assert_eq!(waiting, [above, soon, patient, late], "nine seconds are less than ten points, eleven are more; 90 is out of reach");
    office.end(talking, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.conversation(above).offer.is_some());
}

#[test]
fn those_who_wait_take_turns_by_new_rules_as_soon_as_these_are_set() {
    let mut office = Office::new();
    office.put(Change::PutNumber(Number { priority: Some(60), ..number(3, "+49303060", Target::Queue(QUEUE)) }));
    let patient = office.call(SUPPORT);
    office.pass(60_000);
    let important = office.call("+49303060");
    let order = |office: &Office| office.engine.world().waiting(QUEUE).map(|found| found.customer.unwrap()).collect::<Vec<_>>();
    assert_eq!(order(&office), [important, patient]);
    let aging = Aging { every: Millis::from_secs(1), step: 1, max: 100 };
    rules(&mut office, RoutingRules { aging: Some(aging), ..RoutingRules::default() });
    assert_eq!(order(&office), [patient, important]);
    rules(&mut office, RoutingRules::default());
    assert_eq!(order(&office), [important, patient]);
}

#[test]
fn a_heavier_queue_is_served_first_until_the_other_has_waited_in_proportion() {
    let mut office = Office::with_agents(&[ANNA]);
    rules(&mut office, RoutingRules { weight: 300, ..RoutingRules::default() });
    let (talking, _) = office.talk(SUPPORT, ANNA);
    let sales = office.call(SALES);
    office.pass(10_000);
    let support = office.call(SUPPORT);
    office.pass(4_000);
    // 4 s × 300 are less than 14 s × 100; two seconds later 6 s × 300 are more than 16 s × 100.
    office.pass(2_000);
    office.end(talking, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.conversation(support).offer.is_some());
    assert!(office.conversation(sales).offer.is_none());
}

#[test]
fn rules_that_make_no_sense_are_refused_with_the_field_and_a_remedy() {
    let office = Office::new();
    let refusal = |change: &dyn Fn(&mut RoutingRules)| {
        let mut settings = queue(QUEUE, "Support");
        change(&mut settings.routing);
        dreiklang_core::config::validate(office.engine.world(), &Change::PutQueue(settings)).unwrap_err().to_string()
    };
    let ring = |after: u64| Ring { after: Millis(after), ..Ring::default() };
    assert!(refusal(&|rules| rules.weight = 0).contains("queue.routing.weight"));
    assert!(refusal(&|rules| rules.rings = vec![ring(10_000), ring(10_000)]).contains("rings.after"));
    assert!(refusal(&|rules| rules.rings = vec![Ring { agents: [BERT].into(), ..ring(10_000) }]).contains("create the agent first"));
    assert!(refusal(&|rules| rules.aging = Some(Aging { every: Millis(0), step: 1, max: 100 })).contains("aging.every"));
}

fn decisions(office: &Office) -> Vec<Decision> {
    let decision = |event: &Event| match event {
        Event::Decided { decision, .. } => Some(decision.clone()),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| decision(&stamped.event)).collect()
}

#[test]
fn every_decision_says_who_was_asked_who_would_have_come_next_and_what_was_in_the_way_of_others() {
    let mut office = Office::with_agents(&[ANNA, BERT, CARL]);
    office.ask(Command::SetAvailability { agent: CARL, availability: Availability::NotReady { reason: "lunch".to_owned() } }).unwrap();
    office.call(SUPPORT);
    let decision = decisions(&office).pop().unwrap();
    assert_eq!((decision.strategy, decision.chosen.as_slice(), decision.idle), (Strategy::LongestIdle, [ANNA].as_slice(), 2));
    let verdicts: Vec<_> = decision.candidates.iter().map(|candidate| (candidate.agent, candidate.verdict)).collect();
    assert_eq!(verdicts, [(ANNA, Verdict::Chosen), (BERT, Verdict::Later), (CARL, Verdict::NotReady)]);
}

#[test]
fn a_visit_that_finds_nobody_says_so_once_and_again_when_it_asks_for_less() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutSkill(Skill { id: GERMAN, name: "German".to_owned() }));
    office.put(Change::PutNumber(germans(5)));
    let ring = Ring { after: Millis::from_secs(10), lower: 1, ..Ring::default() };
    rules(&mut office, RoutingRules { rings: vec![ring], ..RoutingRules::default() });
    office.call(GERMANS);
    office.pass(9_000);
    rules(
        &mut office,
        RoutingRules { rings: vec![Ring { after: Millis::from_secs(10), lower: 2, ..Ring::default() }], ..RoutingRules::default() },
    );
    assert_eq!(decisions(&office).len(), 1);
    office.pass(1_000);
    let [first, second] = decisions(&office).try_into().unwrap();
    assert_eq!((first.ring, second.ring), (0, 1));
    assert_eq!(second.waited, Millis::from_secs(10));
    assert!(second.chosen.is_empty());
    assert_eq!(second.candidates[0].verdict, Verdict::Unfit(Misfit::Skill(GERMAN)));
}

#[test]
fn an_explanation_stays_short_however_many_agents_there_are() {
    let agents: Vec<AgentId> = (1..=60).map(AgentId).collect();
    let mut office = Office::with_agents(&agents);
    office.call(SUPPORT);
    let decision = decisions(&office).pop().unwrap();
    assert_eq!((decision.candidates.len(), decision.idle), (dreiklang_core::limits::EXPLAINED, 60));
}

//! The documents of a made-up company: queues, skills, agents and numbers; its call flow is in `reception`.

mod reception;

use dreiklang_core::{
    agent,
    callback::CallbackRules,
    callers::{CallerList, Treatment},
    config::{Change, Destination, Mailbox, Number, OutboundRules, Service, Skill, Target, Tenant},
    endpoint::{Endpoint, Line},
    hours::{Hours, Span, TimeOfDay, Week},
    ids::{AgentId, CallerListId, HoursId, NumberId, QueueId, SkillId},
    output::Prompt,
    queue::{
        self, AgentRules, Aging, Allowance, Announcements, CallRules, Condition, Disposition, MissRules, OnMiss, OverflowRule, Preferred,
        RecordingPolicy, Ring, RoutingRules, SkillRequirement, WaitingRules, WrapUpRules,
    },
    routing::Strategy,
    time::Millis,
    voicemail::MailboxRules,
    written::{Channel, Share, WrittenRules},
};
use std::collections::{BTreeMap, BTreeSet};

pub const SUPPORT: QueueId = QueueId(1);
pub const SALES: QueueId = QueueId(2);
pub const BILLING: QueueId = QueueId(3);
pub const REPAIR_SHOP: QueueId = QueueId(4);
pub const ABROAD: QueueId = QueueId(5);
pub const SHOP_HOURS: HoursId = HoursId(1);
pub(crate) const ENGLISH: SkillId = SkillId(1);
const REPAIRS: SkillId = SkillId(2);

const NAMES: [&str; 26] = [
    "Anna", "Bert", "Carla", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leo", "Mia", "Nils", "Olga", "Paul",
    "Quirin", "Rosa", "Sven", "Tina", "Uwe", "Vera", "Willi", "Xenia", "York", "Zoe",
];
const LINES: [Line; 3] = [Line::Connected, Line::Extended, Line::Unified];

/// The name of the agent with this number, counted from 0.
fn name(index: usize) -> String {
    let round = index / NAMES.len();
    let name = NAMES[index % NAMES.len()];
    if round == 0 { name.to_owned() } else { format!("{name} {}", round + 1) }
}

fn tenant() -> Change {
    Change::PutTenant(Tenant {
        name: "Musterhaus".to_owned(),
        caller_number: Some("+4930999".to_owned()),
        outbound_line: Some(Line::Connected),
        outbound: Box::new(OutboundRules { denied: vec!["+88".to_owned()], at_once: Some(3), ..OutboundRules::default() }),
        ..Tenant::default()
    })
}

/// One queue with one number, and agents who do nothing but answer.
pub fn plain(agents: usize) -> Vec<Change> {
    let mut changes = vec![
        tenant(),
        Change::PutQueue(queue::Settings {
            max_waiting: 10_000,
            short_abandon: Millis(0),
            ring: Millis::from_secs(60),
            ..queue::Settings::new(SUPPORT, "Support")
        }),
        Change::PutNumber(Number::new(NumberId(1), "+4930100", Line::Connected, Target::Queue(SUPPORT))),
    ];
    changes.extend((0..agents).map(|index| {
        let name = name(index);
        let endpoint = Endpoint::Address(name.to_lowercase());
        let settings = agent::Settings::new(AgentId(index as u128 + 1), &name, Line::Connected, endpoint);
        Change::PutAgent(agent::Settings { queues: BTreeSet::from([SUPPORT]), ..settings })
    }));
    changes
}

/// Who waits for repairs is soon given to anybody of support.
fn rings_of_repairs() -> Vec<Ring> {
    vec![
        Ring { after: Millis::from_secs(15), lower: 2, ..Ring::default() },
        Ring { after: Millis::from_secs(40), queues: [SUPPORT].into(), drop: [REPAIRS].into(), ..Ring::default() },
    ]
}

/// Who calls from abroad is given to worse and worse speakers, and in the end to one certain agent too.
fn rings_abroad() -> Vec<Ring> {
    vec![
        Ring { after: Millis::from_secs(10), lower: 1, languages: vec!["en".to_owned()], ..Ring::default() },
        Ring { after: Millis::from_secs(25), lower: 5, any_language: true, agents: [AgentId(3)].into(), ..Ring::default() },
    ]
}

pub(crate) fn words(text: &str) -> Prompt {
    Prompt::Text { text: text.to_owned(), language: "en".to_owned() }
}

/// Callers of the repair shop are led on when it takes too long; first to one who is seldom free, then to support.
fn ways_out_of_repairs() -> WaitingRules {
    let rules = [
        (Condition::Closed, Destination::Message(words("The shop is closed."))),
        (Condition::Length { at_least: 12 }, Destination::Queue(SUPPORT)),
        (Condition::NoAgents { after: Millis::from_secs(30) }, Destination::Queue(SUPPORT)),
        (Condition::EstimatedWait { at_least: Millis::from_secs(900) }, Destination::Number("+49891234567".to_owned())),
        (Condition::Waited { after: Millis::from_secs(60) }, Destination::Agent(AgentId(2))),
        (Condition::Waited { after: Millis::from_secs(120) }, Destination::Queue(SUPPORT)),
    ];
    let overflow = rules.into_iter().map(|(when, to)| OverflowRule { when, to }).collect();
    let keys = ['0', '2', '9'].map(|key| (key, Destination::Flow(reception::RECEPTION))).into();
    WaitingRules { hours: Some(SHOP_HOURS), overflow, keys, ..WaitingRules::default() }
}

/// With a pause at noon.
fn shop_day() -> Vec<Span> {
    let span = |from, to| Some(Span::new(TimeOfDay::new(from, 0)?, TimeOfDay::new(to, 0)?));
    [span(6, 12), span(13, 22)].into_iter().flatten().collect()
}

/// What agents say became of a conversation.
pub const CODES: [&str; 3] = ["solved", "open", "nobody"];

fn codes() -> Vec<Disposition> {
    CODES.map(|code| Disposition { follow_up: code == "open", ..Disposition::new(code, code) }).to_vec()
}

/// Who misses a call of support is back after a while.
fn agents_of_support() -> AgentRules {
    AgentRules {
        missed: MissRules { ready_again: Some(Millis::from_secs(240)), ..MissRules::default() },
        wrap_up: WrapUpRules { extension: Some(Millis::from_secs(15)), ..WrapUpRules::default() },
    }
}

/// Sales is never let down by one who is away from the desk for a moment.
fn agents_of_sales() -> AgentRules {
    let missed = MissRules { no_answer: OnMiss::NotReadyAfter { misses: 2 }, declined: OnMiss::PassOver, ..MissRules::default() };
    AgentRules { missed, ..AgentRules::default() }
}

/// Bills are not left without a word on what became of them.
fn agents_of_billing() -> AgentRules {
    let missed = MissRules { no_answer: OnMiss::PassOver, busy: OnMiss::PassOver, unreachable: OnMiss::SignOut, ..MissRules::default() };
    let longest = Some(Millis::from_secs(300));
    AgentRules { missed, wrap_up: WrapUpRules { longest, dispositions: codes(), required: true, ..WrapUpRules::default() } }
}

fn needs(skill: SkillId, level: u8) -> Vec<SkillRequirement> {
    vec![SkillRequirement { skill, level }]
}

/// Five queues of different manners over all lines, with skills.
pub fn office(agents: usize) -> Vec<Change> {
    let mut changes = vec![
        tenant(),
        Change::PutSkill(Skill { id: ENGLISH, name: "English".to_owned() }),
        Change::PutSkill(Skill { id: REPAIRS, name: "Repairs".to_owned() }),
        Change::PutFlow(Box::new(reception::survey())),
        Change::PutQueue(queue::Settings {
            calls: Box::new(CallRules { after_talk: Some(reception::SURVEY), ..CallRules::default() }),
            wrap_up: Allowance::Timed { duration: Millis::from_secs(20) },
            recording: RecordingPolicy::FromAnswer,
            ring: Millis::from_secs(18),
            waiting: Box::new(WaitingRules {
                announcements: Announcements {
                    initial: Some(words("Welcome to support.")),
                    every: Some(Millis::from_secs(45)),
                    position: true,
                    estimate: true,
                    comfort: vec![words("Please stay on the line.")],
                },
                keys: [
                    ('2', Destination::Message(words("Please write to us."))),
                    ('3', Destination::Voicemail(Mailbox::Queue(SUPPORT))),
                    ('1', Destination::Callback(SUPPORT)),
                ]
                .into(),
                ..WaitingRules::default()
            }),
            agents: Box::new(agents_of_support()),
            written: WrittenRules { ring: Millis::from_secs(30), ..WrittenRules::default() },
            ..queue::Settings::new(SUPPORT, "Support")
        }),
        Change::PutQueue(queue::Settings {
            calls: Box::new(CallRules { take_back: Some(Millis::from_secs(20)), ..CallRules::default() }),
            agents: Box::new(agents_of_sales()),
            priority: 60,
            max_wait: Some(Millis::from_secs(600)),
            callbacks: CallbackRules { attempts: 2, gap: Millis::from_secs(300), most: 15 },
            waiting: Box::new(WaitingRules {
                overflow: vec![OverflowRule { when: Condition::Waited { after: Millis::from_secs(75) }, to: Destination::Callback(SALES) }],
                ..WaitingRules::default()
            }),
            routing: RoutingRules {
                strategy: Strategy::RoundRobin,
                aging: Some(Aging { every: Millis::from_secs(30), step: 5, max: 80 }),
                weight: 250,
                ..RoutingRules::default()
            },
            ..queue::Settings::new(SALES, "Sales")
        }),
        Change::PutQueue(queue::Settings {
            wrap_up: Allowance::UntilFinished,
            recording: RecordingPolicy::FromQueue,
            max_waiting: 20,
            agents: Box::new(agents_of_billing()),
            routing: RoutingRules { strategy: Strategy::FewestCalls, ..RoutingRules::default() },
            ..queue::Settings::new(BILLING, "Billing")
        }),
        Change::PutHours(Box::new(Hours { week: Week::every_day(&shop_day()), ..Hours::new(SHOP_HOURS, "Shop", "Europe/Berlin") })),
        Change::PutQueue(repairs(WaitingRules::default())),
        Change::PutQueue(abroad(Vec::new())),
    ];
    changes.extend((0..agents).map(|index| Change::PutAgent(agent_of_office(index))));
    // What names agents, who serve these queues.
    changes.push(Change::PutService(Service { id: reception::CRM, name: "CRM".to_owned() }));
    changes.push(Change::PutFlow(Box::new(reception::flow())));
    changes.push(Change::PutQueue(repairs(ways_out_of_repairs())));
    changes.push(Change::PutQueue(abroad(rings_abroad())));
    changes.extend(numbers());
    changes.extend(caller_lists());
    changes
}

fn repairs(waiting: WaitingRules) -> queue::Settings {
    queue::Settings {
        routing: RoutingRules { strategy: Strategy::RingAll, rings: rings_of_repairs(), ..RoutingRules::default() },
        recording: RecordingPolicy::FromQueue,
        waiting: Box::new(waiting),
        ..queue::Settings::new(REPAIR_SHOP, "Repairs")
    }
}

fn abroad(rings: Vec<Ring>) -> queue::Settings {
    queue::Settings {
        skills: needs(ENGLISH, 3),
        wrap_up: Allowance::Timed { duration: Millis::from_secs(10) },
        waiting: Box::new(to_mailbox()),
        voicemail: Box::new(MailboxRules {
            greeting: Some(words("Please speak after the tone.")),
            longest: Millis::from_secs(60),
            keep: Millis::from_secs(2 * 3_600),
            most: 20,
            ..MailboxRules::default()
        }),
        routing: RoutingRules { strategy: Strategy::SkillLevel, rings, ..RoutingRules::default() },
        ..queue::Settings::new(ABROAD, "Abroad")
    }
}

/// Nobody from abroad has to wait for long.
fn to_mailbox() -> WaitingRules {
    let when = Condition::Waited { after: Millis::from_secs(80) };
    let overflow = vec![OverflowRule { when, to: Destination::Voicemail(Mailbox::Queue(ABROAD)) }];
    WaitingRules { overflow, ..WaitingRules::default() }
}

fn agent_of_office(index: usize) -> agent::Settings {
    let name = name(index);
    // Every second one has a telephone that signs in.
    let endpoint = match index % 4 {
        0 | 2 => Endpoint::Desk(name.to_lowercase()),
        1 => Endpoint::Address(name.to_lowercase()),
        _ => Endpoint::Number(format!("+49301{index:04}")),
    };
    let mut queues = BTreeSet::from([[SUPPORT, SALES, BILLING][index % 3]]);
    if index.is_multiple_of(2) {
        queues.insert(SUPPORT);
    }
    if index.is_multiple_of(5) {
        queues.extend([SALES, BILLING]);
    }
    let mut skills = BTreeMap::new();
    if !index.is_multiple_of(3) {
        skills.insert(ENGLISH, 1 + (index % 5) as u8);
    }
    if index.is_multiple_of(2) {
        skills.insert(REPAIRS, 3);
    }
    if index % 3 == 1 {
        queues.insert(ABROAD);
    }
    if index % 4 < 2 {
        queues.insert(REPAIR_SHOP);
    }
    let spoken = [("de", 5), ("en", 3), ("fr", 2)];
    let languages = spoken.into_iter().take(1 + index % 3).map(|(tag, level)| (tag.to_owned(), level)).collect();
    let profiles = BTreeMap::from([("one thing".to_owned(), queues.iter().copied().take(1).collect()), ("all".to_owned(), queues.clone())]);
    agent::Settings {
        // Those whose telephone is one of the network's have a mailbox there.
        confirm: (index % 4 == 3).then(|| words("Press 1 to take the call.")),
        personal: (index % 4 == 2).then(|| queues.first().copied()).flatten(),
        profiles,
        queues,
        skills,
        languages,
        channels: channels(index),
        supervises: index.is_multiple_of(4),
        ..agent::Settings::new(AgentId(index as u128 + 1), &name, LINES[index % 3], endpoint)
    }
}

/// Every second one answers in writing too: some beside calls, some undisturbed by them.
fn channels(index: usize) -> BTreeMap<Channel, Share> {
    let share = |at_once, during_calls, calls_interrupt| Share { at_once, during_calls, calls_interrupt };
    match index % 4 {
        0 => [(Channel::Chat, share(2, index.is_multiple_of(8), true)), (Channel::Email, share(3, false, true))].into(),
        2 => [(Channel::Email, share(1, false, true)), (Channel::Task, share(1, false, false))].into(),
        _ => BTreeMap::new(),
    }
}

/// A few of the callers are known: see `actors/caller.rs` for the numbers they show.
fn caller_lists() -> [Change; 3] {
    let blocked = |message| Treatment::Block { message };
    let preferred = Some(Preferred { agent: AgentId(2), wait: Millis::from_secs(15) });
    let favored = Treatment::Favor { priority: 85, skills: Vec::new(), preferred };
    [
        (1, "Nuisance", "+491701000003", blocked(None)),
        (2, "Wrong number", "+491701000005", blocked(Some(words("Nobody here can help you.")))),
        (3, "Best customers", "+4917010001*", favored),
    ]
    .map(|(id, name, caller, treatment)| {
        let list = CallerList::new(CallerListId(id), name, treatment);
        Change::PutCallerList(Box::new(CallerList { callers: [(caller.to_owned(), String::new())].into(), ..list }))
    })
}

fn numbers() -> Vec<Change> {
    let greeting = || Some(Prompt::Text { text: "Welcome to Musterhaus.".to_owned(), language: "en".to_owned() });
    [
        Number { greeting: greeting(), ..Number::new(NumberId(1), "+4930100", Line::Connected, Target::Queue(SUPPORT)) },
        Number { skills: needs(ENGLISH, 2), ..Number::new(NumberId(2), "+4930101", Line::Extended, Target::Queue(SUPPORT)) },
        Number::new(NumberId(3), "+4930102", Line::Unified, Target::Queue(SALES)),
        Number { greeting: greeting(), ..Number::new(NumberId(4), "+4930103", Line::Connected, Target::Queue(BILLING)) },
        Number {
            priority: Some(90),
            skills: needs(REPAIRS, 1),
            ..Number::new(NumberId(5), "+4930104", Line::Connected, Target::Queue(SUPPORT))
        },
        Number { language: Some("fr".to_owned()), ..Number::new(NumberId(7), "+4930106", Line::Unified, Target::Queue(ABROAD)) },
        Number {
            preferred: Some(Preferred { agent: AgentId(5), wait: Millis::from_secs(20) }),
            skills: needs(REPAIRS, 2),
            ..Number::new(NumberId(8), "+4930107", Line::Extended, Target::Queue(REPAIR_SHOP))
        },
        Number::new(NumberId(9), "+4930108", Line::Connected, Target::Flow(reception::RECEPTION)),
        // Dialed rarely, as the last in the list.
        Number::new(NumberId(6), "+4930105", Line::Extended, Target::Agent(AgentId(1))),
    ]
    .map(Change::PutNumber)
    .to_vec()
}

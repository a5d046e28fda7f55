//! Random days: steps that are drawn blindly and given a meaning by what the world holds when they come.

use crate::flows::{FLOWS, SERVICE, flow};
use dreiklang_core::{
    Action, Actor, Command, Input, World,
    agent::{self, Availability, Duty},
    callback::CallbackRules,
    callers::{CallerList, Treatment},
    config::{Change, Destination, Mailbox, Number, Service, Skill, Target, Tenant},
    conversation::{Cause, CauseKind, Quality, SupervisionMode},
    endpoint::{Endpoint, Line, Party},
    expression::Value,
    flow::ServiceAnswer,
    ids::{ActionId, AgentId, CallerListId, CommandId, ConversationId, FlowId, LegId, NumberId, QueueId, SkillId},
    input::TransferTarget,
    output::{ActionFailure, Prompt},
    queue::{
        self, AgentRules, Aging, Allowance, Announcements, CallRules, Condition, ConsultDrop, Disposition, MissRules, OnMiss, OverflowRule,
        Preferred, RecordingPolicy, Ring, RoutingRules, SkillRequirement, WaitingRules, WrapUpRules,
    },
    routing,
    time::Millis,
    voicemail::{MailboxRules, MessageState},
    written::{Channel, Letter, Share, WrittenRules},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub const QUEUES: u128 = 3;
pub const AGENTS: u128 = 5;
pub const NUMBERS: u128 = 5;
const LISTS: u128 = 2;

/// One step; the numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Step {
    Arrive {
        number: u8,
        line: u8,
    },
    ConnectFresh(u8),
    Connect(u8),
    Ring(u8),
    End(u8, u8),
    EndTold(u8),
    Late(u8, u8),
    Measure(u8),
    Hold(u8, bool),
    TransferRequest(u8, u8),
    PlayFinished,
    Press(u8, u8),
    /// A service answers, now and then what nobody asked.
    Answer(u8, u8),
    Reach(u8, bool),
    Done(u8),
    Failed(u8),
    Recorded(u8, bool),
    Ask(u8, u8, u8),
    Put(u8, u8, u8),
    Remove(u8, u8),
    TakeOver,
    Survey(u8, u8),
    Drain(bool),
    /// Time passes, and the engine is woken at each of its deadlines.
    Pass(u32),
    /// Time passes, and the wake-up comes late, with the next input.
    Oversleep(u32),
    /// The clock is put back.
    PutBack(u16),
    /// The last input comes again.
    Again,
}

pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..most)
}

fn step() -> impl Strategy<Value = Step> {
    let byte = any::<u8>;
    prop_oneof![
        8 => (byte(), byte()).prop_map(|(number, line)| Step::Arrive { number, line }),
        14 => byte().prop_map(Step::ConnectFresh),
        2 => byte().prop_map(Step::Connect),
        2 => byte().prop_map(Step::Ring),
        6 => (byte(), byte()).prop_map(|(leg, cause)| Step::End(leg, cause)),
        10 => byte().prop_map(Step::EndTold),
        3 => (byte(), byte()).prop_map(|(leg, what)| Step::Late(leg, what)),
        2 => byte().prop_map(Step::Measure),
        3 => (byte(), any::<bool>()).prop_map(|(leg, held)| Step::Hold(leg, held)),
        3 => (byte(), byte()).prop_map(|(leg, to)| Step::TransferRequest(leg, to)),
        5 => Just(Step::PlayFinished),
        6 => (byte(), byte()).prop_map(|(leg, key)| Step::Press(leg, key)),
        3 => (byte(), byte()).prop_map(|(which, how)| Step::Answer(which, how)),
        2 => (byte(), any::<bool>()).prop_map(|(agent, reachable)| Step::Reach(agent, reachable)),
        6 => byte().prop_map(Step::Done),
        2 => byte().prop_map(Step::Failed),
        3 => (byte(), any::<bool>()).prop_map(|(recording, well)| Step::Recorded(recording, well)),
        14 => (byte(), byte(), byte()).prop_map(|(what, who, to)| Step::Ask(what, who, to)),
        3 => (byte(), byte(), byte()).prop_map(|(what, which, how)| Step::Put(what, which, how)),
        1 => (byte(), byte()).prop_map(|(what, which)| Step::Remove(what, which)),
        1 => Just(Step::TakeOver),
        2 => (byte(), byte()).prop_map(|(line, which)| Step::Survey(line, which)),
        1 => any::<bool>().prop_map(Step::Drain),
        6 => (0u32..60_000).prop_map(Step::Pass),
        1 => (0u32..1_000_000).prop_map(Step::Pass),
        2 => (0u32..60_000).prop_map(Step::Oversleep),
        1 => (0u16..10_000).prop_map(Step::PutBack),
        4 => Just(Step::Again),
    ]
}

pub fn line(choice: u8) -> Line {
    [Line::Connected, Line::Extended, Line::Unified][usize::from(choice) % 3]
}

fn cause(choice: u8) -> Cause {
    const KINDS: [CauseKind; 11] = [
        CauseKind::FarEnd,
        CauseKind::Busy,
        CauseKind::Declined,
        CauseKind::NoAnswer,
        CauseKind::Unreachable,
        CauseKind::Refused,
        CauseKind::Timeout,
        CauseKind::Network,
        CauseKind::MediaLost,
        CauseKind::Failure,
        CauseKind::Ours,
    ];
    // Half of all ends are people hanging up.
    let kind = if choice < 128 { CauseKind::FarEnd } else { KINDS[usize::from(choice) % KINDS.len()] };
    Cause { kind, detail: None }
}

fn pick<T>(list: Vec<T>, choice: u8) -> Option<T> {
    let length = list.len();
    list.into_iter().nth(usize::from(choice) % length.max(1))
}

fn all_legs(world: &World) -> Vec<LegId> {
    world.conversations().flat_map(|found| &found.legs).map(|leg| leg.id).collect()
}

/// The input a step means now, if any. Time steps mean none. `known` are all legs there ever were, `next` makes new ids.
pub fn input(step: &Step, world: &World, known: &[LegId], next: u128) -> Option<Input> {
    let leg = |choice: u8| pick(all_legs(world), choice);
    Some(match *step {
        Step::Arrive { number, line: over } => Input::Arrived {
            leg: LegId(next),
            line: line(over),
            caller: Party { number: (number < 200).then(|| format!("+49170{number}")), name: None },
            dialed: format!("+4930{}", 100 + u32::from(number) % (NUMBERS as u32 + 1)),
        },
        Step::ConnectFresh(choice) => {
            let fresh = world.conversations().flat_map(|found| &found.legs).filter(|leg| leg.connected_at.is_none() && !leg.ending);
            Input::Connected { leg: pick(fresh.map(|leg| leg.id).collect(), choice)?, token: (choice % 2 == 0).then(|| "t".to_owned()) }
        }
        Step::Connect(choice) => Input::Connected { leg: leg(choice)?, token: None },
        Step::Ring(choice) => Input::Ringing { leg: leg(choice)? },
        Step::End(choice, why) => Input::Ended { leg: leg(choice)?, cause: cause(why) },
        Step::EndTold(choice) => {
            let told = world.conversations().flat_map(|found| &found.legs).filter(|leg| leg.ending);
            Input::Ended { leg: pick(told.map(|leg| leg.id).collect(), choice)?, cause: Cause { kind: CauseKind::Ours, detail: None } }
        }
        Step::Late(choice, what) => {
            let leg = pick(known.to_vec(), choice)?;
            match what % 6 {
                0 => Input::Connected { leg, token: None },
                1 => Input::Ended { leg, cause: cause(what) },
                2 => Input::Ringing { leg },
                3 => Input::HeldByParty { leg, held: what > 128 },
                4 => Input::TransferRequested { leg, target: "+4930101".to_owned() },
                _ => Input::Arrived { leg, line: line(what), caller: Party::default(), dialed: "+4930100".to_owned() },
            }
        }
        Step::Measure(choice) => Input::Measured { leg: pick(known.to_vec(), choice)?, quality: Quality::default() },
        Step::Hold(choice, held) => Input::HeldByParty { leg: leg(choice)?, held },
        Step::TransferRequest(choice, to) => {
            let targets = ["+4930100", "+4930101", "agent1", "agent2", "+49891234567", "ben@contoso.example", "nonsense"];
            Input::TransferRequested { leg: leg(choice)?, target: targets[usize::from(to) % targets.len()].to_owned() }
        }
        Step::Press(leg, key) => {
            let legs = world.conversations().flat_map(|found| &found.legs).map(|leg| leg.id).collect();
            Input::Digit { leg: pick(legs, leg)?, digit: ['1', '#', '5'][usize::from(key) % 3] }
        }
        Step::Answer(which, how) => {
            let asked = world.pending().iter().filter(|(_, action)| matches!(action, Action::AskService { .. })).map(|(id, _)| id);
            let action = pick(asked.collect(), which).or_else(|| any_action(world, which))?;
            let code = if how.is_multiple_of(3) { Value::Int(how.into()) } else { Value::from("55") };
            let body = Value::map([("code", code), ("list", Value::List(vec![Value::Int(i64::from(how) - 50)]))]);
            Input::ServiceAnswered { action, answer: ServiceAnswer { status: if how < 200 { 200 } else { 404 }, body } }
        }
        Step::PlayFinished => {
            let (leg, play) = world.conversations().find_map(|found| Some((found.customer?, found.playing?)))?;
            Input::PlayFinished { leg, play }
        }
        Step::Reach(choice, reachable) => Input::Reachable { agent: AgentId(u128::from(choice) % AGENTS + 1), reachable },
        Step::Done(choice) => Input::ActionDone { action: any_action(world, choice)? },
        Step::Failed(choice) => Input::ActionFailed {
            action: any_action(world, choice)?,
            failure: ActionFailure { code: "TEST-001".to_owned(), detail: "test".to_owned() },
        },
        Step::Recorded(choice, well) => {
            let recording = pick(world.recordings().map(|(id, _)| id).collect(), choice)?;
            if well {
                let duration = Millis(u64::from(choice) * 50);
                Input::RecordingFinished { recording, path: "x.wav".to_owned(), duration, channels: 2 }
            } else {
                Input::RecordingFailed { recording, reason: "disk full".to_owned() }
            }
        }
        Step::Ask(what, who, to) => command(world, what, who, to, next)?,
        Step::Put(what, which, how) => Input::Configure { change: put(what, which, how) },
        Step::Remove(what, which) => Input::Configure { change: remove(what, which) },
        Step::TakeOver => Input::TookOver,
        Step::Survey(over, which) => {
            // Some of the legs live, and now and then one that nobody knows.
            let mut live = all_legs(world);
            live.retain(|leg| !(leg.0 as u8).wrapping_add(which).is_multiple_of(3));
            if which.is_multiple_of(16) {
                live.push(LegId(u128::MAX - u128::from(which)));
            }
            Input::Survey { line: line(over), live }
        }
        Step::Drain(on) => Input::Drain { on },
        Step::Pass(_) | Step::Oversleep(_) | Step::PutBack(_) | Step::Again => return None,
    })
}

fn any_action(world: &World, choice: u8) -> Option<ActionId> {
    pick(world.pending().iter().map(|(id, _)| id).collect(), choice)
}

fn command(world: &World, what: u8, who: u8, to: u8, next: u128) -> Option<Input> {
    let agent = AgentId(u128::from(who) % AGENTS + 1);
    let conversation = pick(world.conversations().map(|found| found.id).collect(), who);
    let target = match to % 3 {
        0 => TransferTarget::Queue(QueueId(u128::from(to) % QUEUES + 1)),
        1 => TransferTarget::Agent(AgentId(u128::from(to) % AGENTS + 1)),
        _ if to.is_multiple_of(4) => TransferTarget::Person("ada@example.com".to_owned()),
        _ => TransferTarget::Number("+49891234567".to_owned()),
    };
    let queue = QueueId(u128::from(to) % QUEUES + 1);
    if (226..238).contains(&what) {
        return about_callback(world, what, who, to, next);
    }
    if (200..214).contains(&what) {
        return about_letter(world, what, who, to, next);
    }
    if what >= 238 {
        return about_message(world, what, who, to, next);
    }
    let command = match what % 64 {
        0..=3 => Command::SetDuty { agent, duty: [Duty::OnDuty, Duty::OnDuty, Duty::OffDuty, Duty::SignedOut][usize::from(to) % 4] },
        4..=7 => {
            let availability = if to < 190 { Availability::Ready } else { Availability::NotReady { reason: "break".to_owned() } };
            Command::SetAvailability { agent, availability }
        }
        63 => Command::PlanDuty { agent, duty: [Duty::OnDuty, Duty::OffDuty, Duty::SignedOut][usize::from(to) % 3] },
        8 => Command::FinishWrapUp { agent, disposition: (to > 128).then(|| "done".to_owned()) },
        9 => Command::Decline { agent },
        10 => Command::Hold { conversation: conversation? },
        11 => Command::Resume { conversation: conversation? },
        12..=14 => Command::Transfer { conversation: conversation?, to: target },
        15..=18 => Command::Consult { conversation: conversation?, to: target },
        19..=20 => Command::SwapConsult { conversation: conversation? },
        21 => Command::CompleteConsult { conversation: conversation? },
        22 if to < 128 => Command::CancelConsult { conversation: conversation? },
        22 => Command::SetLanguage { conversation: conversation?, language: (to < 192).then(|| "de".to_owned()) },
        23 => Command::CloseQueue {
            queue,
            reason: "closed".to_owned(),
            until: (who < 128).then(|| world.at() + Millis::from_secs(u64::from(who) + 1)),
        },
        24 => Command::OpenQueue { queue },
        25 => Command::SetNotice { queue, notice: (who < 128).then(|| words("Attention")) },
        26 => Command::StartRecording { conversation: conversation? },
        27..=30 => Command::PauseRecording {
            conversation: conversation?,
            secure: to.is_multiple_of(2),
            at_most: to.is_multiple_of(3).then(|| Millis(u64::from(to) * 100)),
        },
        31..=32 => Command::ResumeRecording { conversation: conversation? },
        46 => Command::SetPriority { conversation: conversation?, priority: to % 110 },
        33 => Command::StopRecording { conversation: conversation? },
        34 => Command::HangUp { conversation: conversation? },
        47..=49 => Command::MergeConsult { conversation: conversation? },
        50 => {
            let legs = world.conversation(conversation?).into_iter().flat_map(|found| &found.legs).map(|leg| leg.id);
            Command::DropParty { conversation: conversation?, leg: pick(legs.collect(), to)? }
        }
        51..=54 => Command::Supervise { conversation: conversation?, agent: AgentId(u128::from(to) % AGENTS + 1), mode: mode(what, to) },
        55..=58 => {
            let (conversation, agent) = pick(following(world), who)?;
            Command::ChangeSupervision { conversation, agent, mode: mode(what, to) }
        }
        59 => {
            let (conversation, agent) = pick(following(world), who)?;
            Command::EndSupervision { conversation, agent }
        }
        60..=61 => {
            let (conversation, agent) = pick(following(world), who)?;
            Command::TakeOver { conversation, agent }
        }
        35..=36 => Command::Pull { conversation: conversation?, agent: AgentId(u128::from(to) % AGENTS + 1) },
        37..=38 => Command::Requeue { conversation: conversation?, queue: (to < 128).then_some(queue), keep_wait: to.is_multiple_of(2) },
        39..=40 => {
            Command::SetDisposition { agent, disposition: (to < 200).then(|| ["done", "open", "lost"][usize::from(to) % 3].to_owned()) }
        }
        41 => Command::ExtendWrapUp { agent },
        62 => Command::ChooseProfile { agent, profile: ["one", "none"].get(usize::from(to) % 3).map(|name| (*name).to_owned()) },
        42..=43 => Command::SignOutOfQueue { agent, queue },
        _ => Command::SignIntoQueue { agent, queue },
    };
    let by = if to.is_multiple_of(5) { Actor::Agent(agent) } else { Actor::User("u".to_owned()) };
    Some(Input::Command { id: CommandId(next), by, command })
}

fn about_callback(world: &World, what: u8, who: u8, to: u8, next: u128) -> Option<Input> {
    let callback = pick(world.callbacks().iter().map(|callback| callback.id).collect(), to);
    let at = to.is_multiple_of(2).then(|| world.at() + Millis::from_secs(1 + u64::from(to) * 10));
    let command = match what {
        226..=231 => Command::RequestCallback {
            queue: QueueId(u128::from(to) % QUEUES + 1),
            party: Party { number: Some(format!("+49170{who}")), name: None },
            at,
            priority: (who.is_multiple_of(3)).then_some(who % 101),
            language: (who.is_multiple_of(4)).then(|| "de".to_owned()),
        },
        232..=234 => Command::RescheduleCallback { callback: callback?, at },
        _ => Command::CancelCallback { callback: callback? },
    };
    Some(Input::Command { id: CommandId(next), by: Actor::User("u".to_owned()), command })
}

fn about_message(world: &World, what: u8, who: u8, to: u8, next: u128) -> Option<Input> {
    let message = pick(world.messages().iter().map(|message| message.id).collect(), to)?;
    let state = [MessageState::Heard, MessageState::Done, MessageState::New][usize::from(who) % 3];
    let command = if what < 248 { Command::MarkMessage { message, state } } else { Command::DeleteMessage { message } };
    let by = if to.is_multiple_of(3) { Actor::Agent(AgentId(u128::from(who) % AGENTS + 1)) } else { Actor::User("u".to_owned()) };
    Some(Input::Command { id: CommandId(next), by, command })
}

/// Conversations in writing have ids of their own.
const LETTERS: u128 = 1 << 100;

fn about_letter(world: &World, what: u8, who: u8, to: u8, next: u128) -> Option<Input> {
    let agent = AgentId(u128::from(who) % AGENTS + 1);
    let queue = QueueId(u128::from(to) % QUEUES + 1);
    let conversation = pick(world.written().map(|found| found.id).collect(), to);
    let disposition = who.is_multiple_of(3).then(|| "done".to_owned());
    let preferred = to.is_multiple_of(5).then(|| Preferred { agent, wait: Millis::from_secs(u64::from(to)) });
    let command = match what % 14 {
        0..=4 => Command::OpenWritten {
            letter: Box::new(Letter {
                conversation: ConversationId(LETTERS + next % 40),
                channel: Channel::ALL[usize::from(who) % 3],
                queue,
                customer: Party { number: Some("ada@example.com".to_owned()), name: None },
                subject: None,
                link: None,
                priority: to.is_multiple_of(3).then_some(to % 101),
                skills: if to.is_multiple_of(7) { needs(to) } else { Vec::new() },
                language: who.is_multiple_of(5).then(|| "de".to_owned()),
                preferred,
            }),
        },
        5..=8 => Command::TakeWritten { conversation: conversation?, agent },
        9 => Command::DeclineWritten { conversation: conversation?, agent },
        10 => Command::MoveWritten { conversation: conversation?, queue: who.is_multiple_of(2).then_some(queue), preferred },
        11 | 12 => Command::CloseWritten { conversation: conversation?, by_customer: to.is_multiple_of(2), disposition },
        _ => Command::FinishWritten { conversation: conversation?, disposition },
    };
    let by = if to.is_multiple_of(4) { Actor::Agent(agent) } else { Actor::User("u".to_owned()) };
    Some(Input::Command { id: CommandId(next), by, command })
}

fn mode(what: u8, to: u8) -> SupervisionMode {
    [SupervisionMode::Listen, SupervisionMode::Whisper, SupervisionMode::Barge][usize::from(what ^ to) % 3]
}

/// Who supervises what, and is called for it.
fn following(world: &World) -> Vec<(ConversationId, AgentId)> {
    world.conversations().flat_map(|found| found.supervisors.iter().map(|one| (found.id, one.supervisor))).collect()
}

fn needs(how: u8) -> Vec<SkillRequirement> {
    (1..=2u8)
        .filter(|skill| how & (1 << skill) != 0)
        .map(|skill| SkillRequirement { skill: SkillId(u128::from(skill)), level: 1 + how % 4 })
        .collect()
}

fn put(what: u8, which: u8, how: u8) -> Change {
    match what % 6 {
        4 => Change::PutFlow(Box::new(flow(u128::from(which) % FLOWS + 1, how))),
        5 => Change::PutCallerList(Box::new(caller_list(which, how))),
        0 => Change::PutQueue(queue(u128::from(which) % QUEUES + 1, how)),
        1 => Change::PutAgent(agent(u128::from(which) % AGENTS + 1, how)),
        2 => Change::PutNumber(number(u128::from(which) % NUMBERS + 1, how)),
        _ => Change::PutTenant(tenant(how)),
    }
}

fn remove(what: u8, which: u8) -> Change {
    match what % 6 {
        4 => Change::RemoveFlow(FlowId(u128::from(which) % FLOWS + 1)),
        5 => Change::RemoveCallerList(CallerListId(u128::from(which) % LISTS + 1)),
        0 => Change::RemoveQueue(QueueId(u128::from(which) % QUEUES + 1)),
        1 => Change::RemoveAgent(AgentId(u128::from(which) % AGENTS + 1)),
        2 => Change::RemoveNumber(NumberId(u128::from(which) % NUMBERS + 1)),
        _ => Change::RemoveSkill(SkillId(u128::from(which) % 2 + 1)),
    }
}

fn caller_list(which: u8, how: u8) -> CallerList {
    let preferred = Preferred { agent: AgentId(u128::from(how) % AGENTS + 1), wait: Millis::from_secs(20) };
    let treatment = match how % 4 {
        0 => Treatment::Block { message: None },
        1 => Treatment::Block { message: Some(words("No.")) },
        _ => Treatment::Favor { priority: how % 101, skills: needs(how), preferred: how.is_multiple_of(3).then_some(preferred) },
    };
    let id = u128::from(which) % LISTS + 1;
    let list = CallerList::new(CallerListId(id), &format!("List {id}"), treatment);
    let callers = [format!("+49170{}*", which % 10), format!("+49170{how}")].map(|caller| (caller, String::new()));
    CallerList { callers: callers.into(), withheld: how.is_multiple_of(5), ..list }
}

fn queue(id: u128, how: u8) -> queue::Settings {
    queue::Settings {
        skills: if how.is_multiple_of(7) { needs(how) } else { Vec::new() },
        priority: how % 101,
        ring: Millis::from_secs(3 + u64::from(how) % 20),
        hold_music: Prompt::Music,
        wrap_up: match how % 3 {
            0 => Allowance::None,
            1 => Allowance::Timed { duration: Millis::from_secs(u64::from(how)) },
            _ => Allowance::UntilFinished,
        },
        calls: Box::new(CallRules {
            consult_drop: if how.is_multiple_of(2) { ConsultDrop::Join } else { ConsultDrop::Queue },
            record_consult: how.is_multiple_of(5),
            after_talk: how.is_multiple_of(2).then(|| FlowId(u128::from(how) % FLOWS + 1)),
            take_back: how.is_multiple_of(3).then(|| Millis::from_secs(5 + u64::from(how) % 60)),
        }),
        recording: [RecordingPolicy::Off, RecordingPolicy::FromAnswer, RecordingPolicy::FromQueue][usize::from(how) % 3],
        service_level: Default::default(),
        short_abandon: Millis::from_secs(5),
        max_waiting: 1 + u32::from(how) % 8,
        max_wait: (how.is_multiple_of(4)).then(|| Millis::from_secs(1 + u64::from(how))),
        routing: rules(id, how),
        waiting: Box::new(waiting(id, how)),
        written: WrittenRules { ring: Millis::from_secs(3 + u64::from(how)), ..WrittenRules::default() },
        callbacks: CallbackRules { attempts: 1 + how % 3, gap: Millis::from_secs(60 + u64::from(how)), most: u32::from(how) % 5 },
        voicemail: Box::new(MailboxRules {
            greeting: (how.is_multiple_of(2)).then(|| words("Speak")),
            longest: Millis::from_secs(5 + u64::from(how)),
            keep: Millis::from_secs(3_600 + u64::from(how)),
            most: 1 + u32::from(how) % 4,
            ..MailboxRules::default()
        }),
        agents: Box::new(agent_rules(how)),
        ..queue::Settings::new(QueueId(id), &format!("Queue {id}"))
    }
}

/// Extensions only with timed wrap-up of some length, a limit only with the other kind, and demands only with either.
fn agent_rules(how: u8) -> AgentRules {
    const WAYS: [OnMiss; 5] =
        [OnMiss::NotReady, OnMiss::PassOver, OnMiss::NotReadyAfter { misses: 2 }, OnMiss::NotReadyAfter { misses: 3 }, OnMiss::SignOut];
    let way = |add: u8| WAYS[usize::from(how.wrapping_add(add) / 2) % WAYS.len()];
    let codes = ["done", "open"].map(|code| Disposition { follow_up: code == "open", ..Disposition::new(code, code) });
    AgentRules {
        missed: MissRules {
            no_answer: way(0),
            declined: way(3),
            busy: way(5),
            unreachable: way(7),
            ready_again: how.is_multiple_of(3).then(|| Millis::from_secs(5 + u64::from(how))),
            ask_again: (!how.is_multiple_of(5)).then(|| Millis::from_secs(5 + u64::from(how) % 90)),
        },
        wrap_up: WrapUpRules {
            extension: (how % 6 == 1).then(|| Millis::from_secs(1 + u64::from(how))),
            longest: (how % 6 == 2).then(|| Millis::from_secs(1 + u64::from(how))),
            dispositions: if how.is_multiple_of(4) { Vec::new() } else { codes.to_vec() },
            required: !how.is_multiple_of(3) && how.is_multiple_of(5),
        },
    }
}

fn rules(id: u128, how: u8) -> RoutingRules {
    const WAYS: [routing::Strategy; 5] = [
        routing::Strategy::LongestIdle,
        routing::Strategy::RoundRobin,
        routing::Strategy::FewestCalls,
        routing::Strategy::RingAll,
        routing::Strategy::SkillLevel,
    ];
    let ring = |after: u64, lower: u8| Ring {
        after: Millis::from_secs(after),
        lower,
        any_language: how.is_multiple_of(2),
        languages: vec!["en".to_owned()],
        ..Ring::default()
    };
    let far = Ring { queues: [QueueId(id)].into(), drop: [SkillId(1)].into(), ..ring(20 + u64::from(how), 3) };
    RoutingRules {
        strategy: WAYS[usize::from(how / 3) % WAYS.len()],
        rings: if how.is_multiple_of(4) { vec![ring(5, 1), far] } else { Vec::new() },
        aging: (how % 4 < 2).then(|| Aging { every: Millis::from_secs(1 + u64::from(how) % 30), step: 1 + how % 7, max: how % 101 }),
        weight: [100, 1, 250][usize::from(how) % 3],
    }
}

fn words(text: &str) -> Prompt {
    Prompt::Text { text: text.to_owned(), language: "en".to_owned() }
}

fn waiting(id: u128, how: u8) -> WaitingRules {
    let to = |choice: u8| match choice % 9 {
        8 => Destination::Callback(QueueId(id)),
        5 => Destination::Voicemail(Mailbox::Queue(QueueId(id))),
        6 => Destination::Voicemail(Mailbox::Agent(AgentId(u128::from(how) % AGENTS + 1))),
        7 => Destination::Flow(FlowId(u128::from(how) % FLOWS + 1)),
        0 => Destination::Queue(QueueId(id % QUEUES + 1)),
        1 => Destination::Agent(AgentId(u128::from(how) % AGENTS + 1)),
        2 => Destination::Number("+49891234567".to_owned()),
        3 => Destination::Message(words("Goodbye")),
        _ => Destination::HangUp,
    };
    let span = Millis::from_secs(1 + u64::from(how) % 60);
    let whens = [
        Condition::Length { at_least: u32::from(how) % 4 },
        Condition::Waited { after: span },
        Condition::EstimatedWait { at_least: span },
        Condition::NoAgents { after: Millis(u64::from(how % 2) * 5_000) },
        Condition::Closed,
    ];
    let overflow = whens.into_iter().enumerate().filter(|(bit, _)| how & (1 << bit) != 0);
    let overflow = overflow.map(|(bit, when)| OverflowRule { when, to: to(how.wrapping_add(bit as u8)) }).collect();
    let announcements = Announcements {
        initial: (how.is_multiple_of(3)).then(|| words("Welcome")),
        every: (how.is_multiple_of(2)).then(|| Millis::from_secs(10 + u64::from(how))),
        position: how.is_multiple_of(4),
        estimate: how.is_multiple_of(6),
        comfort: if how.is_multiple_of(5) { vec![words("Stay"), words("Soon")] } else { Vec::new() },
    };
    WaitingRules { hours: None, overflow, announcements, keys: [('1', to(how)), ('#', to(how.wrapping_add(2)))].into() }
}

fn agent(id: u128, how: u8) -> agent::Settings {
    let name = format!("agent{id}");
    let endpoint = if how.is_multiple_of(2) { Endpoint::Desk(name.clone()) } else { Endpoint::Address(name.clone()) };
    let queues: BTreeSet<QueueId> = (1..=QUEUES).filter(|queue| how & (1 << queue) == 0).map(QueueId).collect();
    agent::Settings {
        profiles: [("one".to_owned(), queues.iter().copied().take(1).collect()), ("none".to_owned(), BTreeSet::new())].into(),
        personal: queues.first().copied().filter(|_| how.is_multiple_of(5)),
        confirm: (how % 4 == 1).then(|| words("Press 1")),
        queues,
        skills: (1..=2).filter(|skill| how & (16 << skill) != 0).map(|skill| (SkillId(skill), 1 + how % 5)).collect(),
        languages: ["de", "en"].into_iter().take(usize::from(how) % 3).map(|tag| (tag.to_owned(), 1 + how % 6)).collect(),
        channels: Channel::ALL
            .into_iter()
            .zip([how % 4, how % 3, how % 2])
            .filter(|(_, at_once)| *at_once > 0)
            .map(|(channel, at_once)| (channel, Share { at_once, during_calls: how % 5 < 2, calls_interrupt: how % 7 < 4 }))
            .collect(),
        supervises: how.is_multiple_of(3),
        ..agent::Settings::new(AgentId(id), &name, line(how), endpoint)
    }
}

fn number(id: u128, how: u8) -> Number {
    let target = match how % 5 {
        0 => Target::Agent(AgentId(id % AGENTS + 1)),
        1 | 2 => Target::Flow(FlowId(id % FLOWS + 1)),
        _ => Target::Queue(QueueId(id % QUEUES + 1)),
    };
    Number {
        greeting: (how.is_multiple_of(3)).then(|| Prompt::Text { text: "Welcome".to_owned(), language: "en".to_owned() }),
        skills: if how.is_multiple_of(2) { needs(how) } else { Vec::new() },
        priority: (how.is_multiple_of(4)).then_some(how % 101),
        language: (how % 3 == 1).then(|| ["de", "en"][usize::from(how) % 2].to_owned()),
        preferred: (how % 7 == 3)
            .then(|| Preferred { agent: AgentId(1 + u128::from(how) % AGENTS), wait: Millis::from_secs(1 + u64::from(how)) }),
        ..Number::new(NumberId(id), &format!("+4930{}", 99 + id), line(how), target)
    }
}

fn tenant(how: u8) -> Tenant {
    Tenant { name: "Test".to_owned(), caller_number: None, outbound_line: (how < 200).then_some(line(how)), ..Tenant::default() }
}

/// The documents every day begins with, drawn from `how`.
pub fn opening(how: u8) -> Vec<Input> {
    let mut changes = vec![Change::PutTenant(tenant(how % 100))];
    changes.extend((1..=2).map(|id| Change::PutSkill(Skill { id: SkillId(id), name: format!("Skill {id}") })));
    let queues = || (1..=QUEUES).map(|id| queue(id, how.wrapping_add(id as u8 * 7)));
    // Rules name other queues and agents, which have to be there first.
    changes.extend(queues().map(|queue| Change::PutQueue(queue::Settings { waiting: Box::default(), calls: Box::default(), ..queue })));
    changes.extend((1..=AGENTS).map(|id| Change::PutAgent(agent(id, how.wrapping_mul(id as u8)))));
    changes.push(Change::PutService(Service { id: SERVICE, name: "CRM".to_owned() }));
    changes.extend((1..=FLOWS).map(|id| Change::PutFlow(Box::new(flow(id, how.wrapping_mul(5).wrapping_add(id as u8))))));
    changes.extend(queues().map(Change::PutQueue));
    changes.extend((1..=NUMBERS).map(|id| Change::PutNumber(number(id, how.wrapping_add(id as u8)))));
    let mut inputs: Vec<Input> = changes.into_iter().map(|change| Input::Configure { change }).collect();
    for id in (1..=AGENTS).map(AgentId) {
        let by = Actor::Agent(id);
        inputs.push(Input::Reachable { agent: id, reachable: true });
        let command = Command::SetDuty { agent: id, duty: Duty::OnDuty };
        inputs.push(Input::Command { id: CommandId(id.0 * 2), by: by.clone(), command });
        if id.0 % 2 == u128::from(how % 2) {
            let command = Command::SetAvailability { agent: id, availability: Availability::Ready };
            inputs.push(Input::Command { id: CommandId(id.0 * 2 + 1), by, command });
        }
    }
    inputs
}

/// Inputs that come from lines, of which each may come twice.
pub fn is_report(input: &Input) -> bool {
    matches!(
        input,
        Input::Arrived { .. }
            | Input::Ringing { .. }
            | Input::Connected { .. }
            | Input::Ended { .. }
            | Input::Measured { .. }
            | Input::PlayFinished { .. }
            | Input::HeldByParty { .. }
            | Input::Reachable { .. }
            | Input::RecordingFinished { .. }
            | Input::RecordingFailed { .. }
            | Input::ActionDone { .. }
            | Input::ActionFailed { .. }
            | Input::ServiceAnswered { .. }
            | Input::Survey { .. }
            | Input::Drain { .. }
            | Input::Configure { .. }
    )
}

/// Actions in a form that tests can hold: none may be uttered by a replay.
pub fn is_wish(action: &Action) -> bool {
    action.conversation().is_some() || matches!(action, Action::Survey { .. })
}

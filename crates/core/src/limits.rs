//! Every limit of the core, with its unit and the reason for its size.

use crate::time::Millis;

/// Conversations alive in one tenant: ten times what one media node carries, so that it bounds memory, not business.
pub const CONVERSATIONS_PER_TENANT: usize = 50_000;
/// Waiting visits in one queue when the queue sets no limit of its own.
pub const WAITING_PER_QUEUE: u32 = 10_000;
/// Queues in one tenant.
pub const QUEUES_PER_TENANT: usize = 2_000;
/// Agents in one tenant.
pub const AGENTS_PER_TENANT: usize = 20_000;
/// Skills known in one tenant.
pub const SKILLS_PER_TENANT: usize = 1_000;
/// Numbers in one tenant.
pub const NUMBERS_PER_TENANT: usize = 20_000;
/// Lists of callers in one tenant.
pub const CALLER_LISTS_PER_TENANT: usize = 50;
/// Callers on one list: what is written at once each time it changes; longer lists name beginnings of numbers.
pub const CALLERS_PER_LIST: usize = 2_000;
/// Longest beginning of a number that a list names, in characters: a public number has 15 digits and a sign.
pub const CALLER_PREFIX_CHARS: usize = 16;
/// Queues one agent serves: each is an index to keep up on every state change.
pub const QUEUES_PER_AGENT: usize = 50;
/// Duty profiles of one agent: what a person can choose from.
pub const PROFILES_PER_AGENT: usize = 20;
/// Skills one agent has.
pub const SKILLS_PER_AGENT: usize = 50;
/// Skills one queue or number asks for.
pub const SKILLS_ASKED: usize = 8;
/// Different sets of asked skills alive in one queue: each is an index of its own.
pub const CLASSES_PER_QUEUE: usize = 64;
/// Conversations in writing alive in one tenant: mail may wait for days.
pub const WRITTEN_PER_TENANT: usize = 50_000;
/// Conversations in writing that wait in one queue.
pub const WRITTEN_PER_QUEUE: usize = 10_000;
/// Conversations of one channel that one agent has at a time; more nobody keeps apart.
pub const WRITTEN_AT_ONCE: u8 = 20;
/// How long an agent has for taking a conversation in writing where the queue says nothing else.
pub const WRITTEN_RING: Millis = Millis::from_secs(60);
/// Longest that may be: whoever writes waits meanwhile.
pub const WRITTEN_RING_MAX: Millis = Millis::from_secs(600);
/// Longest promise of a queue to those who write: a week.
pub const WRITTEN_WITHIN_MAX: Millis = Millis::from_secs(7 * 24 * 3_600);
/// Longest a conversation in writing may live; then it has been forgotten.
pub const WRITTEN_MAX: Millis = Millis::from_secs(90 * 24 * 3_600);
/// Longest subject, in characters.
pub const SUBJECT_CHARS: usize = 200;
/// Longest place where a conversation can be read, in characters.
pub const LINK_CHARS: usize = 2_000;
/// Legs of one conversation: caller, agent, those that transfers add before old ones leave, and telephones that ring at once.
pub const LEGS_PER_CONVERSATION: usize = 32;
/// Parties of a conference beside customer and agent: more voices at once nobody can follow.
pub const CONFERENCE_MEMBERS: usize = 8;
/// Supervisors of one talk.
pub const SUPERVISORS_PER_CONVERSATION: usize = 4;
/// Agents who are rung at once for one visit; more telephones would ring for nothing than are of use to the caller.
pub const RING_ALL_AGENTS: usize = 20;
/// Queue visits of one conversation; more is a transfer loop.
pub const VISITS_PER_CONVERSATION: u32 = 50;
/// Highest level of a skill; the lowest is 1.
pub const SKILL_LEVEL_MAX: u8 = 10;
/// Highest priority of a visit; the lowest is 0, the usual 50.
pub const PRIORITY_MAX: u8 = 100;
/// Candidates named in one explained decision: what a person reads.
pub const EXPLAINED: usize = 10;
/// Agents looked at for reasons why they were not asked: a bound in time, whatever the size of the queue.
pub const EXPLAIN_SCAN: usize = 40;
/// Rings of one queue: more steps than anybody can keep in mind.
pub const RINGS_PER_QUEUE: usize = 8;
/// Queues or agents that one ring adds, and languages it lets pass.
pub const ADDED_PER_RING: usize = 50;
/// Highest weight of a queue beside others; the lowest is 1, the usual 100.
pub const WEIGHT_MAX: u16 = 1_000;
/// Shortest and longest time in which the priority of a visit grows by a step.
pub const AGING_EVERY: std::ops::RangeInclusive<Millis> = Millis::from_secs(1)..=Millis::from_secs(3_600);
/// Languages one agent speaks.
pub const LANGUAGES_PER_AGENT: usize = 20;
/// Longest a visit waits for one agent alone: longer, it is that agent's own call and not the queue's.
pub const PREFERRED_WAIT_MAX: Millis = Millis::from_secs(600);
/// Longest language tag, in characters (RFC 5646 §4.4.1 recommends room for 35).
pub const LANGUAGE_CHARS: usize = 35;
/// Longest name of anything, in characters.
pub const NAME_CHARS: usize = 100;
/// Longest text a prompt may speak, in characters.
pub const PROMPT_CHARS: usize = 2_000;
/// Shortest ring time of an offer: below, a person cannot react.
pub const RING_MIN: Millis = Millis::from_secs(3);
/// Longest ring time of an offer: above, the caller thinks nobody is there.
pub const RING_MAX: Millis = Millis::from_secs(120);
/// How long an agent whose telephone was answered has for pressing the key, at least.
pub const CONFIRM: Millis = Millis::from_secs(10);
/// Misses in a row after which an agent is not ready whatever a queue's rules say: nobody is at that desk.
pub const MISSES_IN_A_ROW: u8 = 10;
/// Agents passed over for one visit; the next who misses it is not ready.
pub const PASSED_OVER_PER_VISIT: usize = 50;
/// Least and most time after which an agent who missed something is ready again, or is asked for the same visit again.
pub const AFTER_MISS: std::ops::RangeInclusive<Millis> = Millis::from_secs(5)..=Millis::from_secs(3_600);
/// Codes for what became of a conversation, in one queue or tenant: what a person can choose from.
pub const DISPOSITIONS: usize = 200;
/// Longest wrap-up, extension left out: whoever is gone longer has forgotten it, and nobody is stuck in it.
pub const WRAP_UP_MAX: Millis = Millis::from_secs(3_600);
/// Longest a conversation may live; a call that lasts longer has been forgotten by both ends.
pub const CONVERSATION_MAX: Millis = Millis::from_secs(8 * 3_600);
/// How long an arriving leg may take to be connected after we answered it.
pub const ANSWER_MAX: Millis = Millis::from_secs(40);
/// How long a leg may take to end after it was told to; then the core stops waiting for it.
pub const HANG_UP_MAX: Millis = Millis::from_secs(40);
/// How long the core waits for the next step of a prompt that should have ended.
pub const PROMPT_MAX: Millis = Millis::from_secs(300);
/// How long a transfer target may ring.
pub const TRANSFER_RING: Millis = Millis::from_secs(30);
/// How long a consult waits for an agent of the queue it asks to become free; the customer is on hold meanwhile.
pub const CONSULT_WAIT: Millis = Millis::from_secs(60);
/// Added to an offer's ring time in the wish to dial, so that the core's own timer decides and the line's is only a safety net.
pub const RING_MARGIN: Millis = Millis::from_secs(5);
/// How long the core remembers that it asked for something nobody answered.
pub const ACTION_MAX: Millis = Millis::from_secs(60);
/// How long closing a recording may take: a slow disk may have minutes of audio to write.
pub const RECORDING_CLOSE_MAX: Millis = Millis::from_secs(120);
/// How long a line may take to confirm that a recording is paused or goes on; then the recording is ended.
pub const PAUSE_ANSWER_MAX: Millis = Millis::from_secs(3);
/// How long a secure pause lasts when nothing else is asked for: saying a card's number twice takes less.
pub const SECURE_PAUSE: Millis = Millis::from_secs(180);
/// Longest pause that ends by itself.
pub const SECURE_PAUSE_MAX: Millis = Millis::from_secs(1_800);
/// Pauses of one recording; each is kept with it for good.
pub const RECORDING_GAPS: usize = 100;
/// Longest stretch of time that figures spread over the intervals it touches: longer ones come from clocks set wrong.
pub const SPREAD_MAX: Millis = Millis::from_secs(400 * 86_400);
/// Least pause before a line that could not say which legs live is asked again; it doubles, because the next is never sooner
/// than the time that has passed since the takeover.
pub const SURVEY_RETRY: Millis = Millis::from_secs(30);
/// Longest such pause.
pub const SURVEY_RETRY_MAX: Millis = Millis::from_secs(3_600);
/// Pause before a leg whose line could not take the wish to end it is told again.
pub const HANG_UP_RETRY: Millis = Millis::from_secs(5);
/// Ended legs remembered, so that late or repeated messages about them are recognized: some minutes of a busy tenant.
pub const LEGS_REMEMBERED: usize = 10_000;
/// Longest text taken over from outside (numbers, names, reasons), in characters; the rest is cut off.
pub const TEXT_CHARS: usize = 256;
/// Longest token of a line, in characters.
pub const TOKEN_CHARS: usize = 8_192;
/// Beginnings of numbers that may be called, and as many that may not, in one tenant.
pub const NUMBER_RULES: usize = 200;
/// Codes for not being ready in one tenant.
pub const NOT_READY_REASONS: usize = 50;
/// Longest time that counts as a short abandon.
pub const SHORT_ABANDON_MAX: Millis = Millis::from_secs(300);
/// Longest path of a recording, in characters.
pub const PATH_CHARS: usize = 1_024;
/// Longest expression, in characters: what a person can still read.
pub const EXPRESSION_CHARS: usize = 2_000;
/// How deep an expression may be nested; what reading and evaluating it needs of the stack grows with this.
pub const EXPRESSION_DEPTH: usize = 64;
/// Steps one evaluation may take: some milliseconds in the worst case, so that no expression holds up a tenant.
pub const EXPRESSION_STEPS: usize = 20_000;
/// Longest text an expression may make, in bytes.
pub const EXPRESSION_TEXT_BYTES: usize = 64 * 1_024;
/// States of one pattern: what each character of the text is compared with, at most.
pub const PATTERN_STATES: usize = 1_000;
/// How often a part of a pattern may be asked to repeat by number.
pub const PATTERN_REPEATS: u32 = 100;
/// Overflow rules of one queue: one bit each is kept with a visit.
pub const OVERFLOW_RULES: usize = 16;
/// Times one conversation is led out of queues by rule; then it stays where it is, because the rules lead in circles.
pub const OVERFLOWS_PER_CONVERSATION: u8 = 10;
/// Comfort announcements of one queue.
pub const COMFORT_PROMPTS: usize = 20;
/// Shortest pause between announcements: below, nobody hears the music.
pub const ANNOUNCE_MIN: Millis = Millis::from_secs(10);
/// Longest time a queue stays closed by hand before it opens by itself, where a time is given.
pub const CLOSED_MAX: Millis = Millis::from_secs(400 * 86_400);
/// Messages kept in one mailbox at most.
pub const MESSAGES_PER_MAILBOX: u32 = 1_000;
/// Messages kept in one tenant: each is part of every snapshot.
pub const MESSAGES_PER_TENANT: usize = 20_000;
/// Longest message.
pub const MESSAGE_MAX: Millis = Millis::from_secs(600);
/// Longest time a message is kept.
pub const MESSAGE_KEEP_MAX: Millis = Millis::from_secs(400 * 86_400);
/// Open callbacks in one tenant: each may become a conversation.
pub const CALLBACKS_PER_TENANT: usize = 10_000;
/// Most attempts of one callback: more is a nuisance.
pub const CALLBACK_ATTEMPTS: u8 = 10;
/// Shortest and longest time between attempts.
pub const CALLBACK_GAP: std::ops::RangeInclusive<Millis> = Millis::from_secs(60)..=Millis::from_secs(86_400);
/// How far ahead a callback can be scheduled.
pub const CALLBACK_AHEAD_MAX: Millis = Millis::from_secs(60 * 86_400);
/// How long a callback stands in line; then nobody expects it any more.
pub const CALLBACK_WAIT_MAX: Millis = Millis::from_secs(3 * 86_400);
/// How long a callback of a queue waits that is closed until further notice, before the queue is looked at again.
pub const CALLBACK_POSTPONED: Millis = Millis::from_secs(900);
/// How long after asking for it a customer is called at the earliest: the telephone has to be put down first.
pub const CALLBACK_AFTER: Millis = Millis::from_secs(10);
/// How long a customer may think about the number to be called; the question itself takes about a third of it.
pub const CALLBACK_QUESTION: Millis = Millis::from_secs(40);
/// Digits of a number that a customer types (ITU-T E.164 §6).
pub const CALLBACK_DIGITS: usize = 15;
/// Documents of opening hours in one tenant.
pub const HOURS_PER_TENANT: usize = 1_000;
/// Sets of holidays in one tenant.
pub const HOLIDAY_SETS_PER_TENANT: usize = 200;
/// Days in one set of holidays: ten years of a country with many.
pub const HOLIDAYS_PER_SET: usize = 500;
/// Sets of holidays that one document of opening hours names.
pub const HOLIDAY_SETS_PER_HOURS: usize = 10;
/// Exceptions in one document of opening hours.
pub const EXCEPTIONS_PER_HOURS: usize = 200;
/// Longest exception, and longest event of a calendar, in days.
pub const EXCEPTION_DAYS: i32 = 366;
/// Spans of one day.
pub const SPANS_PER_DAY: usize = 12;
/// How far ahead the next change of opening hours is looked for, in days: more than a year, and still quick to walk through.
pub const HOURS_DAYS_AHEAD: usize = 400;
/// Largest calendar taken over, in bytes.
pub const CALENDAR_BYTES: usize = 1_024 * 1_024;
/// Call flows in one tenant.
pub const FLOWS_PER_TENANT: usize = 500;
/// Nodes of one flow: more than anybody can overlook in one picture.
pub const FLOW_NODES: usize = 200;
/// Variables of one flow; each is kept with every call in it.
pub const FLOW_VARIABLES: usize = 50;
/// Largest value of a variable, in bytes.
pub const FLOW_VALUE_BYTES: usize = 4_096;
/// Languages one prompt of a flow speaks.
pub const FLOW_LANGUAGES: usize = 20;
/// How long after a key of a private answer another one still belongs to it, though it is complete: longer than between two keys
/// of somebody who types a number, shorter than to listen to what follows.
pub const PRIVATE_HUSH: Millis = Millis::from_secs(2);
/// Conditions of one branch.
pub const FLOW_CASES: usize = 20;
/// Nodes one call may come to in one flow; more is a loop that never waits, or a caller who plays.
pub const FLOW_STEPS: u32 = 200;
/// How long one call may stay in one flow: nobody listens to a machine for longer.
pub const FLOW_MAX: Millis = Millis::from_secs(1_200);
/// Times one conversation may enter a flow; more is flows and queues that lead to each other.
pub const FLOWS_PER_CONVERSATION: u8 = 20;
/// Attempts at one question.
pub const ASK_ATTEMPTS: u8 = 10;
/// Shortest and longest wait for a key.
pub const ASK_WAIT: std::ops::RangeInclusive<Millis> = Millis(500)..=Millis::from_secs(60);
/// Services that flows of one tenant ask.
pub const SERVICES_PER_TENANT: usize = 100;
/// Longest path asked of a service, and longest place in its answer, in bytes.
pub const SERVICE_PATH_BYTES: usize = 500;
/// Shortest and longest wait for a service's answer: a caller hears nothing meanwhile.
pub const SERVICE_LIMIT: std::ops::RangeInclusive<Millis> = Millis(500)..=Millis::from_secs(20);
/// Keys of one answer: an IBAN's digits fit.
pub const ANSWER_KEYS: u8 = 40;

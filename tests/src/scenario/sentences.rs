//! The sentences scenarios are made of, and what each does or expects.
//!
//! `@agent:`, `@queue:`, `@call:` and `@leg:` in a command stand for the id of the agent or queue of that name, of the conversation
//! the named person is in, and of that person's leg.

use super::stage::{Counts, Score, Sound, Stage};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// What a sentence does on a stage, with what its pattern leaves open.
pub type Act = fn(&mut dyn Stage, &[&str]) -> Result<()>;

/// What is set up and done: pattern and meaning. The first that matches counts, before [`EXPECTATIONS`].
pub const ACTS: &[(&str, Act)] = &[
    // What is set up.
    ("a queue {} with the number {}", |stage, v| {
        stage.set("queue", v[0], "name", json!(v[0]))?;
        stage.set("number", v[1], "target", json!({ "kind": "queue", "id": format!("@queue:{}", v[0]) }))
    }),
    ("the number {} leads to {}", |stage, v| {
        stage.set("number", v[0], "target", json!({ "kind": "agent", "id": format!("@agent:{}", v[1]) }))
    }),
    ("a flow {} reached by the number {}", |stage, v| {
        let nodes = json!({ "start": { "kind": "hang_up" } });
        stage.set("flow", v[0], "nodes", nodes)?;
        stage.set("number", v[1], "target", json!({ "kind": "flow", "id": format!("@flow:{}", v[0]) }))
    }),
    ("the flow {} asks {} with the key {} for {} and the key {} for {}", |stage, v| {
        let nodes = json!({
            "start": { "kind": "menu", "says": says(v[1]), "keys": { v[2]: "first", v[4]: "second" }, "otherwise": "bye" },
            "first": waits_for(v[3]),
            "second": waits_for(v[5]),
            "bye": { "kind": "hang_up", "says": says("Goodbye.") },
        });
        stage.set("flow", v[0], "nodes", nodes)
    }),
    ("the flow {} asks {} for a number of {} keys and says {}", |stage, v| {
        stage.set("flow", v[0], "variables", json!({ "answer": { "kind": "string" } }))?;
        let question = json!({ "kind": "collect", "says": says(v[1]), "into": "answer", "most": number(v[2])?,
            "least": number(v[2])?, "next": "told", "otherwise": "bye" });
        let nodes = json!({
            "start": question,
            "told": { "kind": "say", "says": says(v[3]), "next": "bye" },
            "bye": { "kind": "hang_up", "says": says("Goodbye.") },
        });
        stage.set("flow", v[0], "nodes", nodes)
    }),
    ("the flow {} hands callers to {} and else lets them wait for {}", |stage, v| {
        let transfer = json!({ "kind": "transfer", "to": { "kind": "agent", "to": agent(v[1]) }, "otherwise": "else" });
        stage.set("flow", v[0], "nodes", json!({ "start": transfer, "else": waits_for(v[2]) }))
    }),
    ("the flow {} asks to rate {} with the words {}", |stage, v| {
        let nodes = json!({
            "start": { "kind": "survey", "question": v[1], "says": says(v[2]), "next": "bye", "otherwise": "bye" },
            "bye": { "kind": "hang_up", "says": says("Thank you.") },
        });
        stage.set("flow", v[0], "nodes", nodes)
    }),
    ("{} sends customers to the flow {} when the agent has hung up", |stage, v| {
        stage.set("queue", v[0], "calls", json!({ "after_talk": format!("@flow:{}", v[1]) }))
    }),
    ("a service {}", |stage, v| stage.set("service", v[0], "name", json!(v[0]))),
    ("the flow {} asks the service {} for {} and says {} or else lets callers wait for {}", |stage, v| {
        stage.set("flow", v[0], "variables", json!({ "answer": { "kind": "string" } }))?;
        let question = json!({ "kind": "ask_service", "service": format!("@service:{}", v[1]), "path": v[2],
            "take": { "answer": "/answer" }, "next": "told", "failed": "else" });
        let told = json!({ "kind": "say", "says": says(v[3]), "next": "else" });
        stage.set("flow", v[0], "nodes", json!({ "start": question, "told": told, "else": waits_for(v[4]) }))
    }),
    ("the flow {} asks {} privately for a number of {} keys, sends it to the service {} and says {}", |stage, v| {
        let variables = json!({ "secret": { "kind": "string" }, "answer": { "kind": "string" } });
        stage.set("flow", v[0], "variables", variables)?;
        let question = json!({ "kind": "collect", "private": true, "says": says(v[1]), "into": "secret", "most": number(v[2])?,
            "least": number(v[2])?, "next": "ask", "otherwise": "bye" });
        let ask = json!({ "kind": "ask_service", "service": format!("@service:{}", v[3]), "method": "post", "path": "/secrets",
            "send": { "secret": "secret" }, "take": { "answer": "/answer" }, "next": "told", "failed": "bye" });
        let nodes = json!({
            "start": question,
            "ask": ask,
            "told": { "kind": "say", "says": says(v[4]), "next": "bye" },
            "bye": { "kind": "hang_up", "says": says("Goodbye.") },
        });
        stage.set("flow", v[0], "nodes", nodes)
    }),
    ("the number {} greets with {}", |stage, v| stage.set("number", v[0], "greeting", text(v[1]))),
    ("the number {} asks for {} at level {}", |stage, v| {
        stage.set("skill", v[1], "name", json!(v[1]))?;
        stage.set("number", v[0], "skills", json!([{ "skill": format!("@skill:{}", v[1]), "level": number(v[2])? }]))
    }),
    ("{} serves {}", |stage, v| {
        stage.set("agent", v[0], "queues", json!([format!("@queue:{}", v[1])]))?;
        stage.sign_in(v[0])
    }),
    ("{} serves {} and {}", |stage, v| {
        stage.set("agent", v[0], "queues", json!([format!("@queue:{}", v[1]), format!("@queue:{}", v[2])]))?;
        stage.sign_in(v[0])
    }),
    ("callers who want {} wait in {}", |stage, v| stage.set("agent", v[0], "personal", json!(format!("@queue:{}", v[1])))),
    ("{}'s telephone asks for a key with {}", |stage, v| stage.set("agent", v[0], "confirm", text(v[1]))),
    ("{} works for {} at {}", |stage, v| stage.set("agent", v[0], "profiles", json!({ v[2]: [format!("@queue:{}", v[1])] }))),
    ("{} chooses {}", |stage, v| ask(stage, v[0], json!({ "type": "choose_profile", "agent": agent(v[0]), "profile": v[1] }))),
    ("{} works for everybody again", |stage, v| ask(stage, v[0], json!({ "type": "choose_profile", "agent": agent(v[0]) }))),
    ("{} cannot choose {}", |stage, v| {
        refused(ask(stage, v[0], json!({ "type": "choose_profile", "agent": agent(v[0]), "profile": v[1] })))
    }),
    ("{} answers {} chats at once", |stage, v| {
        let share = json!({ "at_once": number(v[1])?, "during_calls": false, "calls_interrupt": true });
        stage.set("agent", v[0], "channels", json!({ "chat": share }))
    }),
    ("{} answers {} chats at once, undisturbed by calls", |stage, v| {
        let share = json!({ "at_once": number(v[1])?, "during_calls": false, "calls_interrupt": false });
        stage.set("agent", v[0], "channels", json!({ "chat": share }))
    }),
    ("{} may supervise", |stage, v| stage.set("agent", v[0], "supervises", json!(true))),
    ("{} knows {} at level {}", |stage, v| {
        stage.set("skill", v[1], "name", json!(v[1]))?;
        stage.set("agent", v[0], "skills", json!({ format!("@skill:{}", v[1]): number(v[2])? }))
    }),
    ("{} rings for {} seconds", |stage, v| stage.set("queue", v[0], "ring", json!(number(v[1])? * 1000))),
    ("{} takes at most {} waiting", |stage, v| stage.set("queue", v[0], "max_waiting", json!(number(v[1])?))),
    ("{} lets nobody wait longer than {} seconds", |stage, v| stage.set("queue", v[0], "max_wait", json!(number(v[1])? * 1000))),
    ("{} allows {} seconds of wrap-up", |stage, v| {
        stage.set("queue", v[0], "wrap_up", json!({ "kind": "timed", "duration": number(v[1])? * 1000 }))
    }),
    ("{} allows wrap-up until it is finished", |stage, v| stage.set("queue", v[0], "wrap_up", json!({ "kind": "until_finished" }))),
    ("{} allows {} seconds of wrap-up and {} more", |stage, v| {
        stage.set("queue", v[0], "wrap_up", json!({ "kind": "timed", "duration": number(v[1])? * 1000 }))?;
        stage.set("queue", v[0], "agents", json!({ "wrap_up": { "extension": number(v[2])? * 1000 } }))
    }),
    ("{} asks for {} or {} at the end, within {} seconds", |stage, v| {
        let codes = json!([{ "code": v[1], "label": v[1] }, { "code": v[2], "label": v[2] }]);
        stage.set("queue", v[0], "wrap_up", json!({ "kind": "until_finished" }))?;
        let rules = json!({ "dispositions": codes, "required": true, "longest": number(v[3])? * 1000 });
        stage.set("queue", v[0], "agents", json!({ "wrap_up": rules }))
    }),
    ("{} passes over who misses a call, and asks again after {} seconds", |stage, v| {
        let missed = json!({ "no_answer": { "kind": "pass_over" }, "ask_again": number(v[1])? * 1000 });
        stage.set("queue", v[0], "agents", json!({ "missed": missed }))
    }),
    ("{} lets who misses a call return after {} seconds", |stage, v| {
        stage.set("queue", v[0], "agents", json!({ "missed": { "ready_again": number(v[1])? * 1000 } }))
    }),
    ("{} signs out who misses a call", |stage, v| {
        stage.set("queue", v[0], "agents", json!({ "missed": { "no_answer": { "kind": "sign_out" } } }))
    }),
    ("{} makes nobody not ready before {} misses in a row", |stage, v| {
        let rule = json!({ "kind": "not_ready_after", "misses": number(v[1])? });
        stage.set("queue", v[0], "agents", json!({ "missed": { "no_answer": rule, "ask_again": 5_000 } }))
    }),
    ("{} leads to the queue {} after {} seconds", |stage, v| {
        let when = json!({ "kind": "waited", "after": number(v[2])? * 1000 });
        stage.set("queue", v[0], "waiting", overflow(when, queue(v[1])))
    }),
    ("{} leads to the queue {} when {} wait", |stage, v| {
        stage.set("queue", v[0], "waiting", overflow(json!({ "kind": "length", "at_least": number(v[2])? }), queue(v[1])))
    }),
    ("the key {} leads from {} to a callback", |stage, v| {
        stage.set("queue", v[1], "waiting", json!({ "keys": { v[0]: { "kind": "callback", "to": format!("@queue:{}", v[1]) } } }))
    }),
    ("{} calls back {} times, {} seconds apart", |stage, v| {
        stage.set("queue", v[0], "callbacks", json!({ "attempts": number(v[1])?, "gap": number(v[2])? * 1000 }))
    }),
    ("{} leads to the mailbox of the queue {} after {} seconds", |stage, v| {
        let when = json!({ "kind": "waited", "after": number(v[2])? * 1000 });
        stage.set("queue", v[0], "waiting", overflow(when, mailbox("queue", v[1])))
    }),
    ("the key {} leads from {} to the mailbox of the agent {}", |stage, v| {
        stage.set("queue", v[1], "waiting", json!({ "keys": { v[0]: mailbox("agent", v[2]) } }))
    }),
    ("the mailbox of {} greets with {} and takes {} seconds", |stage, v| {
        stage.set("queue", v[0], "voicemail", json!({ "greeting": text(v[1]), "longest": number(v[2])? * 1000 }))
    }),
    ("{} says {} when it is closed", |stage, v| {
        let message = json!({ "kind": "message", "to": text(v[1]) });
        stage.set("queue", v[0], "waiting", overflow(json!({ "kind": "closed" }), message))
    }),
    ("{} tells the place every {} seconds", |stage, v| {
        let announcements = json!({ "every": number(v[1])? * 1000, "position": true });
        stage.set("queue", v[0], "waiting", json!({ "announcements": announcements }))
    }),
    ("the key {} leads from {} to {}", |stage, v| stage.set("queue", v[1], "waiting", json!({ "keys": { v[0]: queue(v[2]) } }))),
    ("{} rings everybody at once", |stage, v| stage.set("queue", v[0], "routing", json!({ "strategy": "ring_all" }))),
    ("{} gives a failed transfer back for {} seconds", |stage, v| {
        stage.set("queue", v[0], "calls", json!({ "take_back": number(v[1])? * 1000 }))
    }),
    ("{} records from the answer", |stage, v| stage.set("queue", v[0], "recording", json!("from_answer"))),
    ("{} records from the first wait", |stage, v| stage.set("queue", v[0], "recording", json!("from_queue"))),
    ("callers from {} are not let in", |stage, v| {
        stage.set("caller_list", v[0], "treatment", json!({ "kind": "block" }))?;
        stage.set("caller_list", v[0], "callers", json!({ v[0]: "" }))
    }),
    ("callers from {} have at least priority {}", |stage, v| {
        stage.set("caller_list", v[0], "treatment", json!({ "kind": "favor", "priority": number(v[1])? }))?;
        stage.set("caller_list", v[0], "callers", json!({ v[0]: "" }))
    }),
    ("{} goes by the hours {}, who are open around the clock", |stage, v| {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let week: serde_json::Map<_, _> = days.iter().map(|day| ((*day).to_owned(), json!([{ "from": "00:00", "to": "24:00" }]))).collect();
        stage.set("hours", v[1], "week", Value::Object(week))?;
        stage.set("queue", v[0], "waiting", json!({ "hours": format!("@hours:{}", v[1]) }))
    }),
    // What people do.
    ("{} calls {} from {}", |stage, v| stage.dial(v[0], v[1], Some(v[2]))),
    ("{} calls {}", |stage, v| stage.dial(v[0], v[1], None)),
    ("{} answers", |stage, v| stage.answer(v[0])),
    ("{} declines", |stage, v| stage.decline(v[0])),
    ("{} hangs up", |stage, v| stage.hang_up(v[0])),
    ("{}'s connection breaks", |stage, v| stage.lose(v[0])),
    ("{} presses {}", |stage, v| stage.press(v[0], v[1])),
    ("{} closes {} because of {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "close_queue", "queue": format!("@queue:{}", v[1]), "reason": v[2] }))
    }),
    ("{} opens {}", |stage, v| ask(stage, v[0], json!({ "type": "open_queue", "queue": format!("@queue:{}", v[1]) }))),
    ("{} switches the hours {} to closed", |stage, v| {
        let to = json!({ "kind": "forced_closed" });
        ask(stage, v[0], json!({ "type": "set_hours_override", "hours": format!("@hours:{}", v[1]), "to": to }))
    }),
    ("{} leaves the hours {} to the clock", |stage, v| {
        let to = json!({ "kind": "automatic" });
        ask(stage, v[0], json!({ "type": "set_hours_override", "hours": format!("@hours:{}", v[1]), "to": to }))
    }),
    ("{} gives {} the priority {}", |stage, v| {
        let conversation = format!("@call:{}", v[1]);
        ask(stage, v[0], json!({ "type": "set_priority", "conversation": conversation, "priority": number(v[2])? }))
    }),
    ("{} tells everybody in {} {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "set_notice", "queue": format!("@queue:{}", v[1]), "notice": text(v[2]) }))
    }),
    ("{} hears it to the end", |stage, v| stage.hear_out(v[0])),
    ("{} answers {} to the flow", |stage, v| stage.service_answers(v[0], Some(json!({ "answer": v[1] })))),
    ("{} cannot be reached by the flow", |stage, v| stage.service_answers(v[0], None)),
    ("{} seconds pass", |stage, v| stage.pass(Duration::from_secs(number(v[0])?))),
    ("{} holds", |stage, v| ask_about(stage, v[0], "hold", json!({}))),
    ("{} takes the customer back", |stage, v| ask_about(stage, v[0], "resume", json!({}))),
    ("{} transfers to the queue {}", |stage, v| ask_about(stage, v[0], "transfer", to("queue", v[1]))),
    ("{} transfers to the agent {}", |stage, v| ask_about(stage, v[0], "transfer", to("agent", v[1]))),
    ("{} transfers to the number {}", |stage, v| ask_about(stage, v[0], "transfer", to("number", v[1]))),
    ("{} transfers to the person {}", |stage, v| ask_about(stage, v[0], "transfer", to("person", v[1]))),
    ("{} consults the person {}", |stage, v| ask_about(stage, v[0], "consult", to("person", v[1]))),
    ("{} pulls {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "pull", "conversation": format!("@call:{}", v[1]), "agent": agent(v[0]) }))
    }),
    ("{} cannot pull {}", |stage, v| {
        let command = json!({ "type": "pull", "conversation": format!("@call:{}", v[1]), "agent": agent(v[0]) });
        ensure!(ask(stage, v[0], command).is_err(), "it was not refused");
        Ok(())
    }),
    ("{} puts the customer back in line", |stage, v| ask_about(stage, v[0], "requeue", json!({ "keep_wait": true }))),
    ("{} puts the customer at the end of the line", |stage, v| ask_about(stage, v[0], "requeue", json!({}))),
    ("{} consults the queue {}", |stage, v| ask_about(stage, v[0], "consult", to("queue", v[1]))),
    ("{} consults the agent {}", |stage, v| ask_about(stage, v[0], "consult", to("agent", v[1]))),
    ("{} consults the number {}", |stage, v| ask_about(stage, v[0], "consult", to("number", v[1]))),
    ("{} turns to the other one", |stage, v| ask_about(stage, v[0], "swap_consult", json!({}))),
    ("{} hands over", |stage, v| ask_about(stage, v[0], "complete_consult", json!({}))),
    ("{} brings everybody together", |stage, v| ask_about(stage, v[0], "merge_consult", json!({}))),
    ("{} lets {} go", |stage, v| ask_about(stage, v[0], "drop_party", json!({ "leg": format!("@leg:{}", v[1]) }))),
    ("{} listens to {}", |stage, v| {
        let command = json!({ "type": "supervise", "conversation": format!("@call:{}", v[1]), "agent": agent(v[0]) });
        ask(stage, v[0], command)
    }),
    ("{} cannot listen to {}", |stage, v| {
        let command = json!({ "type": "supervise", "conversation": format!("@call:{}", v[1]), "agent": agent(v[0]) });
        ensure!(ask(stage, v[0], command).is_err(), "it was not refused");
        Ok(())
    }),
    ("{} whispers", |stage, v| ask_about(stage, v[0], "change_supervision", json!({ "agent": agent(v[0]), "mode": "whisper" }))),
    ("{} barges in", |stage, v| ask_about(stage, v[0], "change_supervision", json!({ "agent": agent(v[0]), "mode": "barge" }))),
    ("{} only listens again", |stage, v| ask_about(stage, v[0], "change_supervision", json!({ "agent": agent(v[0]), "mode": "listen" }))),
    ("{} stops supervising", |stage, v| ask_about(stage, v[0], "end_supervision", json!({ "agent": agent(v[0]) }))),
    ("{} takes over", |stage, v| ask_about(stage, v[0], "take_over", json!({ "agent": agent(v[0]) }))),
    ("{} goes back to the customer", |stage, v| ask_about(stage, v[0], "cancel_consult", json!({}))),
    ("{} starts recording", |stage, v| ask_about(stage, v[0], "start_recording", json!({}))),
    ("{} stops recording", |stage, v| ask_about(stage, v[0], "stop_recording", json!({}))),
    ("{} pauses the recording", |stage, v| ask_about(stage, v[0], "pause_recording", json!({}))),
    ("{} pauses the recording securely", |stage, v| ask_about(stage, v[0], "pause_recording", json!({ "secure": true }))),
    ("{} resumes the recording", |stage, v| ask_about(stage, v[0], "resume_recording", json!({}))),
    ("{} writes a chat to {}", |stage, v| {
        let customer = json!({ "number": null, "name": v[0] });
        let letter = json!({ "conversation": written(v[0]), "channel": "chat", "queue": format!("@queue:{}", v[1]), "customer": customer });
        ask(stage, "Chat", json!({ "type": "open_written", "letter": letter }))
    }),
    ("{} takes the chat of {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "take_written", "conversation": written(v[1]), "agent": agent(v[0]) }))
    }),
    ("{} cannot take the chat of {}", |stage, v| {
        refused(ask(stage, v[0], json!({ "type": "take_written", "conversation": written(v[1]), "agent": agent(v[0]) })))
    }),
    ("{} closes the chat of {}", |stage, v| ask(stage, v[0], json!({ "type": "close_written", "conversation": written(v[1]) }))),
    ("{} moves the chat of {} to {}", |stage, v| {
        let queue = format!("@queue:{}", v[2]);
        ask(stage, v[0], json!({ "type": "move_written", "conversation": written(v[1]), "queue": queue }))
    }),
    ("{} leaves the chat", |stage, v| {
        ask(stage, "Chat", json!({ "type": "close_written", "conversation": written(v[0]), "by_customer": true }))
    }),
    ("{} takes a break for {}", |stage, v| {
        let availability = json!({ "state": "not_ready", "reason": v[1] });
        ask(stage, v[0], json!({ "type": "set_availability", "agent": agent(v[0]), "availability": availability }))
    }),
    ("{} asks for a callback from {} to {}", |stage, v| {
        let party = json!({ "number": v[2], "name": null });
        ask(stage, v[0], json!({ "type": "request_callback", "queue": format!("@queue:{}", v[1]), "party": party }))
    }),
    ("{} has heard the oldest message of {}", |stage, v| stage.mark(v[0], v[1], "heard")),
    ("{} has done what the oldest message of {} asks for", |stage, v| stage.mark(v[0], v[1], "done")),
    ("{} becomes ready", |stage, v| {
        ask(stage, v[0], json!({ "type": "set_availability", "agent": agent(v[0]), "availability": { "state": "ready" } }))
    }),
    ("{} finishes wrap-up with {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "finish_wrap_up", "agent": agent(v[0]), "disposition": v[1] }))
    }),
    ("{} plans to go home", |stage, v| ask(stage, v[0], json!({ "type": "plan_duty", "agent": agent(v[0]), "duty": "signed_out" }))),
    ("{} signs out of {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "sign_out_of_queue", "agent": agent(v[0]), "queue": format!("@queue:{}", v[1]) }))
    }),
    ("{} signs into {}", |stage, v| {
        ask(stage, v[0], json!({ "type": "sign_into_queue", "agent": agent(v[0]), "queue": format!("@queue:{}", v[1]) }))
    }),
    ("{} takes longer for wrap-up", |stage, v| ask(stage, v[0], json!({ "type": "extend_wrap_up", "agent": agent(v[0]) }))),
    ("{} notes {}", |stage, v| ask(stage, v[0], json!({ "type": "set_disposition", "agent": agent(v[0]), "disposition": v[1] }))),
    ("{} cannot take longer for wrap-up", |stage, v| refused(ask(stage, v[0], json!({ "type": "extend_wrap_up", "agent": agent(v[0]) })))),
    ("{} cannot finish wrap-up without a word", |stage, v| {
        refused(ask(stage, v[0], json!({ "type": "finish_wrap_up", "agent": agent(v[0]) })))
    }),
    ("{} cannot note {}", |stage, v| {
        refused(ask(stage, v[0], json!({ "type": "set_disposition", "agent": agent(v[0]), "disposition": v[1] })))
    }),
    ("{} cannot transfer to the agent {}", |stage, v| refused(ask_about(stage, v[0], "transfer", to("agent", v[1])))),
];

/// What is expected; looking twice changes nothing.
pub const EXPECTATIONS: &[(&str, Act)] = &[
    ("{}'s telephone rings", |stage, v| {
        ensure!(stage.rings(v[0]), "it does not ring; {} is {}", v[0], stage.occupation(v[0]).unwrap_or_default());
        Ok(())
    }),
    ("{}'s telephone does not ring", |stage, v| {
        ensure!(!stage.rings(v[0]), "it rings");
        Ok(())
    }),
    ("{} and {} hear each other", |stage, v| {
        hears(stage, v[0], [Sound::Person(v[1].to_owned())])?;
        hears(stage, v[1], [Sound::Person(v[0].to_owned())])
    }),
    ("{} is sent the number {} and nothing that is kept says it", |stage, v| {
        expect("sent", stage.service_sent(v[0]), Some(v[1].to_owned()))?;
        ensure!(!stage.is_kept(v[1])?, "{} is kept", v[1]);
        Ok(())
    }),
    ("{} is asked for {}", |stage, v| expect("asked for", stage.service_asked(v[0]), Some(v[1].to_owned()))),
    ("{} hears music", |stage, v| hears(stage, v[0], [Sound::Music])),
    ("{} hears the ringing tone", |stage, v| hears(stage, v[0], [Sound::Ringback])),
    ("{} hears the tone", |stage, v| hears(stage, v[0], [Sound::Tone])),
    ("{} hears nothing", |stage, v| hears(stage, v[0], [])),
    ("{} hears the text {}", |stage, v| hears(stage, v[0], [Sound::Text(v[1].to_owned())])),
    ("{} hears {} and {}", |stage, v| hears(stage, v[0], [v[1], v[2]].map(|name| Sound::Person(name.to_owned())))),
    ("{} hears only {}", |stage, v| hears(stage, v[0], [Sound::Person(v[1].to_owned())])),
    ("the chat of {} is offered to {}", |stage, v| expect("place", stage.written_place(v[0]), Some(format!("offered to {}", v[1])))),
    ("the chat of {} is with {}", |stage, v| expect("place", stage.written_place(v[0]), Some(format!("with {}", v[1])))),
    ("the chat of {} waits in {}", |stage, v| expect("place", stage.written_place(v[0]), Some(format!("waits in {}", v[1])))),
    ("the chat of {} is over", |stage, v| expect("place", stage.written_place(v[0]), None)),
    ("{} waits in {}", |stage, v| expect("waits in", stage.waits_in(v[0]), Some(v[1].to_owned()))),
    ("{} is on hold", |stage, v| expect("place", stage.place(v[0]), Some("hold".to_owned()))),
    ("{} leaves a message", |stage, v| expect("place", stage.place(v[0]), Some("voicemail".to_owned()))),
    ("{} has {} open callbacks", |stage, v| expect("callbacks", stage.callbacks(v[0]), usize::try_from(number(v[1])?)?)),
    ("the mailbox of {} holds {} new of {} messages", |stage, v| {
        expect("messages", stage.messages(v[0]), (usize::try_from(number(v[1])?)?, usize::try_from(number(v[2])?)?))
    }),
    ("{} is rated in {} with {} of {}", |stage, v| {
        let given = Score { question: v[1].to_owned(), score: number(v[2])?, most: number(v[3])? };
        expect("score", stage.scores_of(v[0]), vec![given])
    }),
    ("{} has left", |stage, v| {
        expect("place", stage.place(v[0]), None)?;
        expect("hears", stage.hears(v[0]), None)
    }),
    ("{} is signed out", |stage, v| expect("duty", stage.duty(v[0]), Some("signed_out".to_owned()))),
    ("{} is in wrap-up", |stage, v| expect("occupation", stage.occupation(v[0]), Some("wrap_up".to_owned()))),
    ("{} is ready and idle", |stage, v| {
        expect("availability", stage.availability(v[0]), Some("ready".to_owned()))?;
        expect("occupation", stage.occupation(v[0]), Some("idle".to_owned()))
    }),
    ("{} is not ready because of {}", |stage, v| expect("availability", stage.availability(v[0]), Some(v[1].to_owned()))),
    ("{} is recorded", |stage, v| expect("recorded", stage.is_recorded(v[0]), true)),
    ("{} is not recorded", |stage, v| expect("recorded", stage.is_recorded(v[0]), false)),
    ("{} counts {} offered, {} answered, {} abandoned, {} moved on", |stage, v| {
        let expected = Counts { offered: number(v[1])?, answered: number(v[2])?, abandoned: number(v[3])?, flow_out: number(v[4])? };
        expect("counts", stage.counts(v[0]), expected)
    }),
];

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("\"{text}\" is not a whole number"))
}

fn text(words: &str) -> Value {
    json!({ "kind": "text", "text": words, "language": "en" })
}

fn says(words: &str) -> Value {
    json!({ "prompt": text(words) })
}

/// The node of a flow that lets the caller wait.
fn waits_for(name: &str) -> Value {
    json!({ "kind": "queue", "queue": format!("@queue:{name}") })
}

fn queue(name: &str) -> Value {
    json!({ "kind": "queue", "to": format!("@queue:{name}") })
}

fn mailbox(kind: &str, name: &str) -> Value {
    json!({ "kind": "voicemail", "to": { "kind": kind, "id": format!("@{kind}:{name}") } })
}

fn overflow(when: Value, to: Value) -> Value {
    json!({ "overflow": [{ "when": when, "to": to }] })
}

/// The conversation in writing of somebody.
fn written(name: &str) -> String {
    format!("@written:{name}")
}

fn agent(name: &str) -> String {
    format!("@agent:{name}")
}

fn to(kind: &str, id: &str) -> Value {
    let id = if ["number", "person"].contains(&kind) { id.to_owned() } else { format!("@{kind}:{id}") };
    json!({ "to": { "kind": kind, "id": id } })
}

fn ask(stage: &mut dyn Stage, by: &str, command: Value) -> Result<()> {
    stage.ask(by, command)
}

/// A command about the conversation that `by` is in.
fn ask_about(stage: &mut dyn Stage, by: &str, kind: &str, mut fields: Value) -> Result<()> {
    fields["type"] = json!(kind);
    fields["conversation"] = json!(format!("@call:{by}"));
    stage.ask(by, fields)
}

fn refused(answer: Result<()>) -> Result<()> {
    ensure!(answer.is_err(), "it was not refused");
    Ok(())
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Result<()> {
    if is == should {
        return Ok(());
    }
    bail!("{what}: is {is:?}, should be {should:?}");
}

fn hears(stage: &dyn Stage, person: &str, sounds: impl IntoIterator<Item = Sound>) -> Result<()> {
    expect(&format!("{person} hears"), stage.hears(person), Some(sounds.into_iter().collect::<BTreeSet<_>>()))
}

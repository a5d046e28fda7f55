//! Conversations, recordings and figures of the past.

use super::{
    past::{BEGIN, Past},
    server::Server,
};
use dreiklang_core::stats::{FIGURES, Kind, LIVE, MISSING};
use dreiklang_server::auth::Role;
use reqwest::Method;
use serde_json::json;

const HOUR: i64 = 3_600_000;

/// One call answered after 12 s and talked for 60 s, one abandoned after 30 s.
async fn a_day() -> (Server, String, String) {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    server
        .put(
            &format!("/queues/{queue}"),
            json!({ "name": "Support", "recording": "from_answer", "wrap_up": { "kind": "timed", "duration_ms": 5000 } }),
        )
        .await
        .ok();
    let ada = agent.clone();
    let server = server
        .restart(async move |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            past.ready(&ada);
            let customer = past.arrive("+4930111", "+49302000");
            let phone = past.dialed();
            past.pass(12);
            past.answer(phone);
            past.pass(60);
            past.hang_up(customer);
            past.recorded("recording.wav");
            past.pass(5);
            past.not_ready(&ada);
            past.pass(60);
            let customer = past.arrive("+4930222", "+49302000");
            past.pass(30);
            past.hang_up(customer);
            past.write(store, tenant).await;
        })
        .await;
    (server, queue, agent)
}

#[tokio::test]
async fn a_report_shows_figures_with_their_formulas_and_balances() {
    let (server, queue, agent) = a_day().await;
    let report = server.get(&format!("/reports/queues?from={BEGIN}&to={}", BEGIN + HOUR)).await.ok();
    let row = &report["rows"][0];
    assert_eq!((row["id"].as_str(), row["name"].as_str()), (Some(queue.as_str()), Some("Support")));
    let row = &row["figures"];
    assert_eq!((&row["offered"], &row["answered"], &row["abandoned"], &row["residual"]), (&json!(2), &json!(1), &json!(1), &json!(0)));
    assert_eq!(
        (&row["service_level"], &row["abandon_rate"], &row["average_speed_of_answer"]),
        (&json!(0.5), &json!(0.5), &json!(12_000.0))
    );
    assert_eq!(
        (&row["handled"], &row["average_talk"], &row["average_wrap_up"], &row["average_handle_time"]),
        (&json!(1), &json!(60_000.0), &json!(5_000.0), &json!(65_000.0))
    );
    assert_eq!(report["total"]["longest_wait"], 30_000);
    assert!(
        report["formulas"]
            .as_array()
            .unwrap()
            .iter()
            .any(|formula| formula["key"] == "service_level" && formula["formula"].as_str().unwrap().contains('÷'))
    );

    let quarters = server.get(&format!("/reports/queues?from={BEGIN}&to={}&interval=15m", BEGIN + HOUR)).await.ok();
    assert_eq!(quarters["rows"][0]["start"], BEGIN);
    let agents = server.get(&format!("/reports/agents?from={BEGIN}&to={}", BEGIN + HOUR)).await.ok();
    let row = &agents["rows"][0];
    assert_eq!((row["id"].as_str(), row["name"].as_str()), (Some(agent.as_str()), Some("Ada")));
    let row = &row["figures"];
    assert_eq!((&row["offers_accepted"], &row["handled"], &row["answer_rate"]), (&json!(1), &json!(1), &json!(1.0)));
    let states =
        ["off_duty_ms", "idle_ms", "offered_ms", "talking_ms", "consulting_ms", "supervising_ms", "wrap_up_ms", "not_ready_total_ms"];
    let sum: u64 = states.iter().map(|key| row[key].as_u64().unwrap()).sum();
    assert_eq!(row["signed_in_ms"].as_u64(), Some(sum), "an agent's states tile the time signed in");
    let timeline = server.get(&format!("/reports/agents/{agent}/timeline?from={BEGIN}&to={}", BEGIN + HOUR)).await.ok();
    let states: Vec<_> =
        timeline["stretches"].as_array().unwrap().iter().map(|stretch| stretch["occupation"].as_str().unwrap().to_owned()).collect();
    assert!(states.windows(3).any(|three| three == ["offered", "talking", "wrap_up"]), "{states:?}");
    server.get(&format!("/reports/queues?from={BEGIN}&to=0")).await.problem(422, "API-002");
    server.get("/reports/queues").await.problem(400, "API-001");
}

#[tokio::test]
async fn figures_are_told_by_number_and_line_by_day_and_threshold_and_as_a_table() {
    let (server, queue, _) = a_day().await;
    let during = format!("from={BEGIN}&to={}", BEGIN + HOUR);
    for path in ["numbers", "lines"] {
        let report = server.get(&format!("/reports/{path}?{during}")).await.ok();
        let row = &report["rows"][0];
        assert_eq!(
            (row["name"].as_str(), &row["figures"]["offered"]),
            (Some(if path == "lines" { "connected" } else { "+49302000" }), &json!(2))
        );
        assert_eq!(row["figures"]["conversations"], 2);
    }
    let level = async |query: &str| server.get(&format!("/reports/queues?{during}&{query}")).await.ok()["total"]["service_level"].clone();
    assert_eq!((level("within_s=10").await, level("within_s=15&denominator=answered").await), (json!(0.0), json!(1.0)));
    let day =
        server.get(&format!("/reports/queues?{during}&interval=day&time_zone=Europe/Berlin&attribution=spread&only={queue}")).await.ok();
    assert!(
        day["rows"][0]["start_local"].as_str().unwrap().ends_with("+02:00")
            || day["rows"][0]["start_local"].as_str().unwrap().ends_with("+01:00")
    );
    let resolved = server.get(&format!("/reports/queues?{during}&repeat_days=1")).await.ok();
    assert!(resolved["total"].get("first_contact_resolution").is_none(), "whether somebody calls again within a day cannot be said yet");

    let table = server.call(Method::GET, &format!("/reports/queues?{during}"), None, &[("accept", "text/csv")]).await;
    assert!(table.header("content-type").starts_with("text/csv"));
    let text = String::from_utf8(table.body).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = lines[0].iter().position(|name| *name == "offered").unwrap();
    assert_eq!((lines.len(), lines[1][2], lines[1][column]), (2, "Support", "2"));

    let catalogue = server.get("/reports/figures").await.ok();
    assert!(catalogue["figures"].as_array().unwrap().iter().all(|figure| !figure["formula"].as_str().unwrap().is_empty()));
    assert!(catalogue["missing"].as_array().unwrap().iter().any(|missing| missing["key"] == "adherence"));
    for wrong in ["within_s=7", "time_zone=Mars", "only=x", "repeat_days=200"] {
        server.get(&format!("/reports/queues?{during}&{wrong}")).await.problem(422, "API-002");
    }
}

#[tokio::test]
async fn what_was_used_is_listed_in_pages_and_as_a_table() {
    let (server, queue, agent) = a_day().await;
    let during = format!("from={BEGIN}&to={}", BEGIN + HOUR);
    let all = server.get(&format!("/reports/metering?{during}")).await.ok();
    let records = all["items"].as_array().unwrap();
    let units: Vec<_> = records.iter().map(|record| record["unit"].as_str().unwrap()).collect();
    assert_eq!(units.iter().filter(|unit| **unit == "connected").count(), 3, "two callers and a telephone: {all:#}");
    assert_eq!(units.iter().filter(|unit| **unit == "recorded").count(), 1);
    let telephone = records.iter().find(|record| record["role"] == "agent").unwrap();
    assert_eq!((telephone["agent"].as_str(), telephone["queue"].as_str()), (Some(agent.as_str()), Some(queue.as_str())));
    assert_eq!(
        (&telephone["quantity_ms"], &telephone["reach"], &telephone["line"]),
        (&json!(60_000), &json!("outside"), &json!("connected"))
    );
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/reports/metering?{during}&limit=1{cursor}")).await.ok();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, records);
    let table = server.get(&format!("/reports/metering?{during}&format=csv&limit=1")).await;
    assert_eq!(String::from_utf8_lossy(&table.body).lines().count(), 2);
    assert!(!table.header("x-next-cursor").is_empty());
    server.get(&format!("/reports/metering?{during}&cursor=x")).await.problem(422, "API-002");
}

#[tokio::test]
async fn a_conversation_is_found_with_everything_that_is_known_of_it() {
    let (server, queue, agent) = a_day().await;
    let list = server.get("/conversations").await.ok();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["outcome"].as_str().unwrap()).collect::<Vec<_>>(), ["abandoned", "answered"], "newest first");
    let first = server.get("/conversations?limit=1").await.ok();
    let next = first["next"].as_str().unwrap();
    assert_eq!(server.get(&format!("/conversations?limit=1&cursor={next}")).await.ok()["items"][0]["id"], items[1]["id"]);
    for (query, count) in
        [("outcome=answered", 1), ("number=4930222", 1), ("queue=".to_owned().as_str(), 0), ("recorded=true", 1), ("open=true", 0)]
    {
        let query = if query == "queue=" { format!("queue={queue}&agent={agent}") } else { query.to_owned() };
        let found = server.get(&format!("/conversations?{query}")).await.ok()["items"].as_array().unwrap().len();
        assert_eq!(found, if count == 0 && query.starts_with("queue") { 1 } else { count }, "{query}");
    }
    server.get("/conversations?cursor=x").await.problem(422, "API-002");
    server.get("/conversations?colour=red").await.problem(400, "API-001");

    let answered = items[1]["id"].as_str().unwrap();
    let details = server.get(&format!("/conversations/{answered}")).await.ok();
    assert_eq!((&details["wait_ms"], &details["talk_ms"], &details["caller_number"]), (&json!(12_000), &json!(60_000), &json!("+4930111")));
    assert_eq!(details["legs"].as_array().unwrap().len(), 2);
    assert_eq!((details["visits"][0]["outcome"].as_str(), details["offers"][0]["outcome"].as_str()), (Some("answered"), Some("accepted")));
    let segments = details["segments"].as_array().unwrap();
    for pair in segments.windows(2) {
        assert_eq!(pair[0]["to"], pair[1]["from"], "without gap or overlap");
    }
    let trace = server.get(&format!("/conversations/{answered}/trace?limit=3")).await.ok();
    assert_eq!(trace["events"][0]["type"], "conversation_started");
    let rest = server.get(&format!("/conversations/{answered}/trace?limit=500&after={}", trace["next"])).await.ok();
    assert!(rest["events"].as_array().unwrap().iter().any(|event| event["type"] == "conversation_ended"));
    server.get("/conversations/cnv_00000000000000000000000001").await.problem(404, "API-003");
    server.post(&format!("/conversations/{answered}/hold"), json!({})).await.problem(404, "API-003");
}

#[tokio::test]
async fn a_recording_is_played_in_parts_and_every_playback_is_noted() {
    let (server, ..) = a_day().await;
    let recordings = server.state.config().recordings_directory();
    std::fs::create_dir_all(&recordings).unwrap();
    std::fs::write(recordings.join("recording.wav"), b"RIFF and so on").unwrap();
    let conversation = server.get("/conversations?recorded=true").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let recording = server.get(&format!("/conversations/{conversation}")).await.ok()["recordings_made"][0].clone();
    assert_eq!((recording["status"].as_str(), recording["duration_ms"].as_u64()), (Some("finished"), Some(60_000)));
    let path = format!("/recordings/{}", recording["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.ok(), recording);
    let audio = server.get(&format!("{path}/audio")).await;
    assert_eq!((audio.status, audio.header("content-type"), audio.body.as_slice()), (200, "audio/wav", &b"RIFF and so on"[..]));
    let part = server.call(Method::GET, &format!("{path}/audio"), None, &[("range", "bytes=5-7")]).await;
    assert_eq!((part.status, part.header("content-range"), part.body.as_slice()), (206, "bytes 5-7/14", &b"and"[..]));
    let agent = server.token_for(&[Role::Agent]).await;
    server.send(server.client.get(server.url(&format!("/api/v1{path}/audio"))).bearer_auth(agent)).await.problem(403, "AUTH-004");
    let audit = server.get("/audit?limit=500").await.ok();
    let played: Vec<_> = audit["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "recording.played").collect();
    assert_eq!(played.len(), 1, "one line per playback, not per part");
    assert_eq!(played[0]["detail"]["conversation"], conversation.as_str());
    std::fs::remove_file(recordings.join("recording.wav")).unwrap();
    server.get(&format!("{path}/audio")).await.problem(404, "API-003");
}

/// The manual's tables are made from the catalogue: `UPDATE_GOLDEN=1` writes them.
#[test]
fn the_manual_says_what_the_code_computes() {
    use std::fmt::Write as _;
    let (begin, end) = ("<!-- begin: made from the catalogue -->\n", "<!-- end: made from the catalogue -->\n");
    let mut made = String::new();
    for (kind, title) in [(Kind::Queue, "Queues"), (Kind::Agent, "Agents"), (Kind::Number, "Numbers"), (Kind::Line, "Lines")] {
        write!(made, "\n## {title}\n\n| Key | Figure | Formula | Unit |\n|---|---|---|---|\n").unwrap();
        for figure in FIGURES.iter().filter(|figure| figure.of.contains(&kind)) {
            let formula = figure.formula.replace('|', "\\|");
            writeln!(made, "| `{}` | {} | {formula} | {} |", figure.key, figure.title, figure.unit.as_str()).unwrap();
        }
    }
    write!(made, "\n## At present\n\n| Key | Figure | Formula | Unit |\n|---|---|---|---|\n").unwrap();
    for figure in LIVE {
        writeln!(made, "| `{}` | {} | {} | {} |", figure.key, figure.title, figure.formula, figure.unit.as_str()).unwrap();
    }
    write!(made, "\n## Not computed\n\n| Figure | Formula | What the product would have to know |\n|---|---|---|\n").unwrap();
    for missing in MISSING {
        writeln!(made, "| {} | {} | {} |", missing.title, missing.formula, missing.needs).unwrap();
    }
    made.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/figures.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (head, rest) = page.split_once(begin).unwrap();
    let (found, tail) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{head}{begin}{made}{end}{tail}")).unwrap();
    } else {
        assert_eq!(found, made, "docs/figures.md is older than the catalogue; make it anew with UPDATE_GOLDEN=1");
    }
}

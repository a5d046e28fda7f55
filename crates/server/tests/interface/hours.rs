//! Opening hours: documents, the clock, the switch by hand, and calendars.

use super::server::Server;
use reqwest::Method;
use serde_json::json;

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n\
                        SUMMARY:Christmas\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

async fn calendar(server: &Server, id: &str, text: &str, kind: &str) -> super::server::Answer {
    let request = server.client.put(server.url(&format!("/api/v1/holidays/{id}/calendar"))).bearer_auth(&server.token);
    server.send(request.header("content-type", kind).header("if-match", "*").body(text.to_owned())).await
}

#[tokio::test]
async fn a_queue_goes_by_hours_that_are_named() {
    let server = Server::start().await;
    server.make("/holidays", json!({ "name": "Berlin", "days": [{ "date": "2026-12-25", "name": "Christmas", "yearly": true }] })).await;
    let all_day = json!([{ "from": "00:00", "to": "24:00" }]);
    let week = json!({ "monday": all_day, "tuesday": [{ "from": "09:00", "to": "12:00" }, { "from": "13:00", "to": "18:30" }] });
    let exception = json!({ "name": "Inventory", "first": "2026-01-02", "last": "2026-01-05" });
    let hours = json!({ "name": "Shop", "time_zone": "Europe/Berlin", "week": week, "exceptions": [exception], "holidays": ["Berlin"] });
    let id = server.make("/hours", hours).await;
    let read = server.get(&format!("/hours/{id}")).await.ok();
    assert_eq!(read["week"]["tuesday"][1], json!({ "from": "13:00", "to": "18:30" }));
    assert_eq!(read["exceptions"][0]["last"], "2026-01-05");
    server.make("/queues", json!({ "name": "Support", "waiting": { "hours": "Shop" } })).await;
    let goes_by = server.world(|world| world.queues().next().and_then(|queue| queue.settings.waiting.hours).map(|id| id.to_string()));
    assert_eq!(goes_by.await.as_deref(), Some(id.as_str()));
    let used = server.delete(&format!("/hours/{id}")).await.problem(422, "CORE-003");
    assert!(used["detail"].as_str().unwrap().contains("Support"), "{used}");
}

#[tokio::test]
async fn hours_that_do_not_hold_together_are_refused_with_the_field() {
    let server = Server::start().await;
    let hours = |extra: serde_json::Value| {
        let mut hours = json!({ "name": "Shop", "time_zone": "Europe/Berlin" });
        hours.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        hours
    };
    let zone = server.post("/hours", hours(json!({ "time_zone": "Europe/Atlantis" }))).await.problem(422, "CORE-003");
    assert_eq!(zone["field"], "time_zone");
    let late = json!({ "week": { "monday": [{ "from": "9", "to": "17:00" }] } });
    let late = server.post("/hours", hours(late)).await.problem(400, "API-001");
    assert!(late["detail"].as_str().unwrap().contains("is not a time of day"), "{late}");
    server.post("/hours", hours(json!({ "holidays": ["Nowhere"] }))).await.problem(422, "API-002");
}

#[tokio::test]
async fn a_supervisor_closes_against_the_clock_and_the_clock_goes_on() {
    let server = Server::start().await;
    let all_day = json!([{ "from": "00:00", "to": "24:00" }]);
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: serde_json::Map<_, _> = days.iter().map(|day| ((*day).to_owned(), all_day.clone())).collect();
    let id = server.make("/hours", json!({ "name": "Always", "time_zone": "UTC", "week": week })).await;
    let state = || async { server.get(&format!("/hours/{id}/state")).await.ok() };
    assert_eq!(state().await, json!({ "open": true, "because": "weekly", "switch": { "kind": "automatic" } }));
    let path = format!("/hours/{id}/switch");
    let switch = |to: serde_json::Value| server.call(Method::PUT, &path, Some(to), &[]);
    switch(json!({ "kind": "forced_closed", "until": 1 })).await.problem(422, "CORE-003");
    assert_eq!(switch(json!({ "kind": "forced_closed" })).await.status, 204);
    assert_eq!(state().await, json!({ "open": false, "because": "switched", "switch": { "kind": "forced_closed" } }));
    assert_eq!(switch(json!({ "kind": "automatic" })).await.status, 204);
    assert_eq!(state().await["because"], "weekly");
    server.get("/hours/hrs_00000000000000000000000009/state").await.problem(404, "API-003");
}

#[tokio::test]
async fn holidays_are_taken_from_a_calendar() {
    let server = Server::start().await;
    let id = server.make("/holidays", json!({ "name": "Berlin", "days": [{ "date": "2026-01-01", "name": "New Year" }] })).await;
    calendar(&server, &id, CALENDAR, "text/plain").await.problem(415, "API-010");
    let damaged = calendar(&server, &id, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "text/calendar").await.problem(422, "API-002");
    assert!(damaged["detail"].as_str().unwrap().contains("line 2"), "{damaged}");
    let taken = calendar(&server, &id, CALENDAR, "text/calendar; charset=utf-8").await.ok();
    let day = |date: &str| json!({ "date": date, "name": "Christmas", "yearly": true });
    assert_eq!(taken["days"], json!([day("2026-12-25"), day("2026-12-26")]));
    assert_eq!(server.world(|world| world.holidays().map(|set| set.days.len()).collect::<Vec<_>>()).await, [2]);
}

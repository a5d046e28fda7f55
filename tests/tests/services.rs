//! A call flow asks a web service of the organization in the middle of a call.

use anyhow::{Context as _, Result, ensure};
use dreiklang_lab::pstn::phone::{Config, Manner, Phone};
use dreiklang_tests::{contact_center::ContactCenter, tone_files::CALLER_HZ};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

const HOTLINE: &str = "+493099911";

/// A service that answers every question with this, and tells what it was asked.
async fn service(answer: Value) -> Result<(String, mpsc::Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/api", listener.local_addr()?);
    let (told, asked) = mpsc::channel(10);
    let body = answer.to_string();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = Vec::new();
            let mut part = [0_u8; 4_096];
            // Questions without a body end with an empty line.
            while !question.ends_with(b"\r\n\r\n") {
                match stream.read(&mut part).await {
                    Ok(length @ 1..) => question.extend_from_slice(&part[..length]),
                    _ => break,
                }
            }
            // Whoever has gone away needs no answer.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = told.send(String::from_utf8_lossy(&question).into_owned()).await;
        }
    });
    Ok((address, asked))
}

#[tokio::test]
async fn a_flow_asks_a_service_about_the_caller_and_goes_on_by_its_answer() -> Result<()> {
    let center = ContactCenter::open(json!({}), &[]).await?;
    let (address, mut asked) = service(json!({ "customer": { "rank": 7 } })).await?;
    let crm = json!({ "name": "CRM", "address": address, "headers": { "X-Key": "secret of the shop" } });
    center.request(Method::POST, "services", Some(crm)).await?;
    let flow = json!({
        "name": "Hotline",
        "nodes": {
            "start": { "kind": "ask_service", "service": "CRM", "path": "/customers/{caller}", "send": { "line": "line" },
                "take": { "rank": "/customer/rank" }, "next": "which", "failed": "bye" },
            "which": { "kind": "branch", "cases": [{ "when": "rank > 5", "to": "support" }], "otherwise": "bye" },
            "support": { "kind": "queue", "queue": center.queue },
            "bye": { "kind": "hang_up" },
        },
        "variables": { "rank": { "kind": "int" } },
        "fallback": { "kind": "hang_up" },
    });
    center.request(Method::POST, "flows", Some(flow)).await?;
    let number = json!({ "number": HOTLINE, "target": { "kind": "flow", "id": "Hotline" } });
    center.request(Method::POST, "numbers", Some(number)).await?;
    let config = Config {
        user: "+4930555111".to_owned(),
        password: None,
        server: center.server.sip,
        ip: [127, 0, 0, 1].into(),
        hz: CALLER_HZ,
        manner: Manner::Busy,
    };
    let caller = Phone::start(config).await.context("the caller's telephone cannot be set up")?;
    caller.call(HOTLINE).await;
    let conversation = center.wait_for_conversation("the visit", |conversation| conversation["visits"][0].is_object()).await?;
    let question = asked.recv().await.context("the service is asked")?;
    ensure!(question.starts_with("GET /api/customers/%2B4930555111?line=connected HTTP/1.1\r\n"), "{question}");
    let question = question.to_ascii_lowercase();
    ensure!(question.contains("x-key: secret of the shop\r\n") && question.contains("idempotency-key: act_"), "{question}");
    let id = conversation["id"].as_str().unwrap_or_default();
    let trace = center.request(Method::GET, &format!("conversations/{id}/trace?limit=500"), None).await?.to_string();
    ensure!(trace.contains("\"exit\":\"next\"") && !trace.contains("secret of the shop"), "{trace}");
    caller.hang_up().await;
    center.ended_conversation().await?;
    Ok(())
}

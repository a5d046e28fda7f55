//! The live connection.

use super::{
    past::Past,
    server::{PATIENCE, Server},
};
use dreiklang_server::auth::Role;
use serde_json::{Value, json};
use std::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest, protocol::CloseFrame};

/// Frames a client keeps until the test looks at them.
const FRAMES: usize = 100;

/// A client on a thread of its own.
struct Client {
    frames: mpsc::Receiver<Result<Value, Option<CloseFrame>>>,
    say: std::sync::mpsc::SyncSender<Message>,
}

impl Client {
    async fn connect(server: &Server, token: &str, query: &str) -> Client {
        let address = server.address;
        let mut request = format!("ws://{address}/api/v1/live{query}").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        Client::open(address, request).await.unwrap()
    }

    async fn open(address: std::net::SocketAddr, request: tungstenite::handshake::client::Request) -> Result<Client, tungstenite::Error> {
        let (told, frames) = mpsc::channel(FRAMES);
        let (say, said) = std::sync::mpsc::sync_channel::<Message>(FRAMES);
        let (opened, result) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let stream = TcpStream::connect(address).unwrap();
            let mut socket = match tungstenite::client(request, stream) {
                Ok((socket, _)) => {
                    let _ = opened.send(Ok(()));
                    socket
                }
                Err(tungstenite::HandshakeError::Failure(error)) => {
                    let _ = opened.send(Err(error));
                    return;
                }
                Err(tungstenite::HandshakeError::Interrupted(_)) => return,
            };
            socket.get_mut().set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
            loop {
                while let Ok(message) = said.try_recv() {
                    let _ = socket.send(message);
                }
                if told.is_closed() {
                    return;
                }
                match socket.read() {
                    Ok(Message::Text(text)) => {
                        if told.blocking_send(Ok(serde_json::from_str(&text).unwrap())).is_err() {
                            return;
                        }
                    }
                    Ok(Message::Close(frame)) => {
                        let _ = told.blocking_send(Err(frame));
                    }
                    Ok(_) => {}
                    Err(tungstenite::Error::Io(error))
                        if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
                    Err(_) => return,
                }
            }
        });
        result.await.unwrap().map(|()| Client { frames, say })
    }

    async fn next(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.frames.recv())
            .await
            .expect("a frame comes")
            .expect("the connection lasts")
            .expect("a frame, not an end")
    }

    async fn closed(&mut self) -> CloseFrame {
        loop {
            match tokio::time::timeout(PATIENCE, self.frames.recv()).await.expect("the connection ends").expect("it ends with a reason") {
                Ok(_) => {}
                Err(frame) => return frame.expect("it ends with a reason"),
            }
        }
    }

    async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }
}

#[tokio::test]
async fn a_client_gets_the_state_and_then_what_happens() {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    let mut client = Client::connect(&server, &server.token, "").await;
    let hello = client.next().await;
    assert_eq!((hello["v"].as_u64(), hello["type"].as_str()), (Some(1), Some("hello")));
    assert_eq!(hello["seq"], hello["snapshot"]["seq"]);
    assert_eq!(
        (hello["snapshot"]["queues"][0]["id"].as_str(), hello["snapshot"]["agents"][0]["id"].as_str()),
        (Some(queue.as_str()), Some(agent.as_str()))
    );
    server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.ok();
    let changed = client.next().await;
    assert_eq!(
        (changed["type"].as_str(), changed["duty"].as_str(), changed["v"].as_u64()),
        (Some("duty_changed"), Some("on_duty"), Some(1))
    );
    assert_eq!(changed["seq"].as_u64().unwrap(), hello["seq"].as_u64().unwrap() + 1, "nothing falls in between");
}

#[tokio::test]
async fn an_agent_is_told_of_what_is_written_and_when_it_is_over() {
    let server = Server::start().await;
    let queue = server.make("/queues", json!({ "name": "Support" })).await;
    let agent = json!({ "name": "Ada", "endpoint": { "kind": "number", "value": "+49301001" }, "queues": ["Support"],
        "channels": [{ "channel": "chat", "at_once": 1 }] });
    let agent = server.make("/agents", agent).await;
    server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.ok();
    server.put(&format!("/agents/{agent}/availability"), json!({ "state": "ready" })).await.ok();
    let mut client = Client::connect(&server, &server.token, "").await;
    client.next_of("hello").await;
    let opened = server.post("/written", json!({ "channel": "chat", "queue": queue, "customer_name": "Carla" })).await.ok();
    let waits = client.next_of("queue").await;
    assert_eq!((&waits["writing"], &waits["waiting"]), (&json!(1), &json!(0)), "{waits}");
    let offered = client.next_of("written_offered").await;
    assert_eq!((&offered["conversation"], &offered["agent"]), (&opened["id"], &json!(agent)));
    server.post(&format!("/written/{}/close", opened["id"].as_str().unwrap()), json!({ "by_customer": true })).await;
    let closed = client.next_of("written_closed").await;
    assert_eq!(closed["termination"], json!({ "result": "caller", "reason": "abandoned" }), "{closed}");
}

#[tokio::test]
async fn a_client_that_resumes_gets_what_it_missed() {
    let server = Server::start().await;
    let (_, agent, _) = server.office().await;
    let mut client = Client::connect(&server, &server.token, "").await;
    let seen = client.next().await["seq"].as_u64().unwrap();
    drop(client);
    server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.ok();
    server.put(&format!("/agents/{agent}/availability"), json!({ "state": "ready" })).await.ok();
    let mut client = Client::connect(&server, &server.token, &format!("?after={seen}")).await;
    assert_eq!(client.next().await["type"], "resumed");
    assert_eq!(client.next().await["type"], "duty_changed");
    assert_eq!(client.next().await["type"], "queue_staffed");
    assert_eq!(client.next().await["type"], "availability_changed");
    let figures = client.next_of("figures").await;
    assert_eq!(figures["queues"][0]["agents_ready"], 1);
    let far_ahead = figures["seq"].as_u64().unwrap() + 1_000;
    let mut client = Client::connect(&server, &server.token, &format!("?after={far_ahead}")).await;
    assert_eq!(client.next().await["type"], "resync", "a place that does not exist is not resumed from");
}

#[tokio::test]
async fn everybody_sees_only_what_the_role_allows() {
    let server = Server::start().await;
    let (_, agent, _) = server.office().await;
    let server = server
        .restart(async |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            past.arrive("+4930111", "+49302000");
            past.write(store, tenant).await;
        })
        .await;
    // The line does not run, so the owner ends the call of the past at once; this one is told while that happens.
    let board = server.token_for(&[Role::Wallboard]).await;
    let mut client = Client::connect(&server, &board, "").await;
    let hello = client.next().await;
    assert_eq!(hello["snapshot"]["conversations"], json!([]));
    assert!(!hello.to_string().contains("+4930111"));
    server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.ok();
    assert_eq!(client.next_of("duty_changed").await["agent"], agent.as_str());
    let mut client = Client::connect(&server, &board, "?after=1").await;
    assert_eq!(client.next().await["type"], "resync", "what one may see depends on what happened, so it begins anew");
}

#[tokio::test]
async fn a_token_may_come_as_a_protocol_and_a_page_elsewhere_gets_nothing() {
    let server = Server::start().await;
    let address = server.address;
    let request = |protocol: &str| {
        let mut request = format!("ws://{address}/api/v1/live").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        request
    };
    let mut client = Client::open(address, request(&format!("dreiklang.v1, bearer.{}", server.token))).await.unwrap();
    assert_eq!(client.next().await["type"], "hello");
    assert!(Client::open(address, request("dreiklang.v1")).await.is_err());

    let admin = server.administrator().await;
    let answer = server
        .send(server.client.post(server.url("/api/v1/session")).json(&json!({ "user": admin, "password": super::server::PASSWORD })))
        .await;
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let with_origin = |origin: String| {
        let mut request = format!("ws://{address}/api/v1/live").into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    };
    assert!(Client::open(address, with_origin("https://evil.example".into())).await.is_err());
    let mut client = Client::open(address, with_origin(format!("http://{address}"))).await.unwrap();
    assert_eq!(client.next().await["me"]["name"], admin);
}

#[tokio::test]
async fn who_talks_is_closed_and_a_stopping_server_says_so() {
    let server = Server::start().await;
    let mut client = Client::connect(&server, &server.token, "").await;
    client.next().await;
    client.say.send(Message::text("hello?")).unwrap();
    assert_eq!(u16::from(client.closed().await.code), 1008);
    let mut client = Client::connect(&server, &server.token, "").await;
    client.next().await;
    server.stop().await;
    assert_eq!(u16::from(client.closed().await.code), 1012);
}

#[tokio::test]
async fn connections_are_counted_and_limited() {
    let server = Server::start().await;
    let mut clients = Vec::new();
    for _ in 0..dreiklang_server::limits::SOCKETS_PER_PRINCIPAL {
        clients.push(Client::connect(&server, &server.token, "").await);
    }
    let mut request = format!("ws://{}/api/v1/live", server.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", server.token).parse().unwrap());
    let Err(tungstenite::Error::Http(answer)) = Client::open(server.address, request).await.map(|_| ()) else {
        panic!("one too many is refused")
    };
    assert_eq!(answer.status(), 503);
    let figures = String::from_utf8(server.send(server.client.get(server.url("/metrics"))).await.body).unwrap();
    assert!(figures.contains(&format!("dreiklang_live_clients {}", clients.len())), "{figures}");
    drop(clients);
    super::server::eventually("places are given back", async || {
        let figures = String::from_utf8(server.send(server.client.get(server.url("/metrics"))).await.body).unwrap();
        figures.contains("dreiklang_live_clients 0").then_some(())
    })
    .await;
}

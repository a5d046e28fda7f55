//! Web services that flows ask: they keep every question until the scenario says what is answered.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// Longest body of a question.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A question that waits for its answer.
pub struct Question {
    /// Without the part that belongs to the service's address.
    pub path: String,
    /// What was sent along; null when nothing was.
    pub body: Value,
    answer: oneshot::Sender<Option<Value>>,
}

impl Question {
    /// Answers, or breaks the connection.
    pub fn answer(self, answer: Option<Value>) {
        // Whoever asked may have given up.
        let _ = self.answer.send(answer);
    }
}

/// One service.
#[derive(Clone)]
pub struct Service {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Service {
    pub async fn start() -> Result<Service> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let service = Service { address: listener.local_addr()?, asked: Arc::default() };
        let asked = Arc::clone(&service.asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&asked)));
            }
        });
        Ok(service)
    }

    /// The questions that wait, oldest first.
    pub fn look<T>(&self, look: impl FnOnce(&mut Vec<Question>) -> T) -> T {
        look(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One question over one connection.
async fn serve(stream: TcpStream, asked: Arc<Mutex<Vec<Question>>>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).context("a request has a path")?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length.min(BODY_BYTES_MAX)];
    stream.read_exact(&mut body).await?;
    let (tell, answer) = oneshot::channel();
    let question = Question { path, body: serde_json::from_slice(&body).unwrap_or_default(), answer: tell };
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(question);
    if let Ok(Some(answer)) = answer.await {
        let body = answer.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.get_mut().write_all((head + &body).as_bytes()).await?;
    }
    Ok(())
}

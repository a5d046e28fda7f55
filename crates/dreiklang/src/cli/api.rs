//! The way from the command line to a running server: through its API, like every other program.

use anyhow::{Context as _, bail};
use dreiklang_server::config::Config;
use reqwest::{Method, Response, header};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long one request may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Which server, and as whom.
#[derive(Debug, clap::Args)]
pub struct Access {
    /// The server's address; by default that of the configuration.
    #[arg(long, env = "DREIKLANG_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// API token; otherwise user and password are used.
    #[arg(long, env = "DREIKLANG_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// User to sign in as when there is no token.
    #[arg(long, default_value = "admin", env = "DREIKLANG_USER")]
    pub user: String,
    /// File whose first line is the password; otherwise DREIKLANG_PASSWORD.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// A signed-in connection.
pub struct Api {
    client: reqwest::Client,
    base: String,
    proof: Proof,
}

enum Proof {
    Token(String),
    Session { cookie: String, csrf: String },
}

impl Access {
    /// Signs in.
    pub async fn connect(&self, config: Option<&Path>) -> anyhow::Result<Api> {
        let server = match &self.server {
            Some(server) => server.clone(),
            None => {
                let listen = Config::load(config)?.http.listen;
                let ip = if listen.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { listen.ip() };
                format!("http://{}", SocketAddr::new(ip, listen.port()))
            }
        };
        let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build()?;
        let base = format!("{}/api/v1", server.trim_end_matches('/'));
        if let Some(token) = &self.token {
            return Ok(Api { client, base, proof: Proof::Token(token.clone()) });
        }
        let password = match (&self.password_file, std::env::var("DREIKLANG_PASSWORD")) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                text.lines().next().unwrap_or_default().to_owned()
            }
            (None, Ok(password)) => password,
            (None, Err(_)) => {
                bail!("say who you are: set DREIKLANG_TOKEN, or DREIKLANG_PASSWORD for the user {}, or use --password-file", self.user)
            }
        };
        let body = serde_json::json!({ "user": self.user, "password": password });
        let answer = client.post(format!("{base}/session")).json(&body).send().await.with_context(|| unreachable(&server))?;
        let answer = checked(answer).await?;
        let cookie =
            answer.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
        let cookie = cookie.context("the server signed us in without a cookie; is there a proxy in between that removes it?")?.to_owned();
        let me: serde_json::Value = answer.json().await?;
        let csrf = me["csrf_token"].as_str().unwrap_or_default().to_owned();
        Ok(Api { client, base, proof: Proof::Session { cookie, csrf } })
    }
}

impl Api {
    /// Asks for something.
    pub async fn get(&self, path: &str, accept: &str) -> anyhow::Result<Response> {
        self.send(self.request(Method::GET, path).header(header::ACCEPT, accept)).await
    }

    /// Sends a document.
    pub async fn post(&self, path: &str, kind: &str, body: String) -> anyhow::Result<Response> {
        self.send(self.request(Method::POST, path).header(header::CONTENT_TYPE, kind).body(body)).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.proof {
            Proof::Token(token) => request.bearer_auth(token),
            Proof::Session { cookie, csrf } => request.header(header::COOKIE, cookie).header("X-CSRF-Token", csrf),
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Response> {
        checked(request.send().await.with_context(|| unreachable(&self.base))?).await
    }
}

fn unreachable(server: &str) -> String {
    format!("cannot reach the server at {server}; is it running, and is --server right?")
}

/// The answer, or its problem in words.
async fn checked(answer: Response) -> anyhow::Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    match (problem["code"].as_str(), problem["title"].as_str(), problem["detail"].as_str()) {
        (Some(code), Some(title), detail) => bail!("{code}: {title}. {}", detail.unwrap_or_default()),
        _ => bail!("the server answers {status}: {}", text.chars().take(300).collect::<String>()),
    }
}

//! A server of its own for each test.

use dreiklang_core::ids::TenantId;
use dreiklang_lines::unified;
use dreiklang_server::{
    AppState,
    api::v1::users::make_token,
    auth::{Role, first},
    config::Config,
    http,
    metrics::Metrics,
    runtime::{LineConfigs, Runtime},
    setup,
};
use dreiklang_store::Store;
use reqwest::{Method, header};
use serde_json::{Value, json};
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// The administrator's password in tests that sign in.
pub const PASSWORD: &str = "several words of mine";
/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    pub state: AppState,
    pub tenant: TenantId,
    pub address: SocketAddr,
    pub client: reqwest::Client,
    /// An administrator's token.
    pub token: String,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
    directory: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The JSON of an answer that has to be a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status < 300, "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that it is this problem, and returns it.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        problem
    }
}

impl Server {
    pub async fn start() -> Server {
        Server::start_with(|_| {}).await
    }

    pub async fn start_with(configure: impl FnOnce(&mut Config)) -> Server {
        let directory = tempfile::tempdir().unwrap();
        Server::in_directory(directory, configure).await
    }

    async fn in_directory(directory: TempDir, configure: impl FnOnce(&mut Config)) -> Server {
        let mut config = Config { data_directory: directory.path().to_owned(), ..Config::default() };
        config.http.secure_cookies = false;
        configure(&mut config);
        let store = Store::open(config.database()).unwrap();
        let tenants = setup::ensure_tenant(&store, "Test").await.unwrap();
        let tenant = tenants[0].id;
        let metrics = Metrics::new();
        let unified = unified::Config {
            address: "http://127.0.0.1".to_owned(),
            transport: unified::TransportConfig { allow_plain: true, ..unified::TransportConfig::default() },
            recordings: config.recordings_directory(),
            prompts: config.prompts_directory(),
            prompt_cache: config.data_directory.join("prompt-cache"),
        };
        let lines = LineConfigs { connected: None, unified: Some(unified) };
        let runtime = Runtime::start(store.clone(), lines, config.services.rules(), metrics.runtime()).await.unwrap();
        for tenant in &tenants {
            runtime.add_tenant(tenant.id).await.unwrap();
        }
        let state = AppState::new(config, store.clone(), runtime, metrics);
        for tenant in &tenants {
            setup::prepare(&state, tenant.id).await.unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(http::serve(state.clone(), listener, None, async move {
            let _ = stopped.await;
        }));
        let name = format!("tests {}", uuid::Uuid::now_v7());
        let (_, token) = make_token(&store, tenant, &name, &BTreeSet::from([Role::Administrator]), None).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Server { state, tenant, address, client, token, stop: Some(stop), serving: Some(serving), directory }
    }

    /// Stops everything and gives the data back.
    pub async fn stop(mut self) -> TempDir {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            tokio::time::timeout(PATIENCE, serving).await.expect("the server stops").unwrap().unwrap();
        }
        self.state.runtime().stop(Duration::ZERO, std::future::ready(())).await;
        self.state.store().close();
        self.directory
    }

    /// Stops, lets `between` change the data, and starts again.
    pub async fn restart(self, between: impl AsyncFnOnce(&Store, TenantId)) -> Server {
        let tenant = self.tenant;
        let config = self.state.config().clone();
        let directory = self.stop().await;
        let store = Store::open(config.database()).unwrap();
        between(&store, tenant).await;
        store.close();
        drop(store);
        Server::in_directory(directory, |fresh| *fresh = config).await
    }

    /// Makes the first administrator, for tests that sign in.
    pub async fn administrator(&self) -> &'static str {
        first::ensure(self.state.store(), self.tenant, Some(PASSWORD.to_owned())).await.unwrap().expect("there was none");
        first::NAME
    }

    /// A token with these roles.
    pub async fn token_for(&self, roles: &[Role]) -> String {
        let name = format!("tests {}", uuid::Uuid::now_v7());
        make_token(self.state.store(), self.tenant, &name, &roles.iter().copied().collect(), None).await.unwrap().1
    }

    /// Looks at the owner's state.
    pub async fn world<T: Send + 'static>(&self, look: impl FnOnce(&dreiklang_core::World) -> T + Send + 'static) -> T {
        self.state.tenant(self.tenant).unwrap().read(look).await.unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request as the administrator.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.request(method, self.url(&format!("/api/v1{path}"))).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body), &[("if-match", "*")]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None, &[("if-match", "*")]).await
    }

    /// Makes something and returns its id.
    pub async fn make(&self, path: &str, body: Value) -> String {
        self.post(path, body).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// A queue "Support" with an agent "Ada" and a number; returns their ids.
    pub async fn office(&self) -> (String, String, String) {
        let queue = self.make("/queues", json!({ "name": "Support", "wrap_up": { "kind": "timed", "duration_ms": 5000 } })).await;
        let agent = self
            .make("/agents", json!({ "name": "Ada", "endpoint": { "kind": "number", "value": "+49301001" }, "queues": ["Support"] }))
            .await;
        let number = self.make("/numbers", json!({ "number": "+49302000", "target": { "kind": "queue", "id": "Support" } })).await;
        (queue, agent, number)
    }
}

/// Asks again until the answer is the wanted one; events have no place to wait on from outside.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}");
        ticks.tick().await;
    }
}

//! From configuration to a running product, and back to a clean stop: the one place that knows every part.

use anyhow::{Context as _, anyhow};
use dreiklang_lines::{connected, unified};
use dreiklang_server::{
    api::v1::{self, Configuration},
    auth::{
        Principal, Proof, Role,
        first::{self, FirstAdministrator},
        secret,
    },
    config::Config,
    http,
    metrics::Metrics,
    runtime::{LineConfigs, Runtime, TenantHandle, hand},
    setup,
    state::AppState,
    telemetry,
};
use dreiklang_store::Store;
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr, UdpSocket},
    path::PathBuf,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Name of the tenant made when there is none.
const FIRST_TENANT: &str = "Dreiklang";
/// Gives the first administrator's password instead of having it made up; for automatic installation.
const FIRST_PASSWORD: &str = "DREIKLANG_ADMIN_PASSWORD";

/// The running product.
pub struct Product {
    /// Shared state of the interface.
    pub state: AppState,
    /// The first tenant.
    pub tenant: TenantHandle,
    first: Option<FirstAdministrator>,
    http: SocketAddr,
    recordings: PathBuf,
    stop_http: watch::Sender<bool>,
    hurry: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// Starts everything, once in a process. When this returns, calls are taken.
pub async fn start(config: &Config) -> anyhow::Result<Product> {
    telemetry::init(&config.log)?;
    start_again(config).await
}

/// The same where logging is set up already.
pub async fn start_again(config: &Config) -> anyhow::Result<Product> {
    let data = &config.data_directory;
    std::fs::create_dir_all(data)
        .with_context(|| format!("cannot create the data directory {}; create it, or set data_directory", data.display()))?;
    // Listening comes first: a taken address is the most common mistake, and should cost nothing.
    let listener = listen(config.http.listen, "http.listen").await?;
    let http = listener.local_addr()?;
    let admin = match config.http.admin_listen {
        Some(address) => Some(listen(address, "http.admin_listen").await?),
        None => None,
    };
    let store = Store::open(data.join(super::cli::backup::DATABASE))?;
    let tenants = setup::ensure_tenant(&store, FIRST_TENANT).await?;
    let first_tenant = tenants.first().map(|tenant| tenant.id).ok_or_else(|| anyhow!("the store has no tenant"))?;
    let first = first::ensure(&store, first_tenant, std::env::var(FIRST_PASSWORD).ok()).await.map_err(|problem| anyhow!("{problem}"))?;
    let metrics = Metrics::new();
    let line = if config.connected.enabled { Some(line_config(config)?) } else { None };
    let lines = LineConfigs { connected: line, unified: if config.unified.enabled { Some(unified_config(config, http)?) } else { None } };
    let rehearsal = rehearsal();
    if rehearsal.is_some() {
        hand::stop_time();
    }
    let runtime = Runtime::start(store.clone(), lines, config.services.rules(), metrics.runtime()).await?;
    let mut handles = Vec::new();
    for tenant in &tenants {
        handles.push(runtime.add_tenant(tenant.id).await?);
    }
    let state = AppState::new(config.clone(), store, runtime, metrics);
    for tenant in &tenants {
        setup::prepare(&state, tenant.id).await.map_err(|problem| anyhow!("tenant {}: {problem}", tenant.name))?;
    }
    if let Some(address) = rehearsal {
        tokio::spawn(hand::attend(address, state.runtime().tenants().clone()));
    }
    let (stop_http, mut stopped) = watch::channel(false);
    let shutdown = async move {
        // A dropped sender means that the product is gone.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let serving = tokio::spawn(http::serve(state.clone(), listener, admin, shutdown));
    let tenant = handles.into_iter().next().ok_or_else(|| anyhow!("no tenant runs"))?;
    Ok(Product {
        state,
        tenant,
        first,
        http,
        recordings: config.recordings_directory(),
        stop_http,
        hurry: watch::Sender::new(false),
        serving,
    })
}

/// Where a test moves time, in builds for development.
fn rehearsal() -> Option<SocketAddr> {
    let address = std::env::var(hand::ADDRESS).ok().filter(|_| cfg!(debug_assertions))?;
    address.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

impl Product {
    /// Brings the first tenant's configuration to what a TOML document says, as the system itself.
    pub async fn apply(&self, document: &str) -> anyhow::Result<()> {
        let configuration: Configuration = toml::from_str(document)?;
        let system = Principal {
            tenant: self.tenant.tenant(),
            id: "system".to_owned(),
            name: "system".to_owned(),
            roles: BTreeSet::from([Role::Administrator]),
            agent: None,
            proof: Proof::Token,
            key: secret::hash(""),
        };
        v1::apply(&self.state, &system, configuration, false, false).await.map_err(|problem| anyhow!("{problem}"))?;
        Ok(())
    }

    /// Where telephones and trunks send datagrams.
    pub fn phone_address(&self) -> Option<SocketAddr> {
        self.state.runtime().lines().connected().and_then(|connected| connected.addresses().udp)
    }

    /// Where recordings lie.
    pub fn recordings(&self) -> &std::path::Path {
        &self.recordings
    }

    /// What the operator should know now, for standard output.
    pub fn introduction(&self) -> String {
        let mut lines = vec![format!("Dreiklang {} is ready.", env!("CARGO_PKG_VERSION"))];
        let shown = |address: SocketAddr| {
            if address.ip().is_unspecified() { SocketAddr::new(IpAddr::from([127, 0, 0, 1]), address.port()) } else { address }
        };
        lines.push(format!("  pages and API:   http://{}/  (API: /api/v1/openapi.json)", shown(self.http)));
        if let Some(connected) = self.state.runtime().lines().connected() {
            let addresses = connected.addresses();
            for (name, address) in [("udp", addresses.udp), ("tcp", addresses.tcp), ("tls", addresses.tls)] {
                lines.extend(address.map(|address| format!("  calls over {name}:  {address}")));
            }
        }
        if let Some(first) = &self.first {
            lines.push(format!("  first sign-in:   {} / {}  (shown once; change it)", first.user, first.password));
        }
        lines.join("\n")
    }

    /// Ends waiting for calls in [`Product::stop`].
    pub fn hurry(&self) {
        self.hurry.send_replace(true);
    }

    /// Takes no new calls, lets present ones go on for at most `patience`, then ends everything and writes what is to be written.
    pub async fn stop(&self, patience: Duration) {
        let mut hurry = self.hurry.subscribe();
        let hurried = async move {
            // The sender lives as long as the product.
            let _ = hurry.wait_for(|hurry| *hurry).await;
        };
        self.state.runtime().stop(patience, hurried).await;
        self.stop_http.send_replace(true);
        let deadline = tokio::time::Instant::now() + dreiklang_server::limits::DRAIN_TIME;
        while !self.serving.is_finished() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.state.store().close();
    }
}

async fn listen(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} ({key}); stop what uses it (ss -tlnp shows it), or choose another address"))
}

/// The Connected line as configured.
fn line_config(config: &Config) -> anyhow::Result<connected::Config> {
    let ours = &config.connected;
    let first = ours.udp.or(ours.tcp).or(ours.tls).ok_or_else(|| anyhow!("the Connected line listens nowhere"))?;
    let bind = config.media.bind.unwrap_or(first.ip());
    let advertised = config.media.advertised.unwrap_or(bind);
    let advertised = if advertised.is_unspecified() {
        way_out().context("cannot tell this machine's address; set media.advertised")?
    } else {
        advertised
    };
    connected::Config::new(connected::Listening {
        udp: ours.udp,
        tcp: ours.tcp,
        tls: ours.tls,
        certificate: ours.tls_certificate.clone(),
        key: ours.tls_key.clone(),
        authorities: ours.tls_authorities.clone(),
        ask_certificates: ours.tls_ask_certificates,
        advertised_host: ours.advertised_host.clone(),
        realm: ours.realm.clone(),
        media_bind: bind,
        media_advertised: advertised,
        media_ports: config.media.port_first..=config.media.port_last,
        media_threads: config.media.threads,
        recordings: config.recordings_directory(),
        prompts: config.prompts_directory(),
        prompt_cache: config.data_directory.join("prompt-cache"),
    })
    .map_err(|problem| anyhow!(problem))
}

/// The Unified line as configured.
fn unified_config(config: &Config, http: SocketAddr) -> anyhow::Result<unified::Config> {
    let ours = &config.unified;
    let authorities = match &ours.authorities {
        Some(file) => Some(std::fs::read(file).with_context(|| format!("cannot read {} (unified.authorities)", file.display()))?),
        None => None,
    };
    let address = ours.public_url.clone().or_else(|| config.http.public_url.clone());
    Ok(unified::Config {
        address: address.unwrap_or_else(|| format!("http://{http}")),
        transport: unified::TransportConfig {
            authorities,
            names: ours.names.iter().map(|(name, address)| (name.clone(), *address)).collect(),
            allow_plain: ours.allow_plain,
        },
        recordings: config.recordings_directory(),
        prompts: config.prompts_directory(),
        prompt_cache: config.data_directory.join("prompt-cache"),
    })
}

/// This machine's address on the way out. Sends nothing.
fn way_out() -> std::io::Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // Any public address will do: connecting a datagram socket only looks at the routing table.
    socket.connect("192.0.2.1:9")?;
    Ok(socket.local_addr()?.ip())
}

//! The lab as one value: started, asked, set up, stopped. What tests and the command line hold in their hands.

use crate::{
    acs::{Service, callbacks::CallbackKeys, identifier::Identifier},
    entra::{
        Entra,
        directory::{Assignment, ResourceAccount, User},
        keys::SigningKey,
    },
    event_grid::{self, Subscription, Subscriptions},
    exchange::{Exchange, Limits},
    faults::{Chance, Faults},
    origin::{self, authority, listener::Listener},
    people::Person,
    shell::{Hub, Parts, State},
};
use dreiklang_media::prompt;
use serde_json::{Value, json};
use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{sync::watch, task::JoinHandle};

/// Who signs callbacks at the real service.
pub const CALLBACK_ISSUER: &str = "https://acscallautomation.communication.azure.com";
/// Key of Entra in the data folder.
const ENTRA_KEY_FILE: &str = "lab-entra.key";
const CALLBACK_KEY_FILE: &str = "lab-callbacks.key";

/// How a lab is set up. Begin with [`Settings::default`]: https on any free port of this machine, nothing kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the origin; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Plain http instead of https.
    pub plain_http: bool,
    /// The name by which it is reached; without one the address.
    pub host_name: Option<String>,
    /// Folder for the certificate authority, keys and spoken prompts, so that they outlive the lab.
    pub data: Option<PathBuf>,
    /// Seed of all ids.
    pub seed: u64,
    /// Times and numbers of the service.
    pub limits: Limits,
    /// `iss` of the tokens of callbacks.
    pub callback_issuer: String,
    /// Waits between deliveries of Event Grid, ms.
    pub grid_retries_ms: Vec<u64>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            plain_http: false,
            host_name: None,
            data: None,
            seed: 1,
            limits: Limits::default(),
            callback_issuer: CALLBACK_ISSUER.to_owned(),
            grid_retries_ms: event_grid::RETRIES_MS.to_vec(),
        }
    }
}

/// A person of the tenant with both clients.
#[derive(Clone)]
pub struct Agent {
    /// The account.
    pub user: User,
    /// The contact-center client: `8:acs:{resource}_{tenant}_{object id}`.
    pub contact_center: Person,
    /// The Teams client: `8:orgid:{object id}`.
    pub teams: Person,
}

/// A running lab. It stops when dropped.
///
/// # What a test does with it
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dreiklang_lab::{Lab, Settings, people::{Manner, Stage}};
/// use std::time::Duration;
///
/// let lab = Lab::start(Settings { plain_http: true, ..Settings::default() }).await?;
/// // Microsoft's side: a number, an agent (both with consent), and who is told about calls.
/// let account = lab.add_resource_account("Support", "+49301000");
/// let anna = lab.add_agent("anna");
/// lab.subscribe("http://127.0.0.1:8080/webhooks/events").await?;
/// // The program under test uses lab.url(), lab.access_key(), lab.callback_keys_url() …
///
/// // People: a caller with a tone calls the number, the program answers and plays something.
/// let caller = lab.caller("+4930555");
/// caller.set_tone(440);
/// anna.contact_center.set_tone(620);
/// anna.contact_center.set_manner(Manner::answer(Duration::from_millis(300)));
/// caller.call("+49301000")?;
/// caller.wait_for(Duration::from_secs(5), |state| state.call == Stage::Talking).await;
/// caller.press("1");
/// caller.say("I need help", "en-US").await;
/// // Who hears whom.
/// assert!(caller.wait_to_hear(&[620], &[440, 620], Duration::from_secs(10)).await);
/// caller.hang_up();
/// # Ok(()) }
/// ```
pub struct Lab {
    hub: Arc<Hub>,
    address: SocketAddr,
    ca_file: Option<PathBuf>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Lab {
    /// Starts a lab with a tenant, a resource and one application, and nobody in it.
    ///
    /// # Errors
    /// When the address is taken or the folder cannot be written.
    pub async fn start(settings: Settings) -> io::Result<Lab> {
        if let Some(folder) = &settings.data {
            fs::create_dir_all(folder)?;
        }
        let folder = settings.data.as_deref();
        let certificates = match settings.plain_http {
            true => None,
            false => Some(authority::certificates(folder, settings.host_name.as_slice())?),
        };
        let tls = certificates.as_ref().map(|certificates| Arc::clone(&certificates.server));
        let listener = Listener::bind(settings.listen, tls).await?;
        let address = listener.address();
        let host = settings.host_name.clone().unwrap_or_else(|| match address.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            ip if ip.is_ipv6() => format!("[{ip}]"),
            ip => ip.to_string(),
        });
        let scheme = if settings.plain_http { "http" } else { "https" };
        let base = format!("{scheme}://{host}:{}", address.port());
        let entra_key = key(folder, ENTRA_KEY_FILE)?;
        let callback_key = key(folder, CALLBACK_KEY_FILE)?;
        let mut exchange = Exchange::new(settings.seed, jiff::Timestamp::now(), settings.limits.clone());
        // Microsoft's SDKs fetch recordings from hosts of this name only, and only with TLS.
        exchange.recordings.storage = match settings.plain_http {
            true => base.clone(),
            false => format!("https://local.asm.skype.com:{}", address.port()),
        };
        let state = State {
            exchange,
            entra: Entra::new(entra_key, base.clone()),
            service: Service::new(format!("{host}:{}", address.port())),
            chance: Chance::new(),
            subscriptions: Subscriptions::default(),
        };
        let speech = folder.map_or_else(|| std::env::temp_dir().join("dreiklang-lab-prompts"), |folder| folder.join("prompts"));
        let ca_file = folder.filter(|_| certificates.is_some()).map(|folder| folder.join(authority::CA_FILE));
        let hub = Hub::new(Parts {
            state,
            keys: CallbackKeys::new(callback_key, settings.callback_issuer, base.clone()),
            base,
            ca_pem: certificates.map(|certificates| certificates.ca_pem),
            prompts: prompt::Library::open(prompt::Config::new(speech)).ok(),
            grid_retries_ms: settings.grid_retries_ms,
        })?;
        let (stop, stopped) = watch::channel(false);
        let answering = Arc::clone(&hub);
        let serving = origin::serve(listener, move |request| Arc::clone(&answering).answer(request), stopped);
        let tasks = vec![
            tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the lab's origin has stopped");
                }
            }),
            tokio::spawn(Arc::clone(&hub).run()),
        ];
        Ok(Lab { hub, address, ca_file, stop, tasks })
    }

    /// Where it is reached, without a slash at the end; Entra, Communication Services and the control interface alike.
    pub fn url(&self) -> &str {
        &self.hub.base
    }

    /// Own address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority's certificate in PEM; none with plain http.
    pub fn ca_pem(&self) -> Option<&str> {
        self.hub.ca_pem.as_deref()
    }

    /// The file it lies in, when there is a data folder.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Access key of the resource, base64.
    pub fn access_key(&self) -> String {
        self.hub.with(|state| state.exchange.directory.access_keys[0].clone())
    }

    /// Endpoint and key as Microsoft's SDKs want them.
    pub fn connection_string(&self) -> String {
        format!("endpoint={}/;accesskey={}", self.url(), self.access_key())
    }

    /// Id of the tenant.
    pub fn tenant_id(&self) -> String {
        self.hub.with(|state| state.exchange.directory.tenant_id.clone())
    }

    /// Immutable id of the Communication Services resource: `aud` of callbacks' tokens.
    pub fn resource_id(&self) -> String {
        self.hub.with(|state| state.exchange.directory.resource_id.clone())
    }

    /// `iss` of callbacks' tokens.
    pub fn callback_issuer(&self) -> &str {
        &self.hub.keys.issuer
    }

    /// Where the keys of callbacks' tokens are described.
    pub fn callback_configuration_url(&self) -> String {
        format!("{}/calling/.well-known/acsopenidconfiguration", self.url())
    }

    /// Client id and secret of the server's application.
    pub fn application(&self) -> (String, String) {
        self.hub.with(|state| {
            let application = &state.exchange.directory.applications[0];
            (application.client_id.clone(), application.secrets[0].clone())
        })
    }

    /// Client id of the desks' public application.
    pub fn desk_application(&self) -> String {
        self.hub.with(|state| state.exchange.directory.applications[1].client_id.clone())
    }

    /// Registers a certificate (PEM) whose key may sign assertions of the server's application.
    pub fn add_application_certificate(&self, pem: &str) {
        let certificates = crate::entra::keys::certificates_of(pem);
        self.hub.with(|state| state.exchange.directory.applications[0].certificates.extend(certificates));
    }

    /// Adds a resource account with a service number, with consent.
    pub fn add_resource_account(&self, name: &str, number: &str) -> ResourceAccount {
        self.hub.with(|state| add_resource_account(state, name, number, true))
    }

    /// Changes a resource account's binding: without one its number is busy.
    pub fn bind_resource_account(&self, id: &str, is_bound: bool) {
        self.hub.with(|state| {
            let resource = state.exchange.directory.resource_id.clone();
            let accounts = &mut state.exchange.directory.resource_accounts;
            if let Some(account) = accounts.iter_mut().find(|account| account.id == id) {
                account.acs_resource_id = is_bound.then_some(resource);
            }
        });
    }

    /// Gives or takes consent of an account (`teamsResourceAccount`) or user (`user`).
    pub fn set_consent(&self, object_id: &str, principal_type: Option<&str>) {
        self.hub.with(|state| set_consent(state, object_id, principal_type));
    }

    /// Adds a user with both clients, with consent.
    pub fn add_agent(&self, name: &str) -> Agent {
        let (user, extension, teams) = self.hub.with(|state| {
            let user = add_user(state, name, true);
            let extension = state.exchange.directory.extension_raw_id(&user.object_id);
            let teams = Identifier::TeamsUser(user.object_id.clone()).raw_id();
            (user, extension, teams)
        });
        Agent { user, contact_center: self.known(&extension), teams: self.known(&teams) }
    }

    /// A telephone outside with this number; the same number is the same person.
    pub fn caller(&self, number: &str) -> Person {
        let identifier = Identifier::Phone(number.to_owned());
        self.add_person(number, identifier)
    }

    /// Anybody else who can be called: a Teams call queue, an identity of the resource.
    pub fn add_person(&self, name: &str, identifier: Identifier) -> Person {
        let raw = identifier.raw_id();
        self.hub.with(|state| {
            state.exchange.add_person(name, identifier);
        });
        self.known(&raw)
    }

    /// Somebody who is there, by raw id.
    pub fn person(&self, raw: &str) -> Option<Person> {
        person(&self.hub, raw)
    }

    /// Somebody who was added.
    fn known(&self, raw: &str) -> Person {
        match person(&self.hub, raw) {
            Some(person) => person,
            None => self.add_person(raw, Identifier::from_raw(raw)),
        }
    }

    /// Has an address told about incoming calls and recordings, with the attempts Microsoft recommends (2, for one minute).
    ///
    /// # Errors
    /// When the handshake is not answered.
    pub async fn subscribe(&self, url: &str) -> Result<Subscription, String> {
        self.hub.subscribe(url, 2, 60_000, &[]).await
    }

    /// What goes wrong on purpose.
    pub fn set_faults(&self, faults: Faults) {
        self.hub.with(|state| set_faults(state, faults));
    }

    /// Changes times and numbers of the service.
    pub fn set_limits(&self, limits: Limits) {
        self.hub.with(|state| state.exchange.limits = limits);
    }

    /// All calls with their parties and connections.
    pub fn calls(&self) -> Vec<Value> {
        self.hub.with(|state| state.exchange.overview())
    }

    /// Everything a bot needs to know.
    pub fn setup(&self) -> Value {
        self.hub.with(|state| setup(state, &self.hub))
    }

    /// Lets requests under way finish, and stops.
    pub async fn stop(mut self) {
        // Nobody listens when it has stopped by itself.
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..1) {
            if tokio::time::timeout(std::time::Duration::from_secs(2), task).await.is_err() {
                tracing::debug!("connections are cut");
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Nobody listens when it has stopped by itself.
        let _ = self.stop.send(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A key from the folder, or a new one (kept there).
fn key(folder: Option<&Path>, name: &str) -> io::Result<SigningKey> {
    let Some(file) = folder.map(|folder| folder.join(name)) else { return SigningKey::generate() };
    if file.is_file() {
        return SigningKey::from_pkcs8(&fs::read(file)?);
    }
    let key = SigningKey::generate()?;
    if let Some(bytes) = key.to_pkcs8() {
        fs::write(file, bytes)?;
    }
    Ok(key)
}

pub(crate) fn person(hub: &Arc<Hub>, raw: &str) -> Option<Person> {
    let state = hub.with(|state| state.exchange.person(raw).map(|person| person.tell.subscribe()))?;
    Some(Person { hub: Arc::clone(hub), raw: raw.to_owned(), state })
}

pub(crate) fn add_resource_account(state: &mut State, name: &str, number: &str, consent: bool) -> ResourceAccount {
    let exchange = &mut state.exchange;
    let account = exchange.directory.add_resource_account(&mut exchange.post.dice, name, number);
    if consent {
        set_consent(state, &account.id, Some("teamsResourceAccount"));
    }
    account
}

pub(crate) fn add_user(state: &mut State, name: &str, consent: bool) -> User {
    let exchange = &mut state.exchange;
    let user = exchange.directory.add_user(&mut exchange.post.dice, name);
    let extension = exchange.directory.extension_raw_id(&user.object_id);
    exchange.add_person(name, Identifier::from_raw(&extension));
    exchange.add_person(&format!("{name}-teams"), Identifier::TeamsUser(user.object_id.clone()));
    if consent {
        set_consent(state, &user.object_id, Some("user"));
    }
    user
}

fn set_consent(state: &mut State, object_id: &str, principal_type: Option<&str>) {
    let assignments = &mut state.exchange.directory.assignments;
    let key = object_id.to_ascii_lowercase();
    match principal_type {
        Some(kind) => drop(assignments.insert(key, Assignment { principal_type: kind.to_owned(), client_ids: Vec::new() })),
        None => drop(assignments.remove(&key)),
    }
}

pub(crate) fn set_faults(state: &mut State, faults: Faults) {
    state.chance.reset(&faults);
    state.exchange.faults = faults;
}

/// Everything a bot needs to know.
pub(crate) fn setup(state: &State, hub: &Hub) -> Value {
    let directory = &state.exchange.directory;
    json!({
        "endpoint": hub.base,
        "connectionString": format!("endpoint={}/;accesskey={}", hub.base, directory.access_keys[0]),
        "accessKey": directory.access_keys[0],
        "resourceId": directory.resource_id,
        "authority": hub.base,
        "tenantId": directory.tenant_id,
        "clientId": directory.applications[0].client_id,
        "clientSecret": directory.applications[0].secrets[0],
        "deskClientId": directory.applications[1].client_id,
        "callbackIssuer": hub.keys.issuer,
        "callbackConfiguration": format!("{}/calling/.well-known/acsopenidconfiguration", hub.base),
        "resourceAccounts": directory.resource_accounts,
        "users": directory.users.iter().map(|user| json!({
            "name": user.name, "objectId": user.object_id, "userPrincipalName": user.user_principal_name, "password": user.password,
            "contactCenterRawId": directory.extension_raw_id(&user.object_id),
            "teamsRawId": format!("8:orgid:{}", user.object_id),
        })).collect::<Vec<_>>(),
    })
}

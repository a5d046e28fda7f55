//! Registering: a telephone's REGISTERs written by hand, and our own registration against our own registrar.

use std::time::{Duration, Instant};

use dreiklang_sip::digest::{Credentials, Secret, authorize};
use dreiklang_sip::event::{Event, RequestFailed};
use dreiklang_sip::hop::{ConnectionId, Hop};
use dreiklang_sip::message::{Message, NameAddr, Request, Response, Uri, parse_datagram};
use dreiklang_sip::registrar::{Registrar, RegistrarConfig, RegistrarEvent};
use dreiklang_sip::registration::{Registration, RegistrationConfig, RegistrationEvent};

use crate::network::{Alice, Bob, Fate, Pair};

struct Phone {
    registrar: Registrar,
    now: Instant,
    hop: Hop,
    password: &'static str,
    number: u32,
    call_id: &'static str,
}

fn secrets(user: &str) -> Option<Secret> {
    matches!(user, "anna" | "ben").then(|| Secret::Password("right".into()))
}

impl Phone {
    fn new() -> Phone {
        let now = Instant::now();
        Phone {
            registrar: Registrar::new(RegistrarConfig::new("pbx"), [5; 32], now),
            now,
            hop: Hop::udp("203.0.113.9:41000".parse().unwrap()),
            password: "right",
            number: 0,
            call_id: "phone",
        }
    }

    fn request(&mut self, user: &str, lines: &str) -> Request {
        self.number += 1;
        let text = format!(
            "REGISTER sip:pbx SIP/2.0\nVia: SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bK{0};rport=41000;received=203.0.113.9\n\
             From: <sip:{user}@pbx>;tag=1\nTo: <sip:{user}@pbx>\nCall-ID: {1}\nCSeq: {0} REGISTER\n{lines}Content-Length: 0\n\n",
            self.number, self.call_id
        );
        match parse_datagram(text.replace('\n', "\r\n").as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn handle(&mut self, request: &Request) -> (Response, Vec<RegistrarEvent>) {
        self.registrar.handle(self.now, &self.hop, request, &secrets)
    }

    /// Registers with the answer to the challenge.
    fn register(&mut self, user: &str, lines: &str) -> (Response, Vec<RegistrarEvent>) {
        self.register_as(user, user, lines)
    }

    fn register_as(&mut self, login: &str, user: &str, lines: &str) -> (Response, Vec<RegistrarEvent>) {
        let request = self.request(user, lines);
        let (challenge, events) = self.handle(&request);
        assert_eq!(challenge.status, 401);
        assert!(events.is_empty());
        let mut request = self.request(user, lines);
        assert!(authorize(&mut request, &challenge, &Credentials::new(login, self.password), "cafe"));
        self.handle(&request)
    }

    fn contacts(&self, user: &str) -> Vec<String> {
        self.registrar.bindings(user).iter().map(|binding| binding.contact.to_string()).collect()
    }
}

const CONTACT: &str = "Contact: <sip:anna@192.168.1.5:5060>\n";

#[test]
fn a_telephone_registers_refreshes_and_leaves() {
    let mut phone = Phone::new();
    let (response, events) = phone.register("anna", &format!("{CONTACT}Expires: 600\n"));
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.get("Contact"), Some("<sip:anna@192.168.1.5:5060>;expires=600"));
    let contact = "sip:anna@192.168.1.5:5060".to_owned();
    assert_eq!(events, [RegistrarEvent::Registered { user: "anna".into(), contact: contact.clone(), is_new: true }]);
    assert_eq!(phone.registrar.bindings("anna")[0].hop, phone.hop, "back through the NAT");
    phone.now += Duration::from_secs(300);
    let (_, events) = phone.register("anna", &format!("{CONTACT}Expires: 600\n"));
    assert_eq!(events, [RegistrarEvent::Registered { user: "anna".into(), contact: contact.clone(), is_new: false }]);
    let (response, events) = phone.register("anna", "Contact: <sip:anna@192.168.1.5:5060>;expires=0\n");
    assert!(!response.headers.contains("Contact"));
    assert_eq!(events, [RegistrarEvent::Unregistered { user: "anna".into(), contact }]);
    assert_eq!(phone.registrar.users().count(), 0);
    assert_eq!(phone.registrar.poll_timeout(), None);
}

#[test]
fn a_binding_that_is_not_refreshed_expires() {
    let mut phone = Phone::new();
    phone.register("anna", &format!("{CONTACT}Expires: 600\n"));
    assert_eq!(phone.registrar.poll_timeout(), Some(phone.now + Duration::from_secs(600)));
    assert!(phone.registrar.handle_timeout(phone.now + Duration::from_secs(599)).is_empty());
    let events = phone.registrar.handle_timeout(phone.now + Duration::from_secs(600));
    assert!(matches!(&events[..], [RegistrarEvent::Expired { user, .. }] if user == "anna"));
    assert!(phone.contacts("anna").is_empty());
    assert_eq!(phone.registrar.poll_timeout(), None);
}

#[test]
fn lifetimes_are_bounded_on_both_sides() {
    let mut phone = Phone::new();
    let (response, _) = phone.register("anna", &format!("{CONTACT}Expires: 59\n"));
    assert_eq!((response.status, response.headers.get("Min-Expires")), (423, Some("60")));
    assert!(phone.contacts("anna").is_empty());
    let (response, _) = phone.register("anna", &format!("{CONTACT}Expires: 999999\n"));
    assert!(response.headers.get("Contact").unwrap().ends_with(";expires=7200"));
    let (response, _) = phone.register("anna", CONTACT);
    assert!(response.headers.get("Contact").unwrap().ends_with(";expires=3600"));
}

#[test]
fn a_wildcard_removes_everything_and_only_with_expires_0() {
    let mut phone = Phone::new();
    phone.register("anna", CONTACT);
    phone.register("anna", "Contact: <sip:anna@192.168.1.6>\n");
    assert_eq!(phone.register("anna", "Contact: *\n").0.status, 400);
    assert_eq!(phone.register("anna", "Contact: *\nExpires: 60\n").0.status, 400);
    let (response, events) = phone.register("anna", "Contact: *\nExpires: 0\n");
    assert_eq!((response.status, events.len()), (200, 2));
    assert!(phone.contacts("anna").is_empty());
}

#[test]
fn a_register_without_contact_asks_for_the_bindings() {
    let mut phone = Phone::new();
    phone.register("anna", "Contact: <sip:anna@192.168.1.5>;q=0.2, <sip:anna@192.168.1.6>;q=0.9\n");
    let (response, events) = phone.register("anna", "");
    assert!(events.is_empty());
    let listed: Vec<&str> = response.headers.all("Contact").collect();
    assert_eq!(listed, ["<sip:anna@192.168.1.6>;expires=3600", "<sip:anna@192.168.1.5>;expires=3600"], "preferred first");
}

#[test]
fn a_sixth_binding_takes_the_place_of_the_oldest() {
    let mut phone = Phone::new();
    for device in 1..=5 {
        phone.register("anna", &format!("Contact: <sip:anna@192.168.1.{device}>\n"));
        phone.now += Duration::from_secs(1);
    }
    phone.register("anna", "Contact: <sip:anna@192.168.1.1>\n");
    phone.now += Duration::from_secs(1);
    let (_, events) = phone.register("anna", "Contact: <sip:anna@192.168.1.6>\n");
    assert!(events.contains(&RegistrarEvent::Unregistered { user: "anna".into(), contact: "sip:anna@192.168.1.2".into() }));
    assert_eq!(phone.contacts("anna").len(), 5);
}

#[test]
fn a_telephone_with_an_instance_replaces_its_own_old_address() {
    let mut phone = Phone::new();
    let with = |port: u16| format!("Contact: <sip:anna@192.168.1.5:{port};transport=tcp>;+sip.instance=\"<urn:uuid:1>\"\n");
    phone.register("anna", &with(49_000));
    phone.call_id = "after-reboot";
    let (_, events) = phone.register("anna", &with(49_001));
    assert_eq!(events.len(), 2);
    assert_eq!(phone.contacts("anna"), ["sip:anna@192.168.1.5:49001;transport=tcp"]);
}

#[test]
fn nobody_registers_for_somebody_else_or_with_a_wrong_password() {
    let mut phone = Phone::new();
    assert_eq!(phone.register_as("ben", "anna", CONTACT).0.status, 403);
    phone.password = "wrong";
    assert_eq!(phone.register("anna", CONTACT).0.status, 401);
    assert_eq!(phone.register("nobody", CONTACT).0.status, 401);
    assert!(phone.contacts("anna").is_empty());
}

#[test]
fn an_address_that_guesses_passwords_is_shut_out_for_a_while_and_others_are_not() {
    let mut phone = Phone::new();
    phone.password = "wrong";
    for _ in 0..10 {
        assert_eq!(phone.register("anna", CONTACT).0.status, 401);
    }
    let request = phone.request("anna", CONTACT);
    let (response, _) = phone.handle(&request);
    assert_eq!((response.status, response.headers.retry_after_s()), (403, Some(60)));
    phone.hop = Hop::udp("203.0.113.10:41000".parse().unwrap());
    phone.password = "right";
    assert_eq!(phone.register("anna", CONTACT).0.status, 200);
    phone.hop = Hop::udp("203.0.113.9:41000".parse().unwrap());
    phone.now += Duration::from_secs(61);
    assert_eq!(phone.register("anna", CONTACT).0.status, 200);
}

#[test]
fn an_old_register_does_not_undo_a_newer_one() {
    let mut phone = Phone::new();
    phone.register("anna", CONTACT);
    phone.number = 0;
    let (response, events) = phone.register("anna", "Contact: <sip:anna@192.168.1.5:5060>;expires=0\n");
    assert_eq!(response.status, 500);
    assert!(events.is_empty());
    assert_eq!(phone.contacts("anna").len(), 1);
}

#[test]
fn calls_to_a_contact_go_to_its_own_port_when_there_is_no_nat() {
    let mut phone = Phone::new();
    phone.register("anna", "Contact: <sip:anna@203.0.113.9:5070>\n");
    assert_eq!(phone.registrar.bindings("anna")[0].hop.remote.port(), 5070);
    let mut stream = Hop::tcp("203.0.113.9:50123".parse().unwrap());
    stream.connection = Some(ConnectionId(3));
    phone.hop = stream;
    phone.register("ben", "Contact: <sip:ben@203.0.113.9:5080;transport=tcp>\n");
    let hop = &phone.registrar.bindings("ben")[0].hop;
    assert_eq!((hop.connection, hop.remote.port()), (Some(ConnectionId(3)), 5080));
}

#[test]
fn a_telephone_behind_a_nat_is_gone_with_its_connection_and_one_without_is_dialed() {
    let mut phone = Phone::new();
    let mut stream = Hop::tcp("203.0.113.9:50123".parse().unwrap());
    stream.connection = Some(ConnectionId(3));
    phone.hop = stream;
    phone.register("anna", "Contact: <sip:anna@192.168.1.5:5080;transport=tcp>\n");
    phone.register("ben", "Contact: <sip:ben@203.0.113.9:5080;transport=tcp>\n");
    assert!(phone.registrar.handle_closed(ConnectionId(4)).is_empty());
    let events = phone.registrar.handle_closed(ConnectionId(3));
    assert!(matches!(&events[..], [RegistrarEvent::Expired { user, .. }] if user == "anna"), "{events:?}");
    assert!(phone.contacts("anna").is_empty());
    let hop = &phone.registrar.bindings("ben")[0].hop;
    assert_eq!((hop.connection, hop.remote), (None, "203.0.113.9:5080".parse().unwrap()));
}

#[test]
fn bindings_survive_export_and_import() {
    let mut phone = Phone::new();
    phone.register("anna", &format!("{CONTACT}Expires: 600\n"));
    phone.register("ben", "Contact: <sip:ben@192.168.1.7>\nExpires: 60\n");
    let stored = phone.registrar.export(phone.now + Duration::from_secs(60));
    assert_eq!(stored.len(), 2);
    let later = phone.now + Duration::from_secs(1_000);
    let mut again = Registrar::new(RegistrarConfig::new("pbx"), [6; 32], later);
    again.import(later, stored);
    assert_eq!(again.users().collect::<Vec<_>>(), ["anna"], "what has run out is left out");
    assert_eq!(again.bindings("anna")[0].hop, phone.hop);
    assert_eq!(again.poll_timeout(), Some(later + Duration::from_secs(540)));
}

/// Alice keeps a registration at Bob's registrar.
struct Trunk {
    pair: Pair,
    registration: Registration,
    registrar: Registrar,
    told: Vec<RegistrationEvent>,
    /// A status that Bob answers with instead of serving.
    broken: Option<(u16, u32)>,
}

impl Trunk {
    fn new(expires_min: Duration) -> Trunk {
        let pair = Pair::new();
        let config = RegistrationConfig {
            registrar: Uri::parse("sip:10.0.0.2").unwrap(),
            hop: Hop::udp(Bob.address()),
            aor: NameAddr::new(Uri::parse("sip:anna@10.0.0.2").unwrap()),
            contact: "<sip:anna@10.0.0.1:5060>".into(),
            credentials: Some(Credentials::new("anna", "right")),
            expires: Duration::from_secs(600),
        };
        let mut registrar = RegistrarConfig::new("pbx");
        registrar.expires_min = expires_min;
        let now = pair.now;
        Trunk {
            pair,
            registration: Registration::new(config, [8; 32]),
            registrar: Registrar::new(registrar, [5; 32], now),
            told: Vec::new(),
            broken: None,
        }
    }

    fn with(&mut self, action: impl FnOnce(&mut Registration, Instant, &mut dreiklang_sip::endpoint::Endpoint)) {
        let registration = &mut self.registration;
        self.pair.at(Alice, |endpoint, now| action(registration, now, endpoint));
    }

    fn run(&mut self, time: Duration) {
        let until = self.pair.now + time;
        while self.pair.now < until {
            self.pair.run(Duration::from_millis(500));
            self.with(|registration, now, endpoint| registration.handle_timeout(now, endpoint));
            for event in self.pair.events(Bob) {
                let Event::Request { id, hop, request } = event else { panic!("{event:?}") };
                let response = match self.broken {
                    Some((status, wait)) => {
                        let mut response = Response::to_request(&request, status, "");
                        response.headers.push("Retry-After", &wait.to_string());
                        response
                    }
                    None => self.registrar.handle(self.pair.now, &hop, &request, &secrets).0,
                };
                self.pair.at(Bob, |endpoint, now| endpoint.respond(now, id, response));
            }
            for event in self.pair.events(Alice) {
                let Event::Response { id, result } = event else { panic!("{event:?}") };
                assert!(self.registration.owns(id));
                let mut told = None;
                self.with(|registration, now, endpoint| told = registration.handle_response(now, endpoint, id, &result));
                self.told.extend(told);
            }
        }
    }
}

#[test]
fn our_registration_answers_the_challenge_and_refreshes_in_time() {
    let mut trunk = Trunk::new(Duration::from_secs(60));
    trunk.with(|registration, now, endpoint| registration.start(now, endpoint));
    trunk.run(Duration::from_secs(5));
    assert_eq!(trunk.told, [RegistrationEvent::Registered { expires: Duration::from_secs(600) }]);
    assert!(trunk.registration.is_registered());
    assert_eq!(trunk.registrar.bindings("anna").len(), 1);
    for _ in 0..60 {
        trunk.run(Duration::from_secs(60));
        assert!(trunk.registrar.handle_timeout(trunk.pair.now).is_empty(), "expired before it was refreshed");
    }
    assert!((8..=9).contains(&trunk.told.len()), "{:?}", trunk.told.len());
    trunk.with(|registration, now, endpoint| registration.stop(now, endpoint));
    trunk.run(Duration::from_secs(5));
    assert_eq!(trunk.told.last(), Some(&RegistrationEvent::Unregistered));
    assert!(trunk.registrar.bindings("anna").is_empty());
    assert_eq!(trunk.registration.poll_timeout(), None);
}

#[test]
fn our_registration_obeys_423() {
    let mut trunk = Trunk::new(Duration::from_secs(1_800));
    trunk.with(|registration, now, endpoint| registration.start(now, endpoint));
    trunk.run(Duration::from_secs(5));
    assert_eq!(trunk.told, [RegistrationEvent::Registered { expires: Duration::from_secs(1_800) }]);
}

#[test]
fn our_registration_backs_off_further_with_every_failure_and_recovers() {
    let mut trunk = Trunk::new(Duration::from_secs(60));
    trunk.pair.set_rule(|_| Fate::Lose);
    trunk.with(|registration, now, endpoint| registration.start(now, endpoint));
    trunk.run(Duration::from_secs(1_200));
    let waits: Vec<u64> = trunk
        .told
        .iter()
        .map(|event| match event {
            RegistrationEvent::Failed { status: None, retry_in } => retry_in.as_secs(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(waits.len() >= 4 && waits[0] <= 30 && waits[3] >= 100, "{waits:?}");
    trunk.pair.set_rule(|_| Fate::Deliver);
    trunk.told.clear();
    trunk.run(Duration::from_secs(1_800));
    assert!(matches!(trunk.told.first(), Some(RegistrationEvent::Registered { .. })));
}

#[test]
fn our_registration_obeys_retry_after() {
    let mut trunk = Trunk::new(Duration::from_secs(60));
    trunk.broken = Some((503, 7));
    trunk.with(|registration, now, endpoint| registration.start(now, endpoint));
    trunk.run(Duration::from_secs(5));
    assert_eq!(trunk.told, [RegistrationEvent::Failed { status: Some(503), retry_in: Duration::from_secs(7) }]);
    trunk.broken = None;
    trunk.run(Duration::from_secs(10));
    assert!(trunk.registration.is_registered());
}

#[test]
fn a_response_to_somebody_elses_request_is_not_ours() {
    let mut trunk = Trunk::new(Duration::from_secs(60));
    trunk.with(|registration, now, endpoint| registration.start(now, endpoint));
    let strange = dreiklang_sip::event::RequestId(999);
    assert!(!trunk.registration.owns(strange));
    trunk.with(|registration, now, endpoint| {
        assert_eq!(registration.handle_response(now, endpoint, strange, &Err(RequestFailed::TimedOut)), None);
    });
}

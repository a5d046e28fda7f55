//! The sockets over loopback: UDP, TCP, TLS with and without client certificates, and what happens when peers misbehave.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use dreiklang_sip::hop::{Hop, Transport};
use dreiklang_sip::message::{Message, Method, Request, Response, Uri};
use dreiklang_sip::transport::{BindError, ClientCertificates, Config, Incoming, Item, StreamLimits, TlsConfig, Transports};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// Far longer than anything here takes; a test that hits it has failed.
const LIMIT: Duration = Duration::from_secs(20);

const LOOPBACK: &str = "127.0.0.1:0";

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.expect("nothing came in time")
}

fn request(call_id: &str) -> Vec<u8> {
    let mut request = Request::new(Method::Options, Uri::parse("sip:bob@example.com").unwrap());
    for (name, value) in [
        ("Via", "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"),
        ("From", "<sip:alice@example.com>;tag=1"),
        ("To", "<sip:bob@example.com>"),
        ("Call-ID", call_id),
        ("CSeq", "1 OPTIONS"),
    ] {
        request.headers.push(name, value);
    }
    request.to_bytes()
}

async fn bind(config: Config) -> Transports {
    Transports::bind(config).await.unwrap()
}

async fn on_udp() -> (Transports, SocketAddr) {
    let transports = bind(Config { udp: Some(LOOPBACK.parse().unwrap()), ..Config::default() }).await;
    let address = transports.local_addresses().udp.unwrap();
    (transports, address)
}

async fn on_tcp(streams: StreamLimits) -> (Transports, SocketAddr) {
    let transports = bind(Config { tcp: Some(LOOPBACK.parse().unwrap()), streams, ..Config::default() }).await;
    let address = transports.local_addresses().tcp.unwrap();
    (transports, address)
}

/// The next message as hop and Call-ID.
async fn next_call_id(transports: &mut Transports) -> (Hop, String) {
    let Incoming { hop, item } = soon(transports.recv()).await;
    match item {
        Item::Message(message) => (hop, message.headers().call_id().unwrap().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// Reads until the peer closes.
async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn datagrams_travel_both_ways() {
    let (mut left, left_address) = on_udp().await;
    let (mut right, right_address) = on_udp().await;
    left.send(&Hop::udp(right_address), request("a"));
    let (hop, call_id) = next_call_id(&mut right).await;
    assert_eq!((hop.clone(), call_id.as_str()), (Hop::udp(left_address), "a"));
    right.send(&hop, request("b"));
    assert_eq!(next_call_id(&mut left).await, (Hop::udp(right_address), "b".to_owned()));
}

#[tokio::test]
async fn a_flood_of_datagrams_arrives_in_order() {
    let (left, _) = on_udp().await;
    let (mut right, right_address) = on_udp().await;
    for number in 0..500 {
        left.send(&Hop::udp(right_address), request(&number.to_string()));
    }
    for number in 0..500 {
        assert_eq!(next_call_id(&mut right).await.1, number.to_string());
    }
    assert_eq!(left.dropped_datagrams(), 0);
}

#[tokio::test]
async fn noise_is_skipped_and_broken_requests_come_with_their_answer() {
    let (mut transports, address) = on_udp().await;
    let peer = UdpSocket::bind(LOOPBACK).await.unwrap();
    peer.send_to(b"\r\n\r\n", address).await.unwrap();
    peer.send_to(b"\x00\x01\x00\x00", address).await.unwrap();
    let broken = String::from_utf8(request("a")).unwrap().replace("CSeq: 1", "CSeq: x");
    peer.send_to(broken.as_bytes(), address).await.unwrap();
    let Incoming { hop, item } = soon(transports.recv()).await;
    assert_eq!(hop, Hop::udp(peer.local_addr().unwrap()));
    let Item::Malformed(malformed) = item else { panic!("{item:?}") };
    assert_eq!(malformed.answerable.unwrap().status, 400);
}

#[tokio::test]
async fn a_socket_for_both_families_shows_plain_ipv4_addresses() {
    let Ok(mut transports) = Transports::bind(Config { udp: Some("[::]:0".parse().unwrap()), ..Config::default() }).await else {
        // A machine without IPv6 has nothing to test here.
        return;
    };
    let (mut peer, peer_address) = on_udp().await;
    let port = transports.local_addresses().udp.unwrap().port();
    peer.send(&Hop::udp(SocketAddr::new([127, 0, 0, 1].into(), port)), request("a"));
    let (hop, _) = next_call_id(&mut transports).await;
    assert_eq!(hop.remote, peer_address);
    transports.send(&hop, request("b"));
    assert_eq!(next_call_id(&mut peer).await.1, "b");
}

#[tokio::test]
async fn an_occupied_port_is_reported_with_what_to_do() {
    let (_transports, address) = on_udp().await;
    let error = Transports::bind(Config { udp: Some(address), ..Config::default() }).await.unwrap_err();
    assert_eq!(error, BindError::Occupied { transport: Transport::Udp, address });
    assert!(error.to_string().contains(&format!("ss -lnp | grep :{}", address.port())), "{error}");
    let (_transports, address) = on_tcp(StreamLimits::default()).await;
    let error = Transports::bind(Config { tcp: Some(address), ..Config::default() }).await.unwrap_err();
    assert_eq!(error, BindError::Occupied { transport: Transport::Tcp, address });
    let foreign = "192.0.2.1:0".parse().unwrap();
    let error = Transports::bind(Config { udp: Some(foreign), ..Config::default() }).await.unwrap_err();
    assert_eq!(error, BindError::NotLocal { transport: Transport::Udp, address: foreign });
}

#[tokio::test]
async fn one_connection_serves_both_directions_and_later_messages() {
    let (mut server, address) = on_tcp(StreamLimits::default()).await;
    let (mut client, _) = on_tcp(StreamLimits::default()).await;
    client.send(&Hop::tcp(address), request("a"));
    client.send(&Hop::tcp(address), request("b"));
    let (hop, first) = next_call_id(&mut server).await;
    assert_eq!((first.as_str(), next_call_id(&mut server).await.1.as_str()), ("a", "b"));
    server.send(&hop, request("c"));
    let (back, call_id) = next_call_id(&mut client).await;
    assert_eq!((back.remote, call_id.as_str()), (address, "c"));
    client.send(&back, request("d"));
    let (again, call_id) = next_call_id(&mut server).await;
    assert_eq!((again, call_id.as_str()), (hop, "d"));
    assert_eq!((client.connection_count(), server.connection_count()), (1, 1));
}

#[tokio::test]
async fn a_lost_connection_is_reported_and_opened_again() {
    let (mut client, _) = on_tcp(StreamLimits::default()).await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    client.send(&Hop::tcp(address), request("a"));
    let (mut peer, _) = soon(listener.accept()).await.unwrap();
    let mut buffer = [0; 4096];
    assert!(soon(peer.read(&mut buffer)).await.unwrap() > 0);
    peer.write_all(&request("b")).await.unwrap();
    let (hop, _) = next_call_id(&mut client).await;
    drop(peer);
    let closed = soon(client.recv()).await;
    assert!(matches!(closed.item, Item::Closed), "{closed:?}");
    assert_eq!(closed.hop, hop);
    assert_eq!(client.connection_count(), 0);
    client.send(&hop, request("c"));
    let (mut peer, _) = soon(listener.accept()).await.unwrap();
    let len = soon(peer.read(&mut buffer)).await.unwrap();
    assert!(String::from_utf8_lossy(&buffer[..len]).contains("Call-ID: c"));
}

#[tokio::test]
async fn a_refused_connection_fails_every_waiting_message_with_its_hop() {
    let (mut client, _) = on_tcp(StreamLimits::default()).await;
    let nobody = TcpListener::bind(LOOPBACK).await.unwrap().local_addr().unwrap();
    let hop = Hop::tcp(nobody);
    client.send(&hop, request("a"));
    client.send(&hop, request("b"));
    for _ in 0..2 {
        let failed = soon(client.recv()).await;
        assert!(matches!(failed.item, Item::Failed { .. }), "{failed:?}");
        assert_eq!(failed.hop, hop);
    }
    client.send(&Hop::udp(nobody), request("c"));
    assert!(matches!(soon(client.recv()).await.item, Item::Failed { reason } if reason == "UDP is not configured"));
    client.send(&Hop::tls(nobody, "localhost"), request("d"));
    assert!(matches!(soon(client.recv()).await.item, Item::Failed { reason } if reason == "TLS is not configured"));
}

#[tokio::test]
async fn pings_are_answered_whole_or_in_halves() {
    let (_server, address) = on_tcp(StreamLimits::default()).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    peer.set_nodelay(true).unwrap();
    let mut answer = [0; 2];
    for halves in [&[&b"\r\n\r\n"[..]][..], &[&b"\r\n"[..], &b"\r\n"[..]][..]] {
        for half in halves {
            peer.write_all(half).await.unwrap();
        }
        soon(peer.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"\r\n");
    }
}

#[tokio::test]
async fn a_peer_that_stops_answering_pings_is_given_up() {
    let short =
        StreamLimits { ping_interval: Duration::from_millis(40), pong_timeout: Duration::from_millis(200), ..StreamLimits::default() };
    let (mut client, _) = on_tcp(short).await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    client.send(&Hop::tcp(listener.local_addr().unwrap()), request("a"));
    let (mut peer, _) = soon(listener.accept()).await.unwrap();
    let mut first = vec![0; request("a").len() + 4];
    soon(peer.read_exact(&mut first)).await.unwrap();
    assert!(first.ends_with(b"\r\n\r\n"));
    peer.write_all(b"\r\n").await.unwrap();
    let closed = soon(client.recv()).await;
    assert!(matches!(closed.item, Item::Closed), "{closed:?}");
}

#[tokio::test]
async fn whoever_sends_no_message_in_time_is_disconnected() {
    let short = StreamLimits { message_timeout: Duration::from_millis(150), ..StreamLimits::default() };
    let (mut server, address) = on_tcp(short).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"OPTIONS sip:a SIP/2.0\r\n").await.unwrap();
    let mut chatty = TcpStream::connect(address).await.unwrap();
    chatty.write_all(b"\r\n").await.unwrap();
    for stream in [&mut silent, &mut slow, &mut chatty] {
        assert!(read_to_end(stream).await.is_empty());
        assert!(matches!(soon(server.recv()).await.item, Item::Closed));
    }
    let mut good = TcpStream::connect(address).await.unwrap();
    good.write_all(&request("a")).await.unwrap();
    let (hop, _) = next_call_id(&mut server).await;
    good.write_all(b"OPTIONS sip:a SIP/2.0\r\n").await.unwrap();
    let closed = soon(server.recv()).await;
    assert!(matches!(closed.item, Item::Closed), "{closed:?}");
    assert_eq!(closed.hop, hop);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let short = StreamLimits { idle_timeout: Duration::from_millis(100), ..StreamLimits::default() };
    let (mut server, address) = on_tcp(short).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    peer.write_all(&request("a")).await.unwrap();
    next_call_id(&mut server).await;
    assert!(matches!(soon(server.recv()).await.item, Item::Closed));
    assert!(read_to_end(&mut peer).await.is_empty());
}

#[tokio::test]
async fn a_stream_that_is_not_sip_is_answered_and_closed() {
    let (mut server, address) = on_tcp(StreamLimits::default()).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    let without_length = String::from_utf8(request("a")).unwrap().replace("Content-Length: 0\r\n", "");
    peer.write_all(without_length.as_bytes()).await.unwrap();
    let Incoming { hop, item } = soon(server.recv()).await;
    let Item::Malformed(malformed) = item else { panic!("{item:?}") };
    assert!(malformed.framing_lost);
    server.send(&hop, malformed.answerable.unwrap().to_bytes());
    let answer = read_to_end(&mut peer).await;
    assert!(answer.starts_with(b"SIP/2.0 400 "), "{}", String::from_utf8_lossy(&answer));
    assert!(matches!(soon(server.recv()).await.item, Item::Closed));
}

#[tokio::test]
async fn connections_are_limited_per_address() {
    let few = StreamLimits { connections_per_address_max: 2, ..StreamLimits::default() };
    let (mut server, address) = on_tcp(few).await;
    let mut kept = Vec::new();
    for number in 0..2 {
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(&request(&number.to_string())).await.unwrap();
        next_call_id(&mut server).await;
        kept.push(peer);
    }
    let mut refused = TcpStream::connect(address).await.unwrap();
    assert!(read_to_end(&mut refused).await.is_empty());
    kept.pop();
    assert!(matches!(soon(server.recv()).await.item, Item::Closed));
    let mut peer = TcpStream::connect(address).await.unwrap();
    peer.write_all(&request("again")).await.unwrap();
    assert_eq!(next_call_id(&mut server).await.1, "again");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up() {
    let short = StreamLimits { write_timeout: Duration::from_millis(200), ..StreamLimits::default() };
    let (mut client, _) = on_tcp(short).await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let hop = Hop::tcp(listener.local_addr().unwrap());
    client.send(&hop, request("a"));
    let (_deaf, _) = soon(listener.accept()).await.unwrap();
    let failed = soon(async {
        loop {
            // 16 MiB overfill every socket buffer; the queue or the write gives up, whichever is first.
            for _ in 0..256 {
                client.send(&hop, vec![b'x'; 65_536]);
            }
            if let Item::Failed { .. } = client.recv().await.item {
                return true;
            }
        }
    });
    assert!(failed.await);
}

#[tokio::test]
async fn closing_writes_out_what_is_queued() {
    let (mut server, address) = on_tcp(StreamLimits::default()).await;
    let (mut client, _) = on_tcp(StreamLimits::default()).await;
    client.send(&Hop::tcp(address), request("a"));
    let (hop, _) = next_call_id(&mut server).await;
    for number in 0..100 {
        server.send(&hop, request(&number.to_string()));
    }
    soon(server.close()).await;
    for number in 0..100 {
        assert_eq!(next_call_id(&mut client).await.1, number.to_string());
    }
    assert!(matches!(soon(client.recv()).await.item, Item::Closed));
    server.send(&Hop::tcp(address), request("late"));
    assert!(
        soon(async {
            loop {
                if let Item::Failed { .. } = server.recv().await.item {
                    return true;
                }
            }
        })
        .await
    );
}

/// An authority with certificates in a folder that goes away with it.
struct Pki {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    fn new(name: &str) -> Pki {
        let folder = std::env::temp_dir().join(format!("dreiklang-sip-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Test authority");
        let key = KeyPair::generate().unwrap();
        fs::write(folder.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Pki { issuer: Issuer::new(params, key), folder }
    }

    /// Settings of a peer whose certificate carries these names and purposes.
    fn peer(&self, names: &[&str], usages: &[ExtendedKeyUsagePurpose], client_certificates: ClientCertificates) -> TlsConfig {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.extended_key_usages = usages.to_vec();
        let key = KeyPair::generate().unwrap();
        let file = |suffix: &str| self.folder.join(format!("{}.{suffix}.pem", names[0].replace('*', "_")));
        fs::write(file("crt"), params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        fs::write(file("key"), key.serialize_pem()).unwrap();
        TlsConfig {
            address: LOOPBACK.parse().unwrap(),
            certificate_file: file("crt"),
            key_file: file("key"),
            authority_file: Some(self.folder.join("ca.pem")),
            client_certificates,
        }
    }
}

impl Drop for Pki {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn on_tls(tls: TlsConfig) -> (Transports, SocketAddr) {
    let transports = bind(Config { tls: Some(tls), ..Config::default() }).await;
    let address = transports.local_addresses().tls.unwrap();
    (transports, address)
}

const SERVER: [ExtendedKeyUsagePurpose; 1] = [ExtendedKeyUsagePurpose::ServerAuth];

#[tokio::test]
async fn both_sides_prove_who_they_are_with_server_certificates() {
    let pki = Pki::new("mutual");
    let (mut server, address) = on_tls(pki.peer(&["pbx.example.com"], &SERVER, ClientCertificates::Required)).await;
    let (mut client, _) = on_tls(pki.peer(&["*.sbc.example.com"], &SERVER, ClientCertificates::Required)).await;
    client.send(&Hop::tls(address, "pbx.example.com"), request("a"));
    let (hop, _) = next_call_id(&mut server).await;
    let certificate = server.peer_certificate(hop.connection.unwrap()).unwrap();
    assert!(certificate.is_for("one.sbc.example.com"));
    assert!(!certificate.is_for("two.one.sbc.example.com") && !certificate.is_for("sbc.example.com") && !certificate.is_for("not a name"));
    server.send(&hop, request("b"));
    let (back, call_id) = next_call_id(&mut client).await;
    assert_eq!(call_id, "b");
    assert!(client.peer_certificate(back.connection.unwrap()).unwrap().is_for("pbx.example.com"));
}

#[tokio::test]
async fn a_server_with_another_name_or_authority_is_not_trusted() {
    let pki = Pki::new("name");
    let (_server, address) = on_tls(pki.peer(&["pbx.example.com"], &SERVER, ClientCertificates::NotRequested)).await;
    let (mut client, _) = on_tls(pki.peer(&["client.example.com"], &SERVER, ClientCertificates::NotRequested)).await;
    let hop = Hop::tls(address, "other.example.com");
    client.send(&hop, request("a"));
    let failed = soon(client.recv()).await;
    assert_eq!(failed.hop, hop);
    assert!(matches!(&failed.item, Item::Failed { reason } if reason.contains("certificate")), "{failed:?}");
    let foreign = Pki::new("foreign");
    let (mut stranger, _) = on_tls(foreign.peer(&["client.example.com"], &SERVER, ClientCertificates::NotRequested)).await;
    stranger.send(&Hop::tls(address, "pbx.example.com"), request("b"));
    assert!(matches!(soon(stranger.recv()).await.item, Item::Failed { .. }));
}

#[tokio::test]
async fn a_required_client_certificate_is_required() {
    let pki = Pki::new("required");
    let foreign = Pki::new("stranger");
    let (mut server, address) = on_tls(pki.peer(&["pbx.example.com"], &SERVER, ClientCertificates::Required)).await;
    let mut config = foreign.peer(&["client.example.com"], &SERVER, ClientCertificates::NotRequested);
    config.authority_file = Some(pki.folder.join("ca.pem"));
    let (mut stranger, _) = on_tls(config).await;
    stranger.send(&Hop::tls(address, "pbx.example.com"), request("a"));
    // TLS 1.3 lets the client finish first; either way nothing gets through.
    assert!(matches!(soon(stranger.recv()).await.item, Item::Failed { .. } | Item::Closed));
    let (client, _) = on_tls(pki.peer(&["client.example.com"], &SERVER, ClientCertificates::NotRequested)).await;
    client.send(&Hop::tls(address, "pbx.example.com"), request("b"));
    assert_eq!(next_call_id(&mut server).await.1, "b");
}

#[tokio::test]
async fn an_optional_client_certificate_is_verified_when_there_is_one() {
    let pki = Pki::new("optional");
    let (mut server, address) = on_tls(pki.peer(&["127.0.0.1"], &SERVER, ClientCertificates::Optional)).await;
    let (client, _) =
        on_tls(pki.peer(&["client.example.com"], &[ExtendedKeyUsagePurpose::ClientAuth], ClientCertificates::NotRequested)).await;
    // Without a name the address is verified.
    client.send(&Hop { server_name: None, ..Hop::tls(address, "") }, request("a"));
    let (hop, _) = next_call_id(&mut server).await;
    assert!(server.peer_certificate(hop.connection.unwrap()).unwrap().is_for("client.example.com"));
}

#[tokio::test]
async fn an_optional_certificate_that_nobody_answers_for_proves_nothing_and_keeps_nobody_out() {
    let pki = Pki::new("maker");
    let foreign = Pki::new("of-telephones");
    let (mut server, address) = on_tls(pki.peer(&["pbx.example.com"], &SERVER, ClientCertificates::Optional)).await;
    let mut config = foreign.peer(&["telephone.example.com"], &SERVER, ClientCertificates::NotRequested);
    config.authority_file = Some(pki.folder.join("ca.pem"));
    let (telephone, _) = on_tls(config).await;
    telephone.send(&Hop::tls(address, "pbx.example.com"), request("a"));
    let (hop, call_id) = next_call_id(&mut server).await;
    assert_eq!(call_id, "a");
    assert!(server.peer_certificate(hop.connection.unwrap()).is_none());
}

#[tokio::test]
async fn new_files_are_used_after_reloading_and_broken_ones_are_not() {
    let pki = Pki::new("reload");
    let (mut server, address) = on_tls(pki.peer(&["old.example.com"], &SERVER, ClientCertificates::NotRequested)).await;
    let (mut client, _) = on_tls(pki.peer(&["client.example.com"], &SERVER, ClientCertificates::NotRequested)).await;
    let renewed = pki.peer(&["new.example.com"], &SERVER, ClientCertificates::NotRequested);
    let missing = TlsConfig { key_file: pki.folder.join("missing.pem"), ..renewed.clone() };
    assert!(matches!(server.reload_tls(&missing), Err(BindError::TlsFile { file, .. }) if file.ends_with("missing.pem")));
    let swapped = TlsConfig { certificate_file: pki.folder.join("client.example.com.crt.pem"), ..renewed.clone() };
    assert!(matches!(server.reload_tls(&swapped), Err(BindError::TlsFile { .. })));
    client.send(&Hop::tls(address, "new.example.com"), request("a"));
    assert!(matches!(soon(client.recv()).await.item, Item::Failed { .. }));
    server.reload_tls(&renewed).unwrap();
    client.send(&Hop::tls(address, "new.example.com"), request("b"));
    assert_eq!(next_call_id(&mut server).await.1, "b");
}

#[tokio::test]
async fn responses_and_requests_arrive_equal_over_a_real_socket() {
    let (left, _) = on_udp().await;
    let (mut right, address) = on_udp().await;
    let Ok(Message::Request(request)) = dreiklang_sip::message::parse_datagram(&request("a")) else { panic!() };
    let response = Response::to_request(&request, 200, "");
    left.send(&Hop::udp(address), response.to_bytes());
    let received = soon(right.recv()).await;
    assert!(matches!(received.item, Item::Message(Message::Response(received)) if received == response));
}

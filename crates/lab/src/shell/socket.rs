//! Sockets to applications: one task each, frames out, frames in.

use super::{Hub, lock};
use futures_util::{SinkExt, StreamExt};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

/// Frames that wait for a slow application: four seconds of sound.
const FRAMES_MAX: usize = 200;
/// Longest wait for the connection.
const OPEN_TIME: Duration = Duration::from_secs(10);

/// A socket to be opened.
pub(super) struct Opening {
    pub(super) id: u64,
    pub(super) url: String,
    pub(super) connection: String,
    pub(super) correlation: String,
    pub(super) token: String,
}

trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

impl Hub {
    /// A frame for a socket; lost when the application is too slow.
    pub(super) fn socket_text(&self, id: u64, text: String) {
        if let Some(socket) = lock(&self.sockets).get(&id) {
            // Sound that is late is of no use.
            let _ = socket.try_send(text);
        }
    }

    /// Opens a socket and serves it to its end.
    pub(super) async fn run_socket(self: Arc<Hub>, opening: Opening) {
        let id = opening.id;
        let opened = tokio::time::timeout(OPEN_TIME, open(&opening)).await;
        let socket = match opened {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => {
                tracing::warn!(url = opening.url, %error, "the application's socket cannot be opened");
                let details = match error {
                    Error::Http(response) if response.status() == 401 => "authenticationFailure",
                    Error::Http(response) if response.status() == 403 => "forbidden",
                    _ => "initialWebSocketConnectionFailed",
                };
                self.with(|state| state.exchange.socket_failed(id, details));
                return;
            }
            Err(_) => {
                self.with(|state| state.exchange.socket_failed(id, "serviceTimeout"));
                return;
            }
        };
        let (sender, mut frames) = mpsc::channel::<String>(FRAMES_MAX);
        lock(&self.sockets).insert(id, sender);
        self.with(|state| state.exchange.socket_opened(id));
        let (mut out, mut incoming) = socket.split();
        let is_closed_by_us = loop {
            tokio::select! {
                frame = frames.recv() => match frame {
                    Some(text) => {
                        if out.send(Message::text(text)).await.is_err() {
                            break false;
                        }
                    }
                    None => break true,
                },
                message = incoming.next() => match message {
                    Some(Ok(Message::Text(text))) => self.with(|state| state.exchange.socket_text(id, text.as_str())),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break false,
                    Some(Ok(_)) => {}
                },
            }
        };
        lock(&self.sockets).remove(&id);
        if is_closed_by_us {
            // The application may be gone already.
            let _ = out.send(Message::Close(None)).await;
        } else {
            self.with(|state| state.exchange.socket_failed(id, "streamConnectionInterrupted"));
        }
    }
}

async fn open(opening: &Opening) -> Result<WebSocketStream<Box<dyn Transport>>, Error> {
    let mut request = opening.url.as_str().into_client_request()?;
    let text = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    let headers = request.headers_mut();
    headers.insert("authorization", text(&format!("Bearer {}", opening.token)));
    headers.insert("x-ms-call-connection-id", text(&opening.connection));
    headers.insert("x-ms-call-correlation-id", text(&opening.correlation));
    let uri = request.uri().clone();
    let is_secure = uri.scheme_str() == Some("wss");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    // Frames are small and must not wait for each other; where that cannot be had they do.
    let _ = stream.set_nodelay(true);
    let stream: Box<dyn Transport> = if is_secure {
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        Box::new(TlsConnector::from(Arc::new(trusting()?)).connect(name, stream).await?)
    } else {
        Box::new(stream)
    };
    Ok(client_async(request, stream).await?.0)
}

/// Believes every certificate: whoever develops a bot has one of his own making.
fn trusting() -> io::Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(Trusting(provider))).with_no_client_auth())
}

#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

//! Connections of the origin, with TLS or plain. A slow or broken handshake holds up nobody else.

use rustls::ServerConfig;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Connections that wait to be served.
const READY_MAX: usize = 256;
/// Longest handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Pause after the system had no connection to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A connection.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Gives one connection after the other.
pub(crate) struct Listener {
    local: SocketAddr,
    ready: mpsc::Receiver<(Stream, SocketAddr)>,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Opens the address; plain without `tls`.
    pub(crate) async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> io::Result<Listener> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        let accepting = tokio::spawn(accept_all(listener, tls.map(TlsAcceptor::from), sender));
        Ok(Listener { local, ready, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(listener: TcpListener, tls: Option<TlsAcceptor>, ready: mpsc::Sender<(Stream, SocketAddr)>) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "no connection accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers should not wait for more; where that cannot be had they do.
        let _ = stream.set_nodelay(true);
        let ready = ready.clone();
        let Some(tls) = tls.clone() else {
            if ready.send((Stream::Plain(stream), peer)).await.is_err() {
                return;
            }
            continue;
        };
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                // Nobody takes it when the lab stops.
                Ok(Ok(stream)) => drop(ready.send((Stream::Tls(Box::new(stream)), peer)).await),
                Ok(Err(error)) => tracing::debug!(%peer, %error, "no handshake: does the client trust the lab's authority?"),
                Err(_) => tracing::debug!(%peer, "the handshake took too long"),
            }
        });
    }
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends only with us.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

//! Why sockets could not be opened, and what the operator can do.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::hop::Transport;

/// Why [`Transports::bind`](super::Transports::bind) failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Another program has the port.
    #[error("{transport} {address} is occupied by another program; stop it (`ss -lnp | grep :{port}` shows it) or configure another port", port = .address.port())]
    Occupied {
        /// The transport.
        transport: Transport,
        /// The address.
        address: SocketAddr,
    },
    /// The machine does not have the address.
    #[error(
        "{transport} {address}: this machine does not have the address; `ip address` lists those it has, 0.0.0.0 or [::] takes all of them"
    )]
    NotLocal {
        /// The transport.
        transport: Transport,
        /// The address.
        address: SocketAddr,
    },
    /// The system does not allow it.
    #[error("{transport} {address}: no permission; ports below 1024 need the capability CAP_NET_BIND_SERVICE, others do not")]
    Forbidden {
        /// The transport.
        transport: Transport,
        /// The address.
        address: SocketAddr,
    },
    /// Any other failure of the system.
    #[error("{transport}: {reason}")]
    System {
        /// The transport.
        transport: Transport,
        /// The system's words, with the address where there is one.
        reason: String,
    },
    /// A certificate, key or authority file cannot be used.
    #[error("TLS file {}: {reason}", .file.display())]
    TlsFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl BindError {
    pub(super) fn of(transport: Transport, address: SocketAddr, error: &io::Error) -> BindError {
        match error.kind() {
            io::ErrorKind::AddrInUse => BindError::Occupied { transport, address },
            io::ErrorKind::AddrNotAvailable => BindError::NotLocal { transport, address },
            io::ErrorKind::PermissionDenied => BindError::Forbidden { transport, address },
            _ => BindError::other(transport, Some(address), error),
        }
    }

    pub(super) fn other(transport: Transport, address: Option<SocketAddr>, error: &io::Error) -> BindError {
        let reason = address.map_or_else(|| error.to_string(), |address| format!("{address}: {error}"));
        BindError::System { transport, reason }
    }

    pub(super) fn tls(file: &Path, reason: impl ToString) -> BindError {
        BindError::TlsFile { file: file.to_owned(), reason: reason.to_string() }
    }
}

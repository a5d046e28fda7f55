//! Values that are each fine and together are not.

use super::{Config, ConfigError};

/// The first contradiction found, with the key to change.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let invalid = |key: &str, problem: String, remedy: &str| {
        Err(ConfigError::Contradiction { key: key.to_owned(), problem, remedy: remedy.to_owned() })
    };
    let media = &config.media;
    if !media.port_first.is_multiple_of(2) {
        return invalid("media.port_first", format!("{} is odd", media.port_first), "use an even port; audio takes it and the next one");
    }
    if media.port_last <= media.port_first {
        return invalid(
            "media.port_last",
            format!("{} is not above media.port_first ({})", media.port_last, media.port_first),
            "leave at least four ports per call",
        );
    }
    if media.threads > 256 {
        return invalid("media.threads", format!("{} threads", media.threads), "use 0 for one per core");
    }
    let connected = &config.connected;
    if connected.enabled && connected.udp.is_none() && connected.tcp.is_none() && connected.tls.is_none() {
        return invalid(
            "connected.enabled",
            "the line is on but listens nowhere".to_owned(),
            "set connected.udp, connected.tcp or connected.tls, or turn the line off",
        );
    }
    if connected.tls.is_some() && (connected.tls_certificate.is_none() || connected.tls_key.is_none()) {
        return invalid(
            "connected.tls",
            "encrypted streams need a certificate and its key".to_owned(),
            "set connected.tls_certificate and connected.tls_key to PEM files",
        );
    }
    for (key, file) in [
        ("connected.tls_certificate", &connected.tls_certificate),
        ("connected.tls_key", &connected.tls_key),
        ("connected.tls_authorities", &connected.tls_authorities),
    ] {
        if let Some(file) = file.as_ref().filter(|file| !file.is_file()) {
            return invalid(key, format!("there is no file {}", file.display()), "name a PEM file this process may read");
        }
    }
    if connected.realm.is_empty() || connected.realm.contains(['"', '\\', '\r', '\n']) {
        return invalid("connected.realm", format!("{:?} cannot be a realm", connected.realm), "use a plain name without quotes");
    }
    if let Some(file) = config.unified.authorities.as_ref().filter(|file| !file.is_file()) {
        let problem = format!("there is no file {}", file.display());
        return invalid("unified.authorities", problem, "name a PEM file this process may read");
    }
    for (key, url) in [("http.public_url", &config.http.public_url), ("unified.public_url", &config.unified.public_url)] {
        let Some(url) = url else { continue };
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
            return invalid(
                key,
                format!("{url:?} is not an address of the form https://host or https://host:port"),
                "give scheme and host, without a path and without a slash at the end",
            );
        }
    }
    if config.http.admin_listen == Some(config.http.listen) && config.http.listen.port() != 0 {
        return invalid(
            "http.admin_listen",
            format!("{} is the same as http.listen", config.http.listen),
            "use another port, or leave it out to have both on one",
        );
    }
    if config.log.filter.parse::<tracing_subscriber::EnvFilter>().is_err() {
        return invalid(
            "log.filter",
            format!("{:?} is not a filter", config.log.filter),
            "use a level (error, warn, info, debug, trace) or target=level pairs with commas",
        );
    }
    Ok(())
}

//! Who may call and be called on this line: each tenant's trunks, telephones and numbers, as the administrator set them up.
//!
//! Decides which tenant an arriving call belongs to. Left out: whether the call is authentic beyond its source address (the
//! registrar's and digest's business) and what happens to it (the core's).

use super::{
    settings::{Phone, Trunk},
    trunks::host_of,
};
use dreiklang_core::ids::{AgentId, TenantId};
use dreiklang_sip::transport::PeerCertificate;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
};

/// One tenant's part.
#[derive(Clone, Debug, Default)]
pub struct TenantEntries {
    /// Trunks.
    pub trunks: Vec<Trunk>,
    /// Telephones.
    pub phones: Vec<Phone>,
    /// Numbers the tenant has on this line.
    pub numbers: BTreeSet<String>,
}

/// A set of addresses in the form `192.0.2.0/24` or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `address` or `address/prefix`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Network, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| format!("\"{text}\" is not an address such as 192.0.2.7 or 192.0.2.0/24"))?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= longest)
                .ok_or_else(|| format!("\"{text}\": the part after / goes from 0 to {longest}"))?,
        };
        Ok(Network { address, prefix })
    }

    /// Whether the address lies in the network. IPv4 addresses written as IPv6 count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                u32::from(network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                u128::from(network) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

/// Everything the line knows of who is who.
#[derive(Debug, Default)]
pub struct Directory {
    tenants: BTreeMap<TenantId, Entry>,
    phones: HashMap<String, (TenantId, Phone)>,
}

#[derive(Debug, Default)]
struct Entry {
    entries: TenantEntries,
    /// Per trunk.
    sources: Vec<Sources>,
}

impl Directory {
    /// Replaces a tenant's part. Telephones whose user name another tenant already has are left out and returned, so that they
    /// can be complained about.
    pub fn put(&mut self, tenant: TenantId, entries: TenantEntries) -> Vec<String> {
        self.phones.retain(|_, (owner, _)| *owner != tenant);
        let mut taken = Vec::new();
        for phone in &entries.phones {
            if self.phones.contains_key(&phone.user) {
                taken.push(phone.user.clone());
            } else {
                self.phones.insert(phone.user.clone(), (tenant, phone.clone()));
            }
        }
        let sources = entries.trunks.iter().map(Sources::of).collect();
        self.tenants.insert(tenant, Entry { entries, sources });
        taken
    }

    /// A tenant's trunks, in the administrator's order.
    pub fn trunks(&self, tenant: TenantId) -> &[Trunk] {
        self.tenants.get(&tenant).map_or(&[], |entry| &entry.entries.trunks)
    }

    /// Every trunk of every tenant.
    pub fn all_trunks(&self) -> impl Iterator<Item = (TenantId, &Trunk)> {
        self.tenants.iter().flat_map(|(tenant, entry)| entry.entries.trunks.iter().map(|trunk| (*tenant, trunk)))
    }

    /// Notes what a peer's name resolved to, so that calls from there are known.
    pub fn peer_resolved(&mut self, tenant: TenantId, trunk: &str, addresses: &[SocketAddr]) {
        let Some(entry) = self.tenants.get_mut(&tenant) else { return };
        if let Some(index) = entry.entries.trunks.iter().position(|candidate| candidate.name == trunk) {
            entry.sources[index].peers.extend(addresses.iter().map(|address| address.ip().to_canonical()));
        }
    }

    /// The telephone with this user name.
    pub fn phone(&self, user: &str) -> Option<(TenantId, &Phone)> {
        self.phones.get(user).map(|(tenant, phone)| (*tenant, phone))
    }

    /// The agent whose telephone this is.
    pub fn agent_of(&self, user: &str) -> Option<(TenantId, AgentId)> {
        self.phone(user).map(|(tenant, phone)| (tenant, phone.agent))
    }

    /// Every telephone.
    pub fn phones(&self) -> impl Iterator<Item = (TenantId, &Phone)> {
        self.phones.values().map(|(tenant, phone)| (*tenant, phone))
    }

    /// The tenant and trunk a call from this source to this number belongs to. Where several tenants share a source, the one
    /// that has the number gets it; if none has it, the first, which then refuses it as unknown. Who shows a certificate that a
    /// trunk expects comes by that trunk, whatever trunk its address would fit; by the one with the called `host` where there are several.
    pub fn trunk_of(&self, source: IpAddr, certificate: Option<&PeerCertificate>, host: &str, dialed: &str) -> Option<(TenantId, &Trunk)> {
        let source = source.to_canonical();
        let is_called = |trunk: &Trunk| trunk.fqdn.as_deref().is_some_and(|fqdn| fqdn.eq_ignore_ascii_case(host));
        certificate
            .and_then(|certificate| {
                let proves = |trunk: &Trunk, sources: &Sources| shows(certificate, trunk) && sources.allow(source);
                self.find(dialed, |trunk, sources| is_called(trunk) && proves(trunk, sources)).or_else(|| self.find(dialed, proves))
            })
            .or_else(|| self.find(dialed, |trunk, sources| !trunk.by_certificate() && sources.name(source)))
    }

    /// Whether calls of some trunk come from this address.
    pub fn is_source(&self, source: IpAddr) -> bool {
        self.tenants.values().flat_map(|entry| &entry.sources).any(|sources| sources.name(source.to_canonical()))
    }

    fn find(&self, dialed: &str, fits: impl Fn(&Trunk, &Sources) -> bool) -> Option<(TenantId, &Trunk)> {
        let mut first = None;
        for (tenant, entry) in &self.tenants {
            let matching = entry.entries.trunks.iter().zip(&entry.sources).find(|(trunk, sources)| fits(trunk, sources));
            let Some((trunk, _)) = matching else { continue };
            if entry.entries.numbers.contains(dialed) {
                return Some((*tenant, trunk));
            }
            first = first.or(Some((*tenant, trunk)));
        }
        first
    }
}

/// Whether this is the certificate of the other side of a trunk that is known by one.
fn shows(certificate: &PeerCertificate, trunk: &Trunk) -> bool {
    trunk.by_certificate() && certificate_names(trunk).any(|name| certificate.is_for(name.trim_matches(['[', ']'])))
}

/// Names of which a trunk's peers show one in their certificates.
fn certificate_names(trunk: &Trunk) -> impl Iterator<Item = &str> {
    trunk.peers.iter().map(|peer| host_of(&peer.address))
}

/// Where calls of a trunk may come from.
#[derive(Clone, Debug, Default)]
struct Sources {
    networks: Vec<Network>,
    peers: BTreeSet<IpAddr>,
}

impl Sources {
    fn of(trunk: &Trunk) -> Sources {
        Sources { networks: networks_of(trunk), peers: literal_peers(trunk) }
    }

    /// Whether this address is one of them.
    fn name(&self, source: IpAddr) -> bool {
        self.peers.contains(&source) || self.networks.iter().any(|network| network.contains(source))
    }

    /// Whether nothing speaks against this address, for peers that prove who they are by other means.
    fn allow(&self, source: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(source))
    }
}

fn networks_of(trunk: &Trunk) -> Vec<Network> {
    // The interface refuses what does not parse; an old document that does not is simply no source.
    trunk.sources.iter().filter_map(|source| Network::parse(source).ok()).collect()
}

fn literal_peers(trunk: &Trunk) -> BTreeSet<IpAddr> {
    trunk.peers.iter().filter_map(|peer| literal(&peer.address)).map(|ip| ip.to_canonical()).collect()
}

/// The address in `address`, `address:port` or `[address]:port`, if it is one and no name.
fn literal(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.trim_matches(['[', ']']).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::settings::MediaEncryption;
    use super::*;

    fn trunk(name: &str, sources: &[&str]) -> Trunk {
        serde_json::from_value(serde_json::json!({ "name": name, "sources": sources })).unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        let network = Network::parse("192.0.2.0/24").unwrap();
        assert!(network.contains("192.0.2.255".parse().unwrap()));
        assert!(network.contains("::ffff:192.0.2.1".parse().unwrap()));
        assert!(!network.contains("192.0.3.0".parse().unwrap()));
        assert!(Network::parse("0.0.0.0/0").unwrap().contains("203.0.113.9".parse().unwrap()));
        assert!(Network::parse("2001:db8::/32").unwrap().contains("2001:db8:1::1".parse().unwrap()));
        assert!(Network::parse("192.0.2.0/33").is_err());
        assert!(Network::parse("sbc.example").is_err());
    }

    #[test]
    fn tenants_that_share_a_source_are_told_apart_by_number() {
        let mut directory = Directory::default();
        let entries = |number: &str| TenantEntries {
            trunks: vec![trunk("sbc", &["192.0.2.1"])],
            phones: Vec::new(),
            numbers: BTreeSet::from([number.to_owned()]),
        };
        directory.put(TenantId(1), entries("+4930111"));
        directory.put(TenantId(2), entries("+4930222"));
        let source = "192.0.2.1".parse().unwrap();
        assert_eq!(directory.trunk_of(source, None, "", "+4930222").map(|(tenant, _)| tenant), Some(TenantId(2)));
        assert_eq!(directory.trunk_of(source, None, "", "+4930999").map(|(tenant, _)| tenant), Some(TenantId(1)));
        assert_eq!(directory.trunk_of("192.0.2.9".parse().unwrap(), None, "", "+4930222"), None);
    }

    #[test]
    fn a_user_name_belongs_to_the_first_tenant_that_has_it() {
        let mut directory = Directory::default();
        let phone = |agent| Phone {
            user: "anna".to_owned(),
            agent: AgentId(agent),
            password: String::new(),
            media_encryption: MediaEncryption::default(),
        };
        directory.put(TenantId(1), TenantEntries { phones: vec![phone(1)], ..TenantEntries::default() });
        let taken = directory.put(TenantId(2), TenantEntries { phones: vec![phone(2)], ..TenantEntries::default() });
        assert_eq!(taken, ["anna"]);
        assert_eq!(directory.agent_of("anna"), Some((TenantId(1), AgentId(1))));
    }
}

//! An address to listen on, or `off`. TOML has no word for "nothing", and leaving the key out means the built-in value.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::net::SocketAddr;

const OFF: &str = "off";

pub(super) fn serialize<S: Serializer>(address: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    match address {
        Some(address) => address.serialize(serializer),
        None => OFF.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == OFF {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom(format!("{text:?} is neither an address with port, such as 0.0.0.0:5060, nor \"off\"")))
}

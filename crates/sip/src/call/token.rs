//! A confirmed dialog as one line of text, so that another process can end the call after a crash.
//!
//! Fields are separated by `|`; `|`, `%` and line ends within them are escaped like in a URI.

use super::dialog::Dialog;
use super::replaces::unescape;
use crate::hop::{Hop, Transport};
use crate::message::Uri;

/// The first field: format and version.
const FORMAT: &str = "dialog1";

/// How far our CSeq jumps, so that it is above anything the lost process sent after the token was written.
const SEQ_JUMP: u32 = 100_000;

/// Routes in one token.
const ROUTES_MAX: usize = 32;

/// The token does not describe a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a dialog token: {0}")]
pub struct BadToken(&'static str);

/// Writes a dialog.
pub(crate) fn write(dialog: &Dialog) -> String {
    // Who reads it has no connection any more, so the way is the one that takes calls.
    let hop = dialog.next_hop();
    let mut fields = vec![
        FORMAT.to_owned(),
        dialog.call_id.clone(),
        dialog.local.clone(),
        dialog.remote.clone(),
        dialog.local_seq.to_string(),
        dialog.target.to_string(),
        hop.transport.uri_token().to_owned(),
        hop.remote.to_string(),
        hop.server_name.as_deref().unwrap_or_default().to_owned(),
    ];
    fields.extend(dialog.routes.iter().cloned());
    fields.iter().map(|field| escape(field)).collect::<Vec<_>>().join("|")
}

/// Reads a dialog, ready to send a BYE.
pub(crate) fn read(token: &str) -> Result<Dialog, BadToken> {
    let mut fields = token.split('|').map(|field| unescape(field).ok_or(BadToken("escape")));
    let mut next = |name| fields.next().unwrap_or(Err(BadToken(name)));
    if next("format")? != FORMAT {
        return Err(BadToken("format"));
    }
    let call_id = next("Call-ID")?;
    let local = next("local party")?;
    let remote = next("remote party")?;
    let local_seq: u32 = next("CSeq")?.parse().map_err(|_| BadToken("CSeq"))?;
    let target = Uri::parse(&next("target")?).map_err(|_| BadToken("target"))?;
    let transport = Transport::parse(&next("transport")?).ok_or(BadToken("transport"))?;
    let remote_address = next("address")?.parse().map_err(|_| BadToken("address"))?;
    let server_name = Some(next("server name")?).filter(|name| !name.is_empty()).map(Into::into);
    let routes = fields.take(ROUTES_MAX).collect::<Result<Vec<_>, _>>()?;
    let remote_tag = crate::message::NameAddr::parse(&remote).map_err(|_| BadToken("remote party"))?.tag().unwrap_or_default().to_owned();
    Ok(Dialog {
        call_id,
        local,
        remote,
        remote_tag,
        local_seq: local_seq.saturating_add(SEQ_JUMP),
        remote_seq: None,
        routes,
        target,
        route: server_name.clone().map(|name| (remote_address, name)),
        hop: Hop { transport, remote: remote_address, connection: None, server_name },
    })
}

fn escape(field: &str) -> String {
    let mut escaped = String::with_capacity(field.len());
    for character in field.chars() {
        match character {
            '%' | '|' | '\r' | '\n' => escaped.push_str(&format!("%{:02X}", u32::from(character))),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_brings_the_dialog_back_with_a_higher_number() {
        let dialog = Dialog {
            call_id: "a|b%c".into(),
            local: "\"Ä|\" <sip:a@x>;tag=1".into(),
            remote: "<sip:b@y;p=%41>;tag=2".into(),
            remote_tag: "2".into(),
            local_seq: 7,
            remote_seq: Some(3),
            routes: vec!["<sip:p1;lr>".into(), "<sip:p2;lr>".into()],
            target: Uri::parse("sip:b@10.0.0.9:5070;x-i=%7C").unwrap(),
            hop: Hop::tls("10.0.0.9:5061".parse().unwrap(), "sip.example.com"),
            route: None,
        };
        let back = read(&write(&dialog)).unwrap();
        assert_eq!(back.call_id, dialog.call_id);
        assert_eq!((&back.local, &back.remote, &back.remote_tag), (&dialog.local, &dialog.remote, &dialog.remote_tag));
        assert_eq!(back.routes, dialog.routes);
        assert_eq!(back.target.to_string(), dialog.target.to_string());
        assert_eq!(back.hop, dialog.hop);
        assert_eq!(back.local_seq, 7 + SEQ_JUMP);
    }

    #[test]
    fn nonsense_is_not_a_token() {
        for token in ["", "dialog1", "dialog2|a|b|c|1|sip:x|udp|1.2.3.4:5|", "dialog1|a|b|c|x|sip:x|udp|1.2.3.4:5|", "%"] {
            assert!(read(token).is_err(), "{token}");
        }
    }
}

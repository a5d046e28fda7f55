//! How Microsoft writes messages: header names in capitals, no space before an address in angle brackets, and a Record-Route
//! of the proxy in everything that makes a dialog.

/// Rewrites a message before it leaves. `record_route` goes into INVITEs and the answers to them.
pub(super) fn microsofts(message: &[u8], record_route: &str) -> Vec<u8> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(message.len());
    let (head, body) = message.split_at(end);
    // Messages of the stack are UTF-8; anything else leaves as it is.
    let Ok(head) = std::str::from_utf8(head) else { return message.to_vec() };
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let is_invite = head.lines().any(|line| line.to_ascii_lowercase().starts_with("cseq:") && line.ends_with(" INVITE"));
    let makes_dialog = is_invite && !first.starts_with("SIP/2.0 100") && !first.starts_with("ACK ") && !first.starts_with("CANCEL ");
    let mut out = first.to_owned();
    let mut routed = !makes_dialog;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim().to_ascii_uppercase();
        if name == "RECORD-ROUTE" {
            continue;
        }
        let value = if name == "FROM" { value.trim().replacen("\" <", "\"<", 1) } else { value.trim().to_owned() };
        out.push_str(&format!("\r\n{name}: {value}"));
        if name == "VIA" && !routed {
            routed = true;
            out.push_str(&format!("\r\nRECORD-ROUTE: {record_route}"));
        }
    }
    let mut bytes = out.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_gets_capitals_and_a_route_and_keeps_its_body() {
        let invite = b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\nFrom: \"Ann\" <sip:c@d>;tag=1\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n";
        let text = String::from_utf8(microsofts(invite, "<sip:p;lr>")).unwrap();
        assert_eq!(
            text,
            "INVITE sip:a@b SIP/2.0\r\nVIA: x\r\nRECORD-ROUTE: <sip:p;lr>\r\nFROM: \"Ann\"<sip:c@d>;tag=1\r\nCSEQ: 1 INVITE\r\n\r\nv=0\r\n"
        );
        let bye = microsofts(b"BYE sip:a@b SIP/2.0\r\nVia: x\r\nCSeq: 2 BYE\r\n\r\n", "<sip:p;lr>");
        assert!(!String::from_utf8(bye).unwrap().contains("RECORD-ROUTE"));
    }
}

//! What Entra answers, asked as programs and browsers ask.

use super::{keys::Parts, *};
use crate::origin::message::tests::request;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

const NOW: i64 = 1_790_000_000;

struct Bench {
    entra: Entra,
    directory: Directory,
    dice: Dice,
}

impl Bench {
    fn new() -> Bench {
        let mut dice = Dice::new(1);
        let mut directory = Directory::new(&mut dice);
        directory.add_user(&mut dice, "anna");
        Bench { entra: Entra::new(SigningKey::generate().unwrap(), "https://lab.test".to_owned()), directory, dice }
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let target = format!("/{}{path}", self.directory.tenant_id);
        self.entra.answer(&request(method, &target, body), &self.directory, &mut self.dice, NOW).unwrap()
    }

    fn token(&mut self, body: &str) -> (u16, Value) {
        let reply = self.ask("POST", "/oauth2/v2.0/token", body);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    fn app(&self) -> (String, String) {
        let app = &self.directory.applications[0];
        (app.client_id.clone(), app.secrets[0].clone())
    }
}

#[test]
fn a_program_with_its_secret_gets_a_token_for_what_it_asked() {
    let mut bench = Bench::new();
    let (id, secret) = bench.app();
    let body = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=https%3A%2F%2Fcommunication.azure.com%2F%2F.default"
    );
    let (status, answer) = bench.token(&body);
    assert_eq!(status, 200, "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let claims = bench.entra.check(token, "https://communication.azure.com", &bench.directory, NOW).unwrap();
    assert_eq!(claims["appid"], id.as_str());
    assert!(bench.entra.check(token, "https://other", &bench.directory, NOW).unwrap_err().contains("is for"));
}

#[test]
fn what_is_wrong_is_said_with_the_code_programs_look_for() {
    let mut bench = Bench::new();
    let (id, secret) = bench.app();
    for (body, status, code) in [
        (format!("grant_type=client_credentials&client_id={id}&client_secret=no&scope=a/.default"), 401, 7_000_215),
        (format!("grant_type=client_credentials&client_id=x&client_secret={secret}&scope=a/.default"), 400, 700_016),
        (format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=a"), 400, 1_002_012),
        (format!("grant_type=client_credentials&client_id={id}&scope=a/.default"), 401, 7_000_218),
        (format!("client_id={id}&client_secret={secret}"), 400, 900_144),
        (format!("grant_type=magic&client_id={id}&client_secret={secret}"), 400, 70_003),
    ] {
        let (found, answer) = bench.token(&body);
        assert_eq!((found, answer["error_codes"][0].as_u64()), (status, Some(code)), "{body}: {answer}");
        assert!(answer["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")), "{answer}");
    }
    let reply = bench.entra.answer(&request("POST", "/nobody/oauth2/v2.0/token", ""), &bench.directory, &mut bench.dice, NOW).unwrap();
    assert!(String::from_utf8_lossy(&reply.body).contains("AADSTS90002"));
}

#[test]
fn a_certificate_or_another_issuer_can_stand_for_the_secret() {
    let mut bench = Bench::new();
    let (id, _) = bench.app();
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["app".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let key = SigningKey::from_pkcs8(&pair.serialize_der()).unwrap();
    let audience = format!("https://lab.test/{}/oauth2/v2.0/token", bench.directory.tenant_id);
    let own = key.sign(&json!({ "iss": id, "sub": id, "aud": audience, "exp": NOW + 60 }));
    let theirs = key.sign(&json!({ "iss": "https://runner", "sub": "repo", "aud": "api://AzureADTokenExchange", "exp": NOW + 60 }));
    let body = |assertion: &str| {
        format!(
            "grant_type=client_credentials&client_id={id}&scope=a/.default&client_assertion={assertion}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        )
    };
    assert_eq!(bench.token(&body(&own)).1["error_codes"][0], 700_027);
    assert_eq!(bench.token(&body(&theirs)).1["error_codes"][0], 70_021);
    let der = certificate.der().to_vec();
    bench.directory.applications[0].certificates.push(der.clone());
    let federation = directory::Federation { issuer: "https://runner".to_owned(), subject: "repo".to_owned(), certificate: der };
    bench.directory.applications[0].federations.push(federation);
    assert_eq!(bench.token(&body(&own)).0, 200);
    assert_eq!(bench.token(&body(&theirs)).0, 200);
    let late = key.sign(&json!({ "iss": id, "sub": id, "aud": audience, "exp": NOW - 3_600 }));
    assert_eq!(bench.token(&body(&late)).1["error_codes"][0], 700_024);
}

#[test]
fn a_user_signs_in_with_pkce_and_stays_signed_in() {
    let mut bench = Bench::new();
    let desk = bench.directory.applications[1].client_id.clone();
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(b"verifier"));
    let query = format!(
        "?client_id={desk}&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fback&response_type=code&state=s&nonce=n&code_challenge={challenge}&code_challenge_method=S256&scope=openid%20offline_access%20https%3A%2F%2Fauth.msft.communication.azure.com%2FTeamsExtension.ManageCalls"
    );
    let shown = bench.ask("GET", &format!("/oauth2/v2.0/authorize{query}"), "");
    assert!(String::from_utf8_lossy(&shown.body).contains("name=password"));
    let wrong = bench.ask("POST", &format!("/oauth2/v2.0/authorize{query}"), "username=anna&password=no");
    assert!(String::from_utf8_lossy(&wrong.body).contains("AADSTS50126"));
    let sent = bench.ask("POST", &format!("/oauth2/v2.0/authorize{query}"), "username=anna&password=anna-in-the-lab");
    let location = &sent.headers.iter().find(|(name, _)| name == "location").unwrap().1;
    let code = request("GET", location.trim_start_matches("http://localhost:8080"), "").query("code").unwrap();
    let redeem = |verifier: &str| {
        format!(
            "grant_type=authorization_code&client_id={desk}&code={code}&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fback&code_verifier={verifier}"
        )
    };
    let (status, answer) = bench.token(&redeem("verifier"));
    assert_eq!(status, 200, "{answer}");
    let claims = bench
        .entra
        .check(answer["access_token"].as_str().unwrap(), "https://auth.msft.communication.azure.com", &bench.directory, NOW)
        .unwrap();
    assert_eq!(claims["scp"], "TeamsExtension.ManageCalls");
    assert_eq!(claims["oid"], bench.directory.users[0].object_id.as_str());
    let id = Parts::read(answer["id_token"].as_str().unwrap()).unwrap().claims;
    assert_eq!((id["nonce"].as_str(), id["aud"].as_str()), (Some("n"), Some(desk.as_str())));
    assert_eq!(bench.token(&redeem("verifier")).0, 400, "a code is good once");
    let refresh = answer["refresh_token"].as_str().unwrap();
    let (status, again) = bench.token(&format!("grant_type=refresh_token&client_id={desk}&refresh_token={refresh}"));
    assert_eq!(status, 200, "{again}");
    let elsewhere = query.replace("localhost%3A8080", "evil.example");
    assert_eq!(bench.ask("GET", &format!("/oauth2/v2.0/authorize{elsewhere}"), "").status, 400);
}

#[test]
fn a_server_asks_on_behalf_of_the_user_who_called_it() {
    let mut bench = Bench::new();
    let (id, secret) = bench.app();
    let password = format!(
        "grant_type=password&client_id={id}&client_secret={secret}&username=anna%40lab.example&password=anna-in-the-lab&scope=openid%20api%3A%2F%2F{id}%2Fuse"
    );
    let (_, answer) = bench.token(&password);
    let assertion = answer["access_token"].as_str().unwrap().to_owned();
    let body = |assertion: &str| {
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&requested_token_use=on_behalf_of&client_id={id}&client_secret={secret}&assertion={assertion}&scope=https%3A%2F%2Fgraph%2FUser.Read"
        )
    };
    let (status, answer) = bench.token(&body(&assertion));
    assert_eq!(status, 200, "{answer}");
    let claims = Parts::read(answer["access_token"].as_str().unwrap()).unwrap().claims;
    assert_eq!(claims["oid"], bench.directory.users[0].object_id.as_str());
    let other = answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bench.token(&body(&other)).1["error_codes"][0], 500_131);
}

#[test]
fn discovery_leads_to_the_keys() {
    let mut bench = Bench::new();
    let reply = bench.ask("GET", "/v2.0/.well-known/openid-configuration", "");
    let found: Value = serde_json::from_slice(&reply.body).unwrap();
    let tenant = bench.directory.tenant_id.clone();
    assert_eq!(found["issuer"], format!("https://lab.test/{tenant}/v2.0"));
    assert_eq!(found["jwks_uri"], format!("https://lab.test/{tenant}/discovery/v2.0/keys"));
    let keys: Value = serde_json::from_slice(&bench.ask("GET", "/discovery/v2.0/keys", "").body).unwrap();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
}

//! Tokens: asked for seldom, renewed in time, never shown.

use super::station::{Answer, Station, ok, status};
use dreiklang_microsoft::{
    Failure,
    acs::{Client, Credential, Settings},
    entra::{Application, Tokens},
};

fn token(name: &str, seconds: u64) -> Answer {
    ok(&format!(r#"{{"token_type":"Bearer","expires_in":{seconds},"ext_expires_in":{seconds},"access_token":"{name}"}}"#))
}

fn application(station: &Station) -> Application {
    Application { authority: station.address.clone(), tenant: "dir".to_owned(), client: "app".to_owned(), secret: "s&cret+".to_owned() }
}

fn tokens(station: &Station) -> Tokens {
    Tokens::new(Station::transport(), application(station), "https://communication.azure.com//.default")
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_however_many_need_it() {
    let station = Station::start(vec![token("t1", 3_600)]).await;
    let tokens = tokens(&station);
    let (a, b, c) = tokio::join!(tokens.token(), tokens.token(), tokens.token());
    assert_eq!([a.unwrap(), b.unwrap(), c.unwrap()], ["t1", "t1", "t1"]);
    let asked = station.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].target, "/dir/oauth2/v2.0/token");
    assert_eq!(
        asked[0].body,
        "grant_type=client_credentials&client_id=app&client_secret=s%26cret%2B&scope=https%3A%2F%2Fcommunication.azure.com%2F%2F.default"
    );
}

#[tokio::test]
async fn a_token_that_ends_soon_is_renewed_and_used_as_long_as_it_lasts() {
    let station = Station::start(vec![token("t1", 200), token("t2", 3_600)]).await;
    let renewed = tokens(&station);
    assert_eq!(renewed.token().await.unwrap(), "t1");
    assert_eq!(renewed.token().await.unwrap(), "t2");
    assert_eq!(renewed.token().await.unwrap(), "t2");
    assert_eq!(station.asked().len(), 2);

    let station = Station::start(vec![token("t1", 200), status(400)]).await;
    let kept = tokens(&station);
    assert_eq!(kept.token().await.unwrap(), "t1");
    assert_eq!(kept.token().await.unwrap(), "t1", "better the present one than none");
}

#[tokio::test]
async fn a_refusal_says_why_and_does_not_show_the_secret() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let station = Station::start(vec![(401, Vec::new(), refusal.to_owned())]).await;
    let failure = tokens(&station).token().await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Refused { status: 401, code, message } if code == "invalid_client" && message.contains("AADSTS7000215")),
        "{failure}"
    );
    assert!(!format!("{:?}", application(&station)).contains("s&cret"));
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_is_replaced_once() {
    let call = ok(r#"{"callConnectionId":"c1"}"#);
    let station = Station::start(vec![token("t1", 3_600), (401, Vec::new(), String::new()), token("t2", 3_600), call]).await;
    let settings = Settings { credential: Credential::Application(application(&station)), ..station.settings() };
    let client = Client::new(Station::transport(), settings).unwrap();
    assert_eq!(client.call("c1").await.unwrap().call_connection_id, "c1");
    let asked = station.asked();
    assert_eq!(asked.iter().map(|one| one.header("authorization")).collect::<Vec<_>>(), ["", "Bearer t1", "", "Bearer t2"]);
}

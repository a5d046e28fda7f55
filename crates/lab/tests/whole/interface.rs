//! The lab's own interface, as scripts use it.

use crate::application::Application;
use dreiklang_lab::{Lab, Settings};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sets_the_lab_up_and_lets_people_act() {
    let lab = Lab::start(Settings { plain_http: true, ..Settings::default() }).await.unwrap();
    let application = Application::without_subscription(&lab).await;
    let post = async |path: &str, body| application.plain("POST", &format!("/lab/api/{path}"), Some(body)).await;
    let get = async |path: &str| application.plain("GET", &format!("/lab/api/{path}"), None).await;
    assert_eq!(post("resource-accounts", json!({ "name": "Support", "number": "+49301000" })).await.0, 201);
    assert_eq!(post("users", json!({ "name": "anna" })).await.0, 201);
    assert_eq!(post("subscriptions", json!({ "url": format!("{}/events", application.url) })).await.0, 201);
    let person = json!({ "name": "carla", "number": "+4930555", "toneHz": 440, "manner": { "hangUpAfterMs": 60000 } });
    assert_eq!(post("people", person).await.0, 201);
    assert_eq!(post("people/carla/call", json!({ "number": "+49301000", "sipHeaders": { "X-Case": "7" } })).await.0, 200);
    let incoming = application.incoming().await;
    assert_eq!(incoming["customContext"]["sipHeaders"]["X-Case"], "7");
    application.answer(&incoming["incomingCallContext"], json!({})).await;
    assert_eq!(post("people/carla/wait", json!({ "stage": "talking" })).await.0, 200);
    let target = json!({ "participantToAdd": { "rawId": get("setup").await.1["users"][0]["contactCenterRawId"] } });
    let id = get("calls").await.1["calls"][0]["connections"][0]["callConnectionId"].as_str().unwrap().to_owned();
    assert_eq!(post("people/anna/sound", json!({ "toneHz": 620 })).await.0, 200);
    application.call(&id, "/participants:add", target).await;
    let (status, heard) = get("people/carla/hears?tones=440,620&wanted=620&withinMs=20000").await;
    assert_eq!((status, &heard["tones"]), (200, &json!([620])));
    assert_eq!(post("people/carla/press", json!({ "keys": "12#" })).await.0, 200);
    assert_eq!(post("people/carla/press", json!({ "keys": "x" })).await.0, 409);
    assert_eq!(post("people/carla/hang-up", json!({})).await.0, 200);
    assert_eq!(post("people/nobody/hang-up", json!({})).await.0, 404);
    assert_eq!(application.plain("PUT", "/lab/api/faults", Some(json!({ "throttle": 1.0 }))).await.0, 200);
    assert_eq!(application.plain("PUT", "/lab/api/faults", Some(json!({ "trottle": 1.0 }))).await.0, 400);
    assert_eq!(application.ask("GET", "/calling/callConnections/x", None).await.0, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_operation_and_the_page_is_there() {
    let lab = Lab::start(Settings::default()).await.unwrap();
    let application = Application::without_subscription(&lab).await;
    let (status, document) = application.plain("GET", "/lab/openapi.json", None).await;
    assert_eq!(status, 200);
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("{who}", "nobody").replace("{id}", "none");
            let (_, answer) = application.plain(&method.to_uppercase(), &path, Some(json!({}))).await;
            let text = answer["error"].as_str().unwrap_or_default();
            assert!(!text.contains("does not exist"), "{method} {path}: {text}");
        }
    }
    assert_eq!(application.plain("GET", "/lab/", None).await.0, 200);
    let folder = tempfile::tempdir().unwrap();
    let keeping = || Settings { data: Some(folder.path().to_owned()), ..Settings::default() };
    let first = Lab::start(keeping()).await.unwrap();
    let (pem, setup) = (first.ca_pem().unwrap().to_owned(), first.setup());
    first.stop().await;
    let second = Lab::start(keeping()).await.unwrap();
    assert_eq!(
        (second.ca_pem().unwrap(), &second.setup()["accessKey"]),
        (pem.as_str(), &setup["accessKey"]),
        "the authority outlives the lab"
    );
    // Whoever trusted the authority before trusts it still.
    let http =
        reqwest::Client::builder().no_proxy().tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()]).build().unwrap();
    let answer = http.get(format!("{}/lab/ca.pem", second.url())).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), pem);
}

//! Whole calls: rung, answered, played to, joined, recorded, streamed.

use crate::application::{Application, SOON};
use dreiklang_lab::{Lab, Settings, people::Stage};
use dreiklang_media::wav;
use serde_json::json;

const NUMBER: &str = "+49301000";

fn plain() -> Settings {
    Settings { plain_http: true, ..Settings::default() }
}

/// Three seconds of a tone at 16 kHz.
fn tone_16k(hz: f64) -> Vec<u8> {
    let samples: Vec<i16> =
        (0..48_000).map(|index| ((f64::from(index) * hz * std::f64::consts::TAU / 16_000.0).sin() * 5_000.0) as i16).collect();
    wav::encode(&[&samples], 16_000, wav::Encoding::Pcm16)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_https_hears_a_prompt_and_reaches_an_agent() {
    let lab = Lab::start(Settings::default()).await.unwrap();
    let application = Application::start(&lab).await;
    application.told.send_modify(|told| told.wav = tone_16k(1_000.0));
    lab.add_resource_account("Support", NUMBER);
    let anna = lab.add_agent("anna");
    anna.contact_center.set_tone(620);
    let caller = lab.caller("+4930555");
    caller.set_tone(440);
    caller.call(NUMBER).unwrap();
    let incoming = application.incoming().await;
    assert_eq!(incoming["from"]["rawId"], "4:+4930555");
    let id = application.answer(&incoming["incomingCallContext"], json!({})).await;
    assert_eq!(application.event("CallConnected").await["callConnectionId"], id.as_str());
    assert!(caller.wait_for(SOON, |state| state.call == Stage::Talking).await.is_some());

    let prompt = json!({ "playSources": [{ "kind": "file", "file": { "uri": format!("{}/prompt.wav", application.url) } }] });
    application.call(&id, ":play", prompt).await;
    assert!(caller.wait_to_hear(&[1_000], &[440, 620, 1_000], SOON).await);
    application.event("PlayCompleted").await;

    let target = json!({ "participantToAdd": { "rawId": anna.contact_center.raw_id() } });
    application.call(&id, "/participants:add", target).await;
    application.event("AddParticipantSucceeded").await;
    assert!(caller.wait_to_hear(&[620], &[440, 620, 1_000], SOON).await);
    assert!(anna.contact_center.wait_to_hear(&[440], &[440, 620, 1_000], SOON).await);
    assert_eq!(lab.calls().len(), 1);
    caller.hang_up();
    let left = application
        .wait("the caller's leaving", |told| {
            told.callbacks.iter().rfind(|(event, _)| event["data"]["participants"].as_array().is_some_and(|all| all.len() == 1)).map(drop)
        })
        .await;
    let () = left;
    anna.contact_center.hang_up();
    application.event("CallDisconnected").await;
    // Each with a token of its own, for this resource.
    let told = application.told.borrow();
    let (_, claims) = &told.callbacks[0];
    assert_eq!((claims["aud"].as_str(), claims["iss"].as_str()), (Some(lab.resource_id().as_str()), Some(lab.callback_issuer())));
    let ids: std::collections::HashSet<&str> = told.callbacks.iter().filter_map(|(_, claims)| claims["jti"].as_str()).collect();
    assert_eq!(ids.len(), told.callbacks.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_gets_sound_every_20_ms_and_is_heard() {
    let lab = Lab::start(plain()).await.unwrap();
    let application = Application::start(&lab).await;
    lab.add_resource_account("Support", NUMBER);
    let caller = lab.caller("+4930555");
    caller.set_tone(440);
    caller.call(NUMBER).unwrap();
    let incoming = application.incoming().await;
    let url = application.url.replace("http://", "ws://");
    let streaming = json!({ "mediaStreamingOptions": {
        "transportType": "websocket", "transportUrl": format!("{url}/media"), "audioChannelType": "mixed", "contentType": "audio",
        "startMediaStreaming": true, "enableBidirectional": true, "audioFormat": "pcm24KMono",
    } });
    let id = application.answer(&incoming["incomingCallContext"], streaming).await;
    application.event("MediaStreamingStarted").await;
    // The application says what it hears: the caller hears himself.
    assert!(caller.wait_to_hear(&[440], &[440, 620], SOON).await);
    let told = application.told.borrow();
    assert_eq!(told.frames[0]["audioMetadata"]["sampleRate"], 24_000);
    assert!(told.frames.len() > 10);
    let headers = &told.socket_headers[0];
    assert_eq!(headers["x-ms-call-connection-id"], id.as_str());
    assert!(headers["authorization"].to_str().unwrap().starts_with("Bearer eyJ"));
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_is_spoken_and_understood() {
    let lab = Lab::start(plain()).await.unwrap();
    let application = Application::start(&lab).await;
    lab.add_resource_account("Support", NUMBER);
    let caller = lab.caller("+4930555");
    caller.call(NUMBER).unwrap();
    let incoming = application.incoming().await;
    let id = application.answer(&incoming["incomingCallContext"], json!({})).await;
    application.event("CallConnected").await;
    let recognize = json!({
        "recognizeInputType": "choices",
        "playPrompt": { "kind": "text", "text": { "text": "Do you want sales or support?", "voiceName": "en-US-NancyNeural" } },
        "recognizeOptions": {
            "targetParticipant": { "rawId": caller.raw_id() }, "interruptPrompt": true,
            "choices": [{ "label": "Sales", "phrases": ["sales"] }, { "label": "Support", "phrases": ["support", "help"] }],
        },
    });
    application.call(&id, ":recognize", recognize).await;
    application.event("PlayStarted").await;
    caller.say("I need help", "en-US").await;
    assert_eq!(application.event("RecognizeCompleted").await["choiceResult"]["label"], "Support");
    assert!(caller.heard().iter().any(|sample| *sample != 0), "the prompt was heard");
}

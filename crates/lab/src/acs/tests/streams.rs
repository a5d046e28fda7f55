//! Sound and words to the application's sockets, and sound from it.

use super::*;
use data_encoding::BASE64;

/// The caller is answered with these options; the connection.
fn answered_with(bench: &mut Bench, more: Value) -> String {
    let context = bench.rings();
    let mut body = Bench::answer_body(&context);
    crate::exchange::effect::merge(&mut body, more);
    let (status, answer) = bench.ask("POST", "callConnections:answer", body);
    assert_eq!(status, 200, "{answer}");
    answer["callConnectionId"].as_str().unwrap().to_owned()
}

fn streaming(url: &str, channels: &str, start: bool) -> Value {
    json!({ "mediaStreamingOptions": {
        "transportType": "websocket", "transportUrl": url, "contentType": "audio", "audioChannelType": channels,
        "startMediaStreaming": start, "enableBidirectional": true, "enableDtmfTones": true, "audioFormat": "Pcm16KMono",
    } })
}

fn samples(frame: &Value) -> Vec<i16> {
    let bytes = BASE64.decode(frame["audioData"]["data"].as_str().unwrap().as_bytes()).unwrap();
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn a_call_is_heard_on_the_socket_and_hears_it() {
    let mut bench = Bench::new();
    let id = answered_with(&mut bench, streaming("wss://app/media", "mixed", true));
    assert_eq!(bench.frames[0]["audioMetadata"]["sampleRate"], 16_000);
    assert_eq!(bench.event("MediaStreamingStarted")["mediaStreamingUpdate"]["mediaStreamingStatusDetails"], "subscriptionStarted");
    let socket = bench.frames[0]["socket"].as_u64().unwrap();
    bench.frames.clear();
    bench.pass(1_000);
    assert_eq!(bench.frames.len(), 50);
    let heard: Vec<i16> = bench.frames.iter().flat_map(samples).collect();
    let halved: Vec<i16> = heard.chunks_exact(2).map(|pair| pair[0]).collect();
    assert_eq!(dreiklang_media::tone::heard(&halved, TONES), [TONE_CALLER]);

    let bytes: Vec<u8> = sound::beep(TONE_PROMPT, 2_000).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let said = json!({ "kind": "AudioData", "audioData": { "data": BASE64.encode(&bytes) } }).to_string();
    bench.exchange.socket_text(socket, &said);
    bench.pass(800);
    assert_eq!(bench.hears(CALLER), [TONE_PROMPT]);
    bench.exchange.socket_text(socket, r#"{"kind":"StopAudio","stopAudio":{}}"#);
    bench.pass(800);
    assert!(bench.hears(CALLER).is_empty());

    bench.frames.clear();
    bench.press(CALLER, '5');
    bench.carry_out();
    assert_eq!(bench.frames[0]["dtmfData"]["data"], "5");
    bench.call(&id, ":stopMediaStreaming", json!({ "operationContext": "s" }));
    assert_eq!(bench.event("MediaStreamingStopped")["operationContext"], "s");
    bench.frames.clear();
    bench.pass(100);
    assert!(bench.frames.is_empty());
    bench.call(&id, ":startMediaStreaming", json!({}));
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:startMediaStreaming"), json!({})).0, 400, "is under way");
}

#[test]
fn unmixed_streams_name_their_speakers() {
    let mut bench = Bench::new();
    let id = answered_with(&mut bench, streaming("wss://app/media", "unmixed", false));
    let (_, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    assert_eq!(found["mediaStreamingSubscription"]["state"], "inactive");
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    bench.call(&id, ":startMediaStreaming", json!({}));
    bench.frames.clear();
    bench.pass(20);
    let speakers: Vec<&str> = bench.frames.iter().map(|frame| frame["audioData"]["participantRawID"].as_str().unwrap()).collect();
    assert_eq!(speakers, [CALLER, &agent]);
}

#[test]
fn a_socket_that_is_refused_is_told() {
    let mut bench = Bench::new();
    answered_with(&mut bench, streaming("wss://refuses/media", "mixed", true));
    let update = &bench.event("MediaStreamingFailed")["mediaStreamingUpdate"];
    assert_eq!(update["mediaStreamingStatusDetails"], "initialWebSocketConnectionFailed");
}

#[test]
fn words_come_with_their_speaker_and_language() {
    let mut bench = Bench::new();
    let options = json!({ "transcriptionOptions": {
        "transportType": "websocket", "transportUrl": "wss://app/words", "locale": "en-US", "startTranscription": true,
        "enableIntermediateResults": true,
    } });
    let id = answered_with(&mut bench, options);
    assert_eq!(bench.frames[0]["transcriptionMetadata"]["callConnectionId"], id);
    bench.event("TranscriptionStarted");
    assert!(bench.exchange.say(CALLER, "Good morning.", sound::beep(300, 400).into()));
    bench.pass(600);
    let data: Vec<&Value> = bench.frames.iter().filter_map(|frame| frame.get("transcriptionData")).collect();
    assert_eq!((data[0]["resultStatus"].as_str(), data[0]["text"].as_str()), (Some("Intermediate"), Some("Good")));
    assert_eq!((data[1]["resultStatus"].as_str(), data[1]["text"].as_str()), (Some("Final"), Some("Good morning.")));
    assert_eq!((data[1]["participantRawID"].as_str(), data[1]["words"][1]["text"].as_str()), (Some(CALLER), Some("morning")));
    bench.call(&id, ":updateTranscription", json!({ "locale": "de-DE", "speechModelEndpointId": "m" }));
    let update = &bench.event("TranscriptionUpdated")["transcriptionUpdate"];
    assert_eq!(update["transcriptionStatusDetails"], "transcriptionLocaleUpdated");
    let (_, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    assert_eq!(found["transcriptionSubscription"]["locale"], "de-DE");
    bench.call(&id, ":stopTranscription", json!({}));
    bench.event("TranscriptionStopped");
    assert_eq!(bench.ask("POST", &format!("callConnections/{id}:stopTranscription"), json!({})).0, 400);
    bench.call(&id, ":startTranscription", json!({ "locale": "fr-FR" }));
    bench.event("TranscriptionStarted");
}

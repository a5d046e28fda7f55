//! Recordings, their files, and what telephones are told about them.

use super::*;
use crate::acs::operations::recording::document;
use dreiklang_media::wav::Wav;

fn fetch(bench: &mut Bench, method: &str, url: &str) -> (u16, Vec<u8>) {
    let target = url.split_once("/v1/").map(|(_, rest)| format!("/v1/{rest}")).unwrap();
    let request = request(method, &target, "");
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let reply = document(&mut bench.exchange, &request, &path).unwrap_or_else(|refusal| refusal.reply());
    (reply.status, reply.body)
}

fn start(bench: &mut Bench, id: &str, more: Value) -> String {
    let mut body = json!({ "callConnectionId": id, "recordingStateCallbackUri": "https://app/rec", "channelAffinity": [] });
    crate::exchange::effect::merge(&mut body, more);
    let (status, answer) = bench.ask("POST", "recordings", body);
    assert_eq!(status, 202, "{answer}");
    answer["recordingId"].as_str().unwrap().to_owned()
}

#[test]
fn a_call_is_recorded_without_its_pause_and_the_file_is_fetched() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let recording = start(&mut bench, &id, json!({ "recordingContentType": "audio", "recordingFormatType": "WAV" }));
    assert_eq!(bench.event("RecordingStateChanged")["state"], "active");
    bench.pass(1_000);
    assert_eq!(bench.ask("POST", &format!("recordings/{recording}:pause"), Value::Null).0, 202);
    assert_eq!(bench.ask("GET", &format!("recordings/{recording}"), Value::Null).1["recordingState"], "inactive");
    bench.exchange.person(CALLER).unwrap().voice = Voice::tone(TONE_OTHER);
    bench.pass(1_000);
    bench.exchange.person(CALLER).unwrap().voice = Voice::tone(TONE_CALLER);
    assert_eq!(bench.ask("POST", &format!("recordings/{recording}:resume"), Value::Null).0, 202);
    bench.pass(500);
    assert_eq!(bench.ask("DELETE", &format!("recordings/{recording}"), Value::Null).0, 204);
    assert_eq!(bench.ask("GET", &format!("recordings/{recording}"), Value::Null).0, 404);
    let event = bench.grid.last().unwrap().clone();
    assert_eq!(event["eventType"], "Microsoft.Communication.RecordingFileStatusUpdated");
    assert_eq!(event["data"]["recordingDurationMs"], 1_500);
    let chunk = &event["data"]["recordingStorageInfo"]["recordingChunks"][0];
    let (status, bytes) = fetch(&mut bench, "GET", chunk["contentLocation"].as_str().unwrap());
    let wav = Wav::parse(&bytes).unwrap();
    assert_eq!((status, wav.rate_hz, wav.channels.len()), (200, 16_000, 1));
    assert_eq!(dreiklang_media::tone::heard(&wav.to_telephone(), TONES), [TONE_CALLER], "nothing of the pause");
    let (_, metadata) = fetch(&mut bench, "GET", chunk["metadataLocation"].as_str().unwrap());
    let metadata: Value = serde_json::from_slice(&metadata).unwrap();
    assert_eq!(metadata["pauseResumeIntervals"][0]["duration"], 1_000);
    assert_eq!(metadata["participants"][0]["participantId"], CALLER);
    let place = chunk["deleteLocation"].as_str().unwrap().to_owned();
    assert_eq!(fetch(&mut bench, "DELETE", &place), (200, Vec::new()));
    assert_eq!(fetch(&mut bench, "DELETE", &place).0, 404);
}

#[test]
fn each_party_has_a_channel_in_an_unmixed_file_which_ends_with_the_call() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let agent = bench.agent("anna", TONE_AGENT, Manner::default());
    let affinity = json!({ "recordingChannelType": "unmixed", "channelAffinity": [{ "channel": 0, "participant": raw(&agent) }] });
    start(&mut bench, &id, affinity);
    bench.pass(500);
    bench.call(&id, "/participants:add", json!({ "participantToAdd": raw(&agent) }));
    bench.pass(1_000);
    assert!(bench.hang_up(CALLER));
    bench.carry_out();
    assert!(bench.hang_up(&agent));
    bench.carry_out();
    let data = bench.grid.last().unwrap()["data"].clone();
    assert_eq!(data["sessionEndReason"], "CallEnded");
    let url = data["recordingStorageInfo"]["recordingChunks"][0]["contentLocation"].as_str().unwrap().to_owned();
    let wav = Wav::parse(&fetch(&mut bench, "GET", &url).1).unwrap();
    let tones = |channel: &Vec<i16>| dreiklang_media::tone::heard(&channel.chunks_exact(2).map(|pair| pair[0]).collect::<Vec<_>>(), TONES);
    assert_eq!(wav.channels.iter().map(tones).collect::<Vec<_>>(), [vec![TONE_AGENT], vec![TONE_CALLER]]);
}

#[test]
fn telephones_are_told_when_somebody_of_teams_is_there_and_cannot_be_spared() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let recording = start(&mut bench, &id, json!({}));
    bench.pass(500);
    assert!(bench.hears(CALLER).is_empty(), "nobody of Teams is there");
    let agent = bench.with_agent(&id, "anna", TONE_AGENT);
    bench.pass(200);
    assert_eq!(bench.hears(CALLER), [TONE_AGENT, 1_400]);
    assert!(!bench.hears(&agent).contains(&1_400));
    bench.pass(2_000);
    assert_eq!(bench.ask("POST", &format!("recordings/{recording}:pause"), Value::Null).0, 202);
    bench.pass(400);
    assert!(bench.hears(CALLER).contains(&1_400));
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let (_, found) = bench.ask("GET", &format!("callConnections/{id}"), Value::Null);
    let locator = json!({ "kind": "serverCallLocator", "serverCallId": found["serverCallId"] });
    for (body, status) in [
        (json!({}), 400),
        (json!({ "callLocator": locator }), 400),
        (json!({ "callConnectionId": id, "callLocator": locator }), 400),
        (json!({ "callConnectionId": id, "recordingContentType": "audioVideo" }), 400),
        (json!({ "callConnectionId": id, "recordingFormatType": "mp3" }), 400),
        (json!({ "callConnectionId": "x" }), 404),
    ] {
        assert_eq!(bench.ask("POST", "recordings", body.clone()).0, status, "{body}");
    }
    let recording = start(&mut bench, &id, json!({ "pauseOnStart": true }));
    assert_eq!(bench.ask("POST", "recordings", json!({ "callConnectionId": id })).0, 409, "one at a time");
    assert_eq!(bench.event("RecordingStateChanged")["state"], "inactive");
    bench.version = "2025-06-15";
    let (_, found) = bench.ask("GET", &format!("recordings/{recording}"), Value::Null);
    assert_eq!(found["recordingKind"], "AzureCommunicationServices");
}

#[test]
fn recordings_go_into_the_customers_own_storage() {
    let mut bench = Bench::new();
    let id = bench.answered();
    let storage = json!({ "recordingStorageKind": "azureBlobStorage", "recordingDestinationContainerUrl": "https://blob/container" });
    let recording = start(&mut bench, &id, json!({ "externalStorage": storage }));
    bench.pass(200);
    assert_eq!(bench.ask("DELETE", &format!("recordings/{recording}"), Value::Null).0, 204);
    let data = &bench.grid.last().unwrap()["data"];
    assert_eq!((data["storageType"].as_str(), data["recordingId"].as_str()), (Some("AzureBlob"), Some(recording.as_str())));
    let url = data["recordingStorageInfo"]["recordingChunks"][0]["contentLocation"].as_str().unwrap();
    assert!(url.starts_with("https://blob/container/19700101/") && url.ends_with(".wav"), "{url}");
}

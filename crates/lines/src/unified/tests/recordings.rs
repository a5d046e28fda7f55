//! Recordings: begun, paused for sure, ended, fetched.

use super::stage::{Stage, TENANT, conversation};
use crate::unified::Work;
use dreiklang_core::{
    Action, Input,
    endpoint::Line,
    ids::{ActionId, LegId, RecordingId},
};
use dreiklang_microsoft::event_grid::{Chunk, RecordingFile};
use serde_json::json;

const RECORDING: RecordingId = RecordingId(5);

async fn recording(stage: &mut Stage) {
    stage.customer().await;
    stage.answers("POST recordings", 202, json!({ "recordingId": "r1", "recordingState": "active" }));
    let start =
        Action::StartRecording { conversation: conversation(), recording: RECORDING, line: Line::Unified, left: LegId(1), right: None };
    stage.act(10, start);
    let asked = stage.asked("POST recordings").await;
    assert_eq!(asked["callConnectionId"], "c1");
    assert_eq!(asked["recordingChannelType"], "unmixed");
    assert_eq!(asked["channelAffinity"][0]["participant"]["rawId"], "4:+49170");
    stage.done(10).await;
}

#[tokio::test]
async fn a_pause_is_done_when_the_service_says_that_nothing_is_recorded() {
    let mut stage = Stage::new().await;
    recording(&mut stage).await;
    stage.agent().await;
    stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "Active" }));
    stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "Inactive" }));
    stage.act(11, Action::PauseRecording { conversation: conversation(), recording: RECORDING, line: Line::Unified });
    stage.asked("POST recordings/r1:pause").await;
    stage.done(11).await;
    assert_eq!(stage.count("GET recordings/r1"), 2);
    // What is said while the agent talks with somebody else stays out too; one reason going leaves the other.
    stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "inactive" }));
    stage.act(12, Action::RecordRight { conversation: conversation(), recording: RECORDING, line: Line::Unified, right: None });
    stage.asked("POST recordings/r1:pause").await;
    stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "inactive" }));
    stage.act(13, Action::ResumeRecording { conversation: conversation(), recording: RECORDING, line: Line::Unified });
    stage.asked("POST recordings/r1:pause").await;
    stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "active" }));
    stage.act(14, Action::RecordRight { conversation: conversation(), recording: RECORDING, line: Line::Unified, right: Some(LegId(2)) });
    stage.asked("POST recordings/r1:resume").await;
}

#[tokio::test]
async fn a_customer_who_is_alone_again_goes_on_being_recorded() {
    let mut stage = Stage::new().await;
    recording(&mut stage).await;
    stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "active" }));
    stage.act(11, Action::RecordRight { conversation: conversation(), recording: RECORDING, line: Line::Unified, right: None });
    stage.asked("POST recordings/r1:resume").await;
    stage.done(11).await;
    assert_eq!(stage.count("POST recordings/r1:pause"), 0);
}

#[tokio::test]
async fn a_pause_that_is_not_sure_is_a_failure() {
    let mut stage = Stage::new().await;
    recording(&mut stage).await;
    for _ in 0..100 {
        stage.answers("GET recordings/r1", 200, json!({ "recordingId": "r1", "recordingState": "active" }));
    }
    stage.act(11, Action::PauseRecording { conversation: conversation(), recording: RECORDING, line: Line::Unified });
    let Input::ActionFailed { action: ActionId(11), failure } = stage.told().await else { panic!() };
    assert_eq!(failure.code, "MEDIA-003");
}

#[tokio::test]
async fn a_recording_that_has_ended_is_fetched_once_and_deleted_there() {
    let mut stage = Stage::new().await;
    recording(&mut stage).await;
    stage.happens("CallDisconnected", json!({ "callConnectionId": "c1" })).await;
    stage.told().await;
    stage.act(12, Action::StopRecording { conversation: conversation(), recording: RECORDING, line: Line::Unified });
    stage.asked("DELETE recordings/r1").await;
    stage.done(12).await;
    // Recordings lie with the service itself here; whatever it answers that is no WAV file is refused.
    let told = |stage: &Stage| {
        let address = stage.handle.registry.get("ucn_1").unwrap().settings.endpoint.clone();
        let chunk = Chunk { index: 0, content_location: format!("{address}/files/a"), delete_location: Some(format!("{address}/files/a")) };
        Work::File {
            connection: "ucn_1".to_owned(),
            file: Box::new(RecordingFile { recording: "r1".to_owned(), chunks: vec![chunk], duration_ms: 1_000 }),
        }
    };
    stage.answers("GET /files/a", 200, json!("x".repeat(100)));
    stage.handle.work.send(told(&stage)).await.unwrap();
    stage.handle.work.send(told(&stage)).await.unwrap();
    let Input::RecordingFailed { recording: RECORDING, reason } = stage.told().await else { panic!() };
    assert!(reason.contains("no recording"), "{reason}");
    assert_eq!(stage.count("GET /files/a"), 1);
}

#[tokio::test]
async fn a_recording_of_a_former_process_is_recognized_by_the_note_it_left() {
    let mut stage = Stage::new().await;
    let folder = stage.folder.path().join("recordings").join(TENANT.to_string());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{RECORDING}.unified")), br#"{"connection":"ucn_1","name":"r7"}"#).unwrap();
    let former = crate::unified::Former::with_recordings(vec![RECORDING, RecordingId(6)]);
    stage.handle.restore(TENANT, former).await;
    assert!(matches!(stage.told().await, Input::RecordingFailed { recording: RecordingId(6), .. }), "nobody knows what that was");
    stage.act(12, Action::StopRecording { conversation: conversation(), recording: RECORDING, line: Line::Unified });
    stage.asked("DELETE recordings/r7").await;
}

//! Who hears what.

use super::stage::{Stage, agent_raw, conversation};
use dreiklang_core::{
    Action, Input,
    conversation::Hearing,
    endpoint::Line,
    ids::{ActionId, LegId},
    output::Prompt,
};
use serde_json::json;

const PLAY: &str = "POST callConnections/c1:play";
const CANCEL: &str = "POST callConnections/c1:cancelAllMediaOperations";

fn play(leg: u128, prompt: Prompt, repeat: bool) -> Action {
    Action::Play { conversation: conversation(), leg: LegId(leg), line: Line::Unified, prompt, repeat }
}

fn bridge(a: u128, b: u128) -> Action {
    Action::Bridge { conversation: conversation(), a: LegId(a), b: LegId(b), line: Line::Unified }
}

fn hearing(leg: u128, voices: &[u128]) -> Hearing {
    Hearing { leg: LegId(leg), voices: voices.iter().map(|id| LegId(*id)).collect(), prompt: None }
}

#[tokio::test]
async fn a_greeting_is_played_once_and_its_end_is_told() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.act(5, play(1, Prompt::Beep, false));
    let asked = stage.asked(PLAY).await;
    assert_eq!((&asked["playOptions"]["loop"], &asked["playTo"]), (&json!(false), &json!([])));
    let uri = asked["playSources"][0]["file"]["uri"].as_str().unwrap();
    let parts: Vec<&str> = uri.strip_prefix("https://cc.example/hooks/unified/prompts/").unwrap().split('/').collect();
    let file = stage.handle.prompt(parts[0].strip_suffix(".wav").unwrap(), parts[1].parse().unwrap(), parts[2]).unwrap();
    assert_eq!(&file[..4], b"RIFF");
    let over = json!({ "callConnectionId": "c1", "operationContext": ActionId(5).to_string() });
    stage.happens("PlayCompleted", over.clone()).await;
    assert_eq!(stage.told().await, Input::PlayFinished { leg: LegId(1), play: ActionId(5) });
    stage.happens("PlayCompleted", over).await;
    stage.happens("CallDisconnected", json!({ "callConnectionId": "c1" })).await;
    assert!(matches!(stage.told().await, Input::Ended { .. }), "the end of a prompt is told once");
}

#[tokio::test]
async fn a_greeting_that_fails_or_whose_end_is_lost_keeps_nobody_waiting() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.answers(PLAY, 400, json!({ "error": { "code": "8535", "message": "bad format" } }));
    stage.act(5, play(1, Prompt::Beep, false));
    assert_eq!(stage.told().await, Input::PlayFinished { leg: LegId(1), play: ActionId(5) });
    stage.act(6, play(1, Prompt::File { name: "missing".to_owned() }, false));
    assert_eq!(stage.told().await, Input::PlayFinished { leg: LegId(1), play: ActionId(6) });
    stage.act(7, play(1, Prompt::Beep, false));
    stage.asked(PLAY).await;
    assert_eq!(stage.told().await, Input::PlayFinished { leg: LegId(1), play: ActionId(7) }, "half a second and four more");
    assert_eq!(stage.count(PLAY), 2, "nothing was played twice");
}

#[tokio::test]
async fn music_plays_until_the_two_are_bridged_and_holds_the_customer_afterwards() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.act(5, play(1, Prompt::Music, true));
    assert_eq!(stage.asked(PLAY).await["playOptions"]["loop"], true);
    stage.done(5).await;
    stage.agent().await;
    stage.act(6, bridge(1, 2));
    stage.asked(CANCEL).await;
    stage.done(6).await;
    stage.act(7, play(1, Prompt::Music, true));
    let asked = stage.asked("POST callConnections/c1:hold").await;
    assert_eq!(asked["targetParticipant"]["rawId"], "4:+49170");
    assert_eq!(asked["playSourceInfo"]["kind"], "file");
    stage.act(8, Action::Silence { conversation: conversation(), leg: LegId(2), line: Line::Unified });
    stage.done(8).await;
    stage.act(9, bridge(1, 2));
    assert_eq!(stage.asked("POST callConnections/c1:unhold").await["targetParticipant"]["rawId"], "4:+49170");
}

#[tokio::test]
async fn wishes_that_were_overtaken_are_not_carried_out() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    for action in 10..20 {
        stage.act(action, play(1, if action % 2 == 0 { Prompt::Music } else { Prompt::Ringback }, true));
    }
    stage.done(19).await;
    assert!(stage.count(PLAY) <= 3, "{:?}", stage.all());
}

#[tokio::test]
async fn music_that_ends_by_itself_is_begun_again() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.act(5, play(1, Prompt::Music, true));
    let context = stage.asked(PLAY).await["operationContext"].clone();
    stage.done(5).await;
    stage.happens("PlayFailed", json!({ "callConnectionId": "c1", "operationContext": context })).await;
    let again = stage.asked(PLAY).await["operationContext"].clone();
    assert_ne!(again, context);
    stage.happens("PlayCanceled", json!({ "callConnectionId": "c1", "operationContext": context })).await;
    stage.happens("CallDisconnected", json!({ "callConnectionId": "c1" })).await;
    stage.told().await;
    assert_eq!(stage.count(PLAY), 2, "the end of the older one means nothing");
}

#[tokio::test]
async fn a_listener_is_muted_and_a_whisperer_is_refused_with_the_reason() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.agent().await;
    stage.act(3, super::stage::dial(3, dreiklang_core::endpoint::Endpoint::Number("+49172".to_owned())));
    stage.asked("POST callConnections/c1/participants:add").await;
    assert_eq!(stage.told().await, Input::Ringing { leg: LegId(3) });
    stage.happens("AddParticipantSucceeded", super::stage::about(3, json!({ "participant": { "rawId": "4:+49172" } }))).await;
    assert!(matches!(stage.told().await, Input::Connected { leg: LegId(3), .. }));
    let mix = |parties| Action::Mix { conversation: conversation(), line: Line::Unified, parties };
    stage.act(6, mix(vec![hearing(1, &[2]), hearing(2, &[1]), hearing(3, &[1, 2])]));
    assert_eq!(stage.asked("POST callConnections/c1/participants:mute").await["targetParticipants"][0]["rawId"], "4:+49172");
    stage.done(6).await;
    stage.act(7, mix(vec![hearing(1, &[2]), hearing(2, &[1, 3]), hearing(3, &[1, 2])]));
    let Input::ActionFailed { action: ActionId(7), failure } = stage.told().await else { panic!() };
    assert_eq!(failure.code, "LINE-023");
}

#[tokio::test]
async fn who_is_on_another_line_cannot_be_bridged_and_who_has_just_left_need_not_be() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.act(5, bridge(1, 77));
    let Input::ActionFailed { action: ActionId(5), failure } = stage.told().await else { panic!() };
    assert_eq!(failure.code, "LINE-022");
    stage.agent().await;
    let result =
        json!({ "callConnectionId": "c1", "operationContext": format!("remove_{}", LegId(2)), "participant": { "rawId": agent_raw() } });
    stage.happens("RemoveParticipantSucceeded", result).await;
    assert!(matches!(stage.told().await, Input::Ended { leg: LegId(2), .. }));
    stage.act(6, bridge(1, 2));
    stage.done(6).await;
}

//! How legs begin and end, whatever is told twice, late, or not at all.

use super::stage::{AGENT, RESOURCE, Stage, TENANT, about, agent_raw, conversation, dial};
use crate::unified::restore::Former;
use dreiklang_core::{
    Action, Input,
    conversation::CauseKind,
    endpoint::{Endpoint, Line, Party},
    ids::{ConversationId, LegId},
    output::{HangUpReason, RejectReason},
};
use serde_json::json;

fn hang_up(leg: u128) -> Action {
    Action::HangUp { conversation: conversation(), leg: LegId(leg), line: Line::Unified, reason: HangUpReason::Normal }
}

async fn ended(stage: &mut Stage) -> (LegId, CauseKind) {
    match stage.told().await {
        Input::Ended { leg, cause } => (leg, cause.kind),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_is_told_with_the_number_that_was_dialed_and_answered_once() {
    let mut stage = Stage::new().await;
    stage.rings(1).await;
    let caller = Party { number: Some("+49170".to_owned()), name: None };
    let arrived = Input::Arrived { leg: LegId(1), line: Line::Unified, caller, dialed: "+4930100".to_owned() };
    assert_eq!(stage.told().await, arrived);
    stage.rings(1).await;
    stage.answers("POST callConnections:answer", 200, json!({ "callConnectionId": "c1" }));
    let answer = || Action::Answer { conversation: conversation(), leg: LegId(1), line: Line::Unified };
    stage.act(7, answer());
    stage.act(8, answer());
    let asked = stage.asked("POST callConnections:answer").await;
    assert_eq!(asked["incomingCallContext"], "ctx");
    assert_eq!(asked["callbackUri"], "https://cc.example/hooks/unified/ucn_1/calls");
    let connected = json!([{ "id": "x", "type": "Microsoft.Communication.CallConnected", "data": about(1, json!({})) }]);
    stage.tell_again(&connected).await;
    stage.tell_again(&connected).await;
    assert!(matches!(stage.told().await, Input::Connected { leg: LegId(1), .. }));
    stage.happens("CallDisconnected", about(1, json!({ "resultInformation": { "code": 0, "subCode": 560_000 } }))).await;
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::FarEnd), "nothing was told twice before");
    assert_eq!(stage.count("POST callConnections:answer"), 1);
}

#[tokio::test]
async fn an_event_that_overtakes_the_answer_to_its_operation_is_not_lost() {
    let mut stage = Stage::new().await;
    stage.rings(1).await;
    stage.told().await;
    stage.act(1, Action::Answer { conversation: conversation(), leg: LegId(1), line: Line::Unified });
    // The service says that the call stands, and over, before it has answered; its answer is of no use at all.
    stage.happens("CallConnected", about(1, json!({}))).await;
    assert!(matches!(stage.told().await, Input::Connected { .. }));
    stage.happens("CallDisconnected", about(1, json!({}))).await;
    assert_eq!(ended(&mut stage).await.0, LegId(1));
}

#[tokio::test]
async fn a_call_whose_event_is_lost_is_asked_for() {
    let mut stage = Stage::new().await;
    stage.rings(1).await;
    stage.told().await;
    stage.answers("POST callConnections:answer", 200, json!({ "callConnectionId": "c1" }));
    stage.answers("GET callConnections/c1", 200, json!({ "callConnectionId": "c1", "callConnectionState": "Connected" }));
    stage.act(1, Action::Answer { conversation: conversation(), leg: LegId(1), line: Line::Unified });
    assert!(matches!(stage.told().await, Input::Connected { leg: LegId(1), .. }));
}

#[tokio::test]
async fn a_caller_who_has_gone_when_the_call_is_answered_has_given_up() {
    let mut stage = Stage::new().await;
    stage.rings(1).await;
    stage.told().await;
    stage.answers("POST callConnections:answer", 404, json!({ "error": { "code": "8522", "message": "gone" } }));
    stage.act(1, Action::Answer { conversation: conversation(), leg: LegId(1), line: Line::Unified });
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::FarEnd));
}

#[tokio::test]
async fn a_call_is_refused_in_the_services_words() {
    let mut stage = Stage::new().await;
    stage.rings(1).await;
    stage.told().await;
    stage.act(1, Action::Reject { conversation: conversation(), leg: LegId(1), line: Line::Unified, reason: RejectReason::Blocked });
    assert_eq!(stage.asked("POST callConnections:reject").await["callRejectReason"], "forbidden");
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::Ours));
}

#[tokio::test]
async fn an_agent_is_called_into_the_customers_call_by_the_contact_center_identity() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    let asked = stage.dial_agent().await;
    assert_eq!(asked["participantToAdd"]["rawId"], agent_raw());
    assert_eq!(asked["participantToAdd"]["teamsExtensionUser"]["resourceId"], RESOURCE);
    assert_eq!(asked["invitationTimeoutInSeconds"], 20);
    assert_eq!(asked["customCallingContext"]["voipHeaders"]["Dreiklang-Caller"], "+49170");
    stage.happens("AddParticipantSucceeded", about(2, json!({ "participant": { "rawId": agent_raw() } }))).await;
    assert!(matches!(stage.told().await, Input::Connected { leg: LegId(2), .. }));
}

#[tokio::test]
async fn an_agents_teams_client_rings_where_that_is_wanted_and_nonsense_rings_nowhere() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.act(2, dial(2, Endpoint::Address(format!("teams:{AGENT}"))));
    let asked = stage.asked("POST callConnections/c1/participants:add").await;
    assert_eq!(asked["participantToAdd"]["microsoftTeamsUser"]["userId"], AGENT);
    assert_eq!(stage.told().await, Input::Ringing { leg: LegId(2) });
    for (leg, to) in
        [(3, Endpoint::Address("ada".to_owned())), (4, Endpoint::Desk("ada".to_owned())), (5, Endpoint::Person("a@b".to_owned()))]
    {
        stage.act(leg, dial(leg, to));
        assert_eq!(ended(&mut stage).await, (LegId(leg), CauseKind::Unreachable));
    }
}

#[tokio::test]
async fn an_agent_who_declines_is_busy_or_does_not_answer_is_told_as_that() {
    let causes = [
        (603, 0, CauseKind::Declined),
        (486, 0, CauseKind::Busy),
        (487, 10_004, CauseKind::NoAnswer),
        (480, 10_037, CauseKind::Unreachable),
    ];
    for (code, sub, kind) in causes {
        let mut stage = Stage::new().await;
        stage.customer().await;
        stage.dial_agent().await;
        stage.happens("AddParticipantFailed", about(2, json!({ "resultInformation": { "code": code, "subCode": sub } }))).await;
        assert_eq!(ended(&mut stage).await, (LegId(2), kind));
    }
}

#[tokio::test]
async fn a_caller_who_leaves_while_it_rings_is_told_before_the_agent_is() {
    let called_off = about(2, json!({ "resultInformation": { "code": 487, "subCode": 0 } }));
    let over = json!({ "callConnectionId": "c1", "resultInformation": { "code": 0, "subCode": 560_000 } });
    for order in [[0, 1], [1, 0]] {
        let mut stage = Stage::new().await;
        stage.customer().await;
        stage.dial_agent().await;
        for what in order {
            match what {
                0 => stage.happens("AddParticipantFailed", called_off.clone()).await,
                _ => stage.happens("CallDisconnected", over.clone()).await,
            }
        }
        let both = [ended(&mut stage).await, ended(&mut stage).await];
        assert_eq!(both, [(LegId(1), CauseKind::FarEnd), (LegId(2), CauseKind::Ours)]);
    }
}

#[tokio::test]
async fn who_rings_is_called_off_by_the_invitation_and_let_out_when_it_was_accepted_all_the_same() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.dial_agent().await;
    stage.act(3, hang_up(2));
    let asked = stage.asked("POST callConnections/c1/participants:cancelAddParticipant").await;
    assert_eq!(asked["invitationId"], "inv");
    stage.happens("AddParticipantSucceeded", about(2, json!({ "participant": { "rawId": agent_raw() } }))).await;
    let asked = stage.asked("POST callConnections/c1/participants:remove").await;
    assert_eq!(asked["participantToRemove"]["rawId"], agent_raw());
    assert!(matches!(stage.told().await, Input::Connected { leg: LegId(2), .. }), "the core is told the truth");
    let context = asked["operationContext"].clone();
    stage
        .happens(
            "RemoveParticipantSucceeded",
            json!({ "callConnectionId": "c1", "operationContext": context, "participant": { "rawId": agent_raw() } }),
        )
        .await;
    assert_eq!(ended(&mut stage).await, (LegId(2), CauseKind::Ours));
    assert_eq!(stage.count("POST callConnections/c1:terminate"), 0, "the customer is still there");
}

#[tokio::test]
async fn the_last_one_ends_the_call_and_all_who_are_left_end_with_it() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.agent().await;
    stage.act(5, hang_up(2));
    stage.act(6, hang_up(1));
    stage.asked("POST callConnections/c1:terminate").await;
    let both = [ended(&mut stage).await, ended(&mut stage).await];
    assert_eq!(both, [(LegId(1), CauseKind::Ours), (LegId(2), CauseKind::Ours)]);
    stage.act(7, hang_up(1));
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::Ours), "whoever is gone is said to be, as often as it is asked");
}

#[tokio::test]
async fn who_leaves_is_missed_when_a_roster_says_so_and_asking_confirms_it() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.agent().await;
    let both = json!([{ "identifier": { "rawId": "4:+49170" } }, { "identifier": { "rawId": agent_raw() } }]);
    let alone = json!([{ "identifier": { "rawId": "4:+49170_2f" } }]);
    let participants = "GET callConnections/c1/participants";
    // Wrong rosters: counting, or asking for the one who is missing, shows that both are there.
    stage.answers(participants, 200, json!({ "value": both }));
    stage.happens("ParticipantsUpdated", json!({ "callConnectionId": "c1", "sequenceNumber": 5, "participants": alone })).await;
    stage.asked(participants).await;
    // An old roster says nothing any more.
    stage.happens("ParticipantsUpdated", json!({ "callConnectionId": "c1", "sequenceNumber": 4, "participants": [] })).await;
    let sought = format!("{participants}/{}", agent_raw().replace(':', "%3A"));
    stage.answers(participants, 200, json!({ "value": alone }));
    stage.answers(&sought, 200, json!({ "identifier": { "rawId": agent_raw() } }));
    stage.happens("ParticipantsUpdated", json!({ "callConnectionId": "c1", "sequenceNumber": 6, "participants": alone })).await;
    stage.asked(&sought).await;
    stage.answers(participants, 200, json!({ "value": alone }));
    stage.happens("ParticipantsUpdated", json!({ "callConnectionId": "c1", "sequenceNumber": 7, "participants": alone })).await;
    assert_eq!(ended(&mut stage).await, (LegId(2), CauseKind::FarEnd));
    assert_eq!(stage.count(participants), 3);
}

#[tokio::test]
async fn who_answers_after_everybody_has_forgotten_them_is_let_out() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.happens("AddParticipantSucceeded", about(9, json!({ "participant": { "rawId": agent_raw() } }))).await;
    assert_eq!(stage.asked("POST callConnections/c1/participants:remove").await["participantToRemove"]["rawId"], agent_raw());
    let stranger = json!({ "callConnectionId": "c9", "operationContext": LegId(9).to_string() });
    stage.happens("CallConnected", stranger).await;
    stage.asked("POST callConnections/c9:terminate").await;
}

#[tokio::test]
async fn without_a_call_a_number_is_called_on_behalf_of_the_resource_account() {
    let mut stage = Stage::new().await;
    stage.answers("POST callConnections", 201, json!({ "callConnectionId": "c2" }));
    stage.act(1, dial(1, Endpoint::Number("+49171".to_owned())));
    let asked = stage.asked("POST callConnections").await;
    assert_eq!(asked["targets"][0]["phoneNumber"]["value"], "+49171");
    assert_eq!(asked["teamsAppSource"]["appId"], super::stage::ACCOUNT);
    assert!(asked.get("sourceCallerIdNumber").is_none() && asked.get("sourceDisplayName").is_none());
    assert_eq!(stage.told().await, Input::Ringing { leg: LegId(1) });
    let data = json!({ "callConnectionId": "c2", "operationContext": LegId(1).to_string(), "resultInformation": { "code": 486, "subCode": 560_486 } });
    stage.happens("CreateCallFailed", data.clone()).await;
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::Busy));
    stage.happens("CallDisconnected", data).await;
    stage.act(2, hang_up(1));
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::Ours));
}

#[tokio::test]
async fn keys_are_told_in_their_order() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    for (sequence, tone) in [(1, "four"), (3, "pound"), (2, "Two"), (2, "two")] {
        let context = format!("keys_{}", LegId(1));
        stage
            .happens(
                "ContinuousDtmfRecognitionToneReceived",
                json!({ "callConnectionId": "c1", "operationContext": context, "sequenceId": sequence, "tone": tone }),
            )
            .await;
    }
    for digit in ['4', '2', '#'] {
        assert_eq!(stage.told().await, Input::Digit { leg: LegId(1), digit });
    }
}

#[tokio::test]
async fn after_a_restart_what_lives_at_the_service_lives_on_and_what_does_not_is_told() {
    let mut stage = Stage::new().await;
    let token =
        |call: &str, who: &str, inbound: bool| json!({ "connection": "ucn_1", "call": call, "who": who, "inbound": inbound }).to_string();
    let former = Former::for_tests(vec![
        (ConversationId(1), LegId(1), token("c1", "4:+49170", true)),
        (ConversationId(1), LegId(2), token("c1", &agent_raw(), false)),
        (ConversationId(2), LegId(3), token("c2", "4:+49171", true)),
    ]);
    stage.answers(
        "GET callConnections/c1/participants",
        200,
        json!({ "value": [{ "identifier": { "rawId": "4:+49170" }, "isOnHold": true }] }),
    );
    stage.handle.restore(TENANT, former).await;
    stage.act(9, Action::Survey { line: Line::Unified });
    let mut over = vec![ended(&mut stage).await.0, ended(&mut stage).await.0];
    over.sort();
    assert_eq!(over, [LegId(2), LegId(3)]);
    assert_eq!(stage.told().await, Input::Survey { line: Line::Unified, live: vec![LegId(1)] });
    // What happens to the call goes on to be understood.
    stage.happens("CallDisconnected", json!({ "callConnectionId": "c1" })).await;
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::FarEnd));
}

#[tokio::test]
async fn a_wish_that_is_repeated_after_a_restart_is_recognized_by_the_service() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    stage.dial_agent().await;
    stage.act(2, dial(2, Endpoint::Address(AGENT.to_owned())));
    stage.done(2).await;
    assert_eq!(stage.count("POST callConnections/c1/participants:add"), 1);
}

#[tokio::test]
async fn another_tenants_service_cannot_speak_of_our_calls() {
    let mut stage = Stage::new().await;
    stage.customer().await;
    let other = stage.other_tenants_connection().await;
    for context in [LegId(1).to_string(), format!("remove_{}", LegId(1)), format!("keys_{}", LegId(1))] {
        for kind in ["CallDisconnected", "RemoveParticipantSucceeded", "ContinuousDtmfRecognitionToneReceived"] {
            let data = json!({ "callConnectionId": "c1", "operationContext": context, "sequenceId": 1, "tone": "one", "participant": { "rawId": "4:+49170" } });
            stage.happens_at(&other, kind, data).await;
        }
    }
    stage.happens("CallDisconnected", json!({ "callConnectionId": "c1", "resultInformation": { "code": 0, "subCode": 560_000 } })).await;
    assert_eq!(ended(&mut stage).await, (LegId(1), CauseKind::FarEnd), "nothing else was told before");
}

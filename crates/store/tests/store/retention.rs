//! Forgetting conversations.

use crate::{
    soon,
    story::{Call, OTHER, Story, TENANT},
};
use dreiklang_core::{
    agent::Duty,
    ids::{AgentId, ConversationId, QueueId},
    time::Timestamp,
};
use dreiklang_store::{
    Store,
    report::{conversations::ConversationFilter, written::WrittenFilter},
};

#[tokio::test]
async fn old_conversations_go_with_everything_of_theirs_and_nothing_else() {
    let store = Store::in_memory().unwrap();
    for tenant in [TENANT, OTHER] {
        let mut story = Story::new();
        for number in 0..10 {
            story.answered(Call { start: number * 1_000_000, recorded: true, wrap_up: 1_000, ..Call::default() });
        }
        story.arrives(0, "+491");
        let epoch = store.acquire(tenant, "here").await.unwrap().epoch;
        let version = store.append(tenant, epoch, 0, &story.events).await.unwrap();
        soon(store.wait_projected(tenant, version)).await.unwrap();
    }
    let before = Timestamp(4_500_000);
    let due = store.due_conversations(TENANT, before, 3).await.unwrap();
    assert_eq!(due.len(), 3);
    assert!(due.iter().all(|due| due.recordings == [format!("{}.wav", due.conversation)]));
    let all: Vec<_> = store.due_conversations(TENANT, before, 100).await.unwrap().into_iter().map(|due| due.conversation).collect();
    assert_eq!(all.len(), 5, "the one that still goes on is not due");
    assert_eq!(store.delete_conversations(TENANT, all.clone()).await.unwrap(), 5);
    assert_eq!(store.delete_conversations(TENANT, all.clone()).await.unwrap(), 0);
    assert_eq!(store.due_conversations(TENANT, before, 100).await.unwrap(), []);
    assert!(store.conversation(TENANT, all[0]).await.unwrap().is_none());
    assert!(store.trace(TENANT, all[0], 0, 10).await.unwrap().events.is_empty());
    assert_eq!(store.conversations(TENANT, ConversationFilter::default(), None, 100).await.unwrap().rows.len(), 6);
    // The other tenant has the same ids, and keeps everything.
    assert_eq!(store.conversations(OTHER, ConversationFilter::default(), None, 100).await.unwrap().rows.len(), 11);
    let kept = store.conversation(OTHER, all[0]).await.unwrap().unwrap();
    assert_eq!((kept.legs.len(), kept.visits.len(), kept.talks.len(), kept.recordings.len()), (1, 1, 1, 1));
    assert!(!store.trace(OTHER, all[0], 0, 100).await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_conversation_that_goes_on_is_not_removed() {
    let store = Store::in_memory().unwrap();
    let mut story = Story::new();
    let (conversation, _) = story.arrives(0, "+491");
    story.enters(0, conversation, QueueId(1));
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, &story.events).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    assert_eq!(store.delete_conversations(TENANT, vec![conversation]).await.unwrap(), 0);
    assert_eq!(store.conversation(TENANT, conversation).await.unwrap().unwrap().visits.len(), 1);
}

#[tokio::test]
async fn old_agent_time_goes_in_steps() {
    let store = Store::in_memory().unwrap();
    let mut story = Story::new();
    for number in 0..100 {
        story.duty(number * 1_000, AgentId(1), if number % 2 == 0 { Duty::OnDuty } else { Duty::OffDuty });
    }
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, &story.events).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    assert_eq!(store.prune_agent_time(OTHER, Timestamp(50_000)).await.unwrap(), 0);
    assert_eq!(store.prune_agent_time(TENANT, Timestamp(50_000)).await.unwrap(), 49);
    assert_eq!(store.prune_agent_time(TENANT, Timestamp(50_000)).await.unwrap(), 0);
}

#[tokio::test]
async fn what_was_written_is_forgotten_when_it_was_closed_long_ago() {
    let store = Store::in_memory().unwrap();
    let mut story = Story::new();
    let by = serde_json::json!({ "kind": "system" });
    let mut ids = Vec::new();
    for (opened, closed) in [(0, Some(1_000)), (10, None), (20, Some(9_000_000))] {
        let conversation = ConversationId(story.id());
        let customer = serde_json::json!({ "number": "ada@example.com", "name": null });
        let fields = serde_json::json!({ "type": "written_opened", "conversation": conversation, "channel": "email", "customer": customer,
            "subject": "Order", "link": null, "language": null, "by": by });
        story.tell_json(opened, fields);
        if let Some(closed) = closed {
            let termination = serde_json::json!({ "result": "agent", "reason": "finished" });
            let fields = serde_json::json!({ "type": "written_closed", "conversation": conversation, "channel": "email",
                "started_at": opened, "termination": termination, "by": by });
            story.tell_json(closed, fields);
        }
        ids.push(conversation);
    }
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, &story.events).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    let due = store.due_conversations(TENANT, Timestamp(4_500_000), 10).await.unwrap();
    assert_eq!(due.iter().map(|due| due.conversation).collect::<Vec<_>>(), [ids[0]]);
    assert_eq!(store.delete_conversations(TENANT, ids.clone()).await.unwrap(), 2, "the one that is open stays, whoever asks");
    let page = store.written(TENANT, WrittenFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[1]]);
    assert!(store.trace(TENANT, ids[0], 0, 10).await.unwrap().events.is_empty());
}

//! What is heard in a call, and keys that are pressed there.
//!
//! The service does not recognize these operations when they come twice, so a prompt is sent again only where nothing was taken.

use super::{
    client::Client,
    identifier::Identifier,
    model::{Hold, OneParticipant, Play, PlaySource},
};
use crate::transport::Failure;

impl Client {
    /// Plays something. `PlayCompleted`, `PlayFailed` or `PlayCanceled` follows.
    ///
    /// # Errors
    /// [`Failure::Uncertain`] where it may be playing all the same.
    pub async fn play(&self, call: &str, request: &Play) -> Result<(), Failure> {
        self.post_once(&["calling", "callConnections", &format!("{call}:play")], Some(request)).await.map(drop)
    }

    /// Ends everything that plays or is waited for.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn cancel_media(&self, call: &str) -> Result<(), Failure> {
        let path = format!("{call}:cancelAllMediaOperations");
        self.post_same(&["calling", "callConnections", &path], None::<&()>).await.map(drop)
    }

    /// Lets somebody hear music, or nothing, instead of the others, and not be heard.
    ///
    /// # Errors
    /// As for [`Client::play`].
    pub async fn hold(&self, call: &str, who: &Identifier, music: Option<&PlaySource>) -> Result<(), Failure> {
        let body = Hold { target_participant: who, play_source_info: music };
        self.post_once(&["calling", "callConnections", &format!("{call}:hold")], Some(&body)).await.map(drop)
    }

    /// Takes somebody back from hold.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn unhold(&self, call: &str, who: &Identifier) -> Result<(), Failure> {
        let body = OneParticipant { target_participant: who, operation_context: None };
        self.post_same(&["calling", "callConnections", &format!("{call}:unhold")], Some(&body)).await.map(drop)
    }

    /// Tells of every key somebody presses, by `ContinuousDtmfRecognitionToneReceived`, until further notice.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn follow_keys(&self, call: &str, who: &Identifier, context: &str) -> Result<(), Failure> {
        let body = OneParticipant { target_participant: who, operation_context: Some(context) };
        let path = format!("{call}:startContinuousDtmfRecognition");
        self.post_same(&["calling", "callConnections", &path], Some(&body)).await.map(drop)
    }
}

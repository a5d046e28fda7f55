//! Calls and who is in them.

use super::{
    client::{Call, Client, RequestId, parsed},
    identifier::Identifier,
    model::{
        AddParticipant, AnswerCall, CallConnection, CancelAdd, CreateCall, Invitation, MoveParticipants, MuteParticipants, Participant,
        Participants, RejectCall, RemoveParticipant,
    },
};
use crate::{
    limits,
    transport::{Failure, Repeat},
};
use reqwest::Method;

const CALLS: &str = "callConnections";

impl Client {
    /// Takes a call that came in. Its `CallConnected` follows.
    ///
    /// # Errors
    /// When it is refused or does not get through.
    pub async fn answer_call(&self, request: &AnswerCall, id: RequestId) -> Result<CallConnection, Failure> {
        parsed(&self.post(&["calling", "callConnections:answer"], Some(request), id).await?)
    }

    /// Refuses a call that came in.
    ///
    /// # Errors
    /// As [`Client::answer_call`].
    pub async fn reject_call(&self, request: &RejectCall, id: RequestId) -> Result<(), Failure> {
        self.post(&["calling", "callConnections:reject"], Some(request), id).await.map(drop)
    }

    /// Calls somebody. `CallConnected` or `CreateCallFailed` follows.
    ///
    /// # Errors
    /// As [`Client::answer_call`].
    pub async fn create_call(&self, request: &CreateCall, id: RequestId) -> Result<CallConnection, Failure> {
        if request.teams_app_source.is_some() && !self.version.has_teams() {
            return Err(Failure::Impossible(format!("version {} knows no resource accounts", self.version.0)));
        }
        parsed(&self.post(&["calling", CALLS], Some(request), id).await?)
    }

    /// What a call is at present.
    ///
    /// # Errors
    /// As [`Client::answer_call`]; [`Failure::is_gone`] for one that is over.
    pub async fn call(&self, call: &str) -> Result<CallConnection, Failure> {
        let url = self.url(&["calling", CALLS, call], &self.version)?;
        parsed(&self.answer(&Call::new(Method::GET, url, Repeat::Safe)).await?)
    }

    /// Ends a call for everybody.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn terminate(&self, call: &str, id: RequestId) -> Result<(), Failure> {
        self.post(&["calling", CALLS, &format!("{call}:terminate")], None::<&()>, id).await.map(drop)
    }

    /// Everybody in a call.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn participants(&self, call: &str) -> Result<Vec<Participant>, Failure> {
        let mut url = self.url(&["calling", CALLS, call, "participants"], &self.version)?;
        let mut found = Vec::new();
        for _ in 0..limits::PAGES {
            let page: Participants = parsed(&self.answer(&Call::new(Method::GET, url.clone(), Repeat::Safe)).await?)?;
            found.extend(page.value);
            let Some(next) = page.next_link.filter(|next| !next.is_empty()) else { return Ok(found) };
            // Relative or whole; but never elsewhere, where our proof would go with it.
            let next = url.join(&next).map_err(|error| Failure::Unreadable(format!("a next page cannot be found: {error}")))?;
            if next.origin() != url.origin() {
                return Err(Failure::Unreadable("the next page lies elsewhere".to_owned()));
            }
            url = next;
        }
        Err(Failure::Unreadable(format!("more than {} pages of participants", limits::PAGES)))
    }

    /// Somebody in a call.
    ///
    /// # Errors
    /// As [`Client::call`]; [`Failure::is_gone`] for whoever is not in it.
    pub async fn participant(&self, call: &str, who: &Identifier) -> Result<Participant, Failure> {
        let raw = who.raw().ok_or_else(|| Failure::Impossible("nobody is named".to_owned()))?;
        let mut url = self.url(&["calling", CALLS, call, "participants", &raw], &self.version)?;
        // The service wants ids with these escaped; addresses may have them as they are.
        let escaped = url.path().replace(':', "%3A").replace('+', "%2B");
        url.set_path(&escaped);
        parsed(&self.answer(&Call::new(Method::GET, url, Repeat::Safe)).await?)
    }

    /// Calls somebody into a call. `AddParticipantSucceeded` or `AddParticipantFailed` follows.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn add(&self, call: &str, request: &AddParticipant, id: RequestId) -> Result<Invitation, Failure> {
        parsed(&self.post(&["calling", CALLS, call, "participants:add"], Some(request), id).await?)
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn cancel_add(&self, call: &str, invitation: &str, context: &str, id: RequestId) -> Result<(), Failure> {
        let body = CancelAdd { invitation_id: invitation, operation_context: context };
        self.post(&["calling", CALLS, call, "participants:cancelAddParticipant"], Some(&body), id).await.map(drop)
    }

    /// Lets somebody out of a call.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn remove(&self, call: &str, who: &Identifier, context: &str, id: RequestId) -> Result<(), Failure> {
        let body = RemoveParticipant { participant_to_remove: who, operation_context: context };
        self.post(&["calling", CALLS, call, "participants:remove"], Some(&body), id).await.map(drop)
    }

    /// Brings somebody here from another call.
    ///
    /// # Errors
    /// As [`Client::call`]; [`Failure::Impossible`] where the version cannot.
    pub async fn move_here(&self, call: &str, from: &str, who: &Identifier, context: &str, id: RequestId) -> Result<(), Failure> {
        if !self.version.has_move() {
            return Err(Failure::Impossible(format!("version {} cannot move participants", self.version.0)));
        }
        let body = MoveParticipants { target_participants: [who], from_call: from, operation_context: context };
        self.post(&["calling", CALLS, call, "participants:moveHere"], Some(&body), id).await.map(drop)
    }

    /// Lets somebody be heard no more. There is no way back in this interface.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn mute(&self, call: &str, who: &Identifier, id: RequestId) -> Result<(), Failure> {
        let body = MuteParticipants { target_participants: [who] };
        self.post(&["calling", CALLS, call, "participants:mute"], Some(&body), id).await.map(drop)
    }
}

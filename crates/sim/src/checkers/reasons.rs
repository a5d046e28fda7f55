//! Every offer of a visit was decided right before, and the decision names the agent as the chosen one.

use super::Findings;
use dreiklang_core::{
    Event,
    conversation::Purpose,
    ids::{AgentId, ConversationId},
    routing::Verdict,
};

const NAME: &str = "reasons";

#[derive(Debug, Default)]
pub struct Reasons {
    decided: Option<(ConversationId, Vec<AgentId>)>,
    pulled: Option<(ConversationId, AgentId)>,
}

impl Reasons {
    pub fn observe(&mut self, event: &Event, found: &mut Findings) {
        match event {
            Event::Decided { conversation, decision, .. } => {
                let chosen = decision.candidates.iter().filter(|candidate| candidate.verdict == Verdict::Chosen);
                let named = chosen.map(|candidate| candidate.agent).all(|agent| decision.chosen.contains(&agent));
                found.expect(named, NAME, "who is named as chosen was chosen", || format!("{event:?}"));
                self.decided = Some((*conversation, decision.chosen.clone()));
            }
            Event::OfferMade { conversation, visit: Some(_), agent, purpose: Purpose::Serve, .. } => {
                let decided = self.decided.as_ref().is_some_and(|(of, chosen)| of == conversation && chosen.contains(agent));
                found.expect(decided, NAME, "an offer follows a decision for this agent", || format!("{event:?} after {:?}", self.decided));
            }
            Event::VisitPulled { conversation, agent, .. } => self.pulled = Some((*conversation, *agent)),
            Event::OfferMade { conversation, agent, purpose: Purpose::Pull, .. } => {
                let wished = self.pulled.take() == Some((*conversation, *agent));
                found.expect(wished, NAME, "an offer out of turn was wished right before", || format!("{event:?}"));
            }
            _ => {}
        }
    }
}

//! From what everybody in a call is to hear to what the service has to be told. Decides; tells nobody.
//!
//! In a call of the service everybody hears everybody. So whoever is alone is played to as "all", where prompts can be repeated;
//! whoever waits while others talk is put on hold with music; whoever listens only is muted. What cannot be said in these words
//! (being heard by one and not by another; being heard again after having been muted) is refused.

use super::call::{Leg, Playing, Wants};
use dreiklang_core::{
    ids::{ActionId, LegId},
    output::Prompt,
};
use dreiklang_microsoft::acs::identifier::Identifier;

/// One thing to tell the service.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing plays any more.
    Cancel,
    /// Somebody is not heard any more.
    Mute(LegId, Identifier),
    /// Somebody hears this instead of the others, and is not heard.
    Hold(LegId, Identifier, Option<Prompt>),
    /// Somebody is with the others again.
    Unhold(LegId, Identifier),
    /// Everybody hears this, in place of what played.
    PlayAll { leg: LegId, prompt: Prompt, once: Option<ActionId> },
    /// Somebody hears this on top of the others.
    PlayTo { leg: LegId, who: Identifier, prompt: Prompt, action: ActionId },
}

/// What has to be told. `legs` are those who are in the call and stay.
pub(super) fn steps(legs: &[&Leg], playing: Option<&Playing>) -> Result<Vec<Step>, String> {
    match legs {
        [] => Ok(Vec::new()),
        [alone] => Ok(steps_alone(alone, playing)),
        several => steps_together(several, playing),
    }
}

fn steps_alone(leg: &Leg, playing: Option<&Playing>) -> Vec<Step> {
    let mut steps = Vec::new();
    if leg.held.is_some() && leg.wants != Wants::Unsaid {
        steps.push(Step::Unhold(leg.id, leg.who.clone()));
    }
    match &leg.wants {
        Wants::Unsaid => {}
        Wants::Nothing | Wants::Voices(_) => steps.extend(playing.map(|_| Step::Cancel)),
        Wants::Prompt(prompt) => {
            if playing.is_none_or(|playing| playing.leg != leg.id || playing.prompt != *prompt) {
                steps.push(Step::PlayAll { leg: leg.id, prompt: prompt.clone(), once: None });
            }
        }
        Wants::Once(action, prompt) => {
            if leg.begun != Some(*action) {
                steps.push(Step::PlayAll { leg: leg.id, prompt: prompt.clone(), once: Some(*action) });
            }
        }
    }
    steps
}

fn steps_together(legs: &[&Leg], playing: Option<&Playing>) -> Result<Vec<Step>, String> {
    // Nobody but the one who was alone before has been said anything of: the others have just come.
    let others_unsaid = |leg: &&&Leg| legs.iter().all(|other| other.id == leg.id || other.wants == Wants::Unsaid);
    if let Some(leg) = legs.iter().find(others_unsaid) {
        return Ok(steps_alone(leg, playing));
    }
    let talkers: Vec<&&Leg> = legs.iter().filter(|leg| matches!(&leg.wants, Wants::Voices(voices) if !voices.is_empty())).collect();
    let hears = |leg: &Leg, other: LegId| matches!(&leg.wants, Wants::Voices(voices) if voices.contains(&other));
    let (mut cancel, mut mutes, mut holds, mut unholds, mut plays) = (playing.is_some(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for leg in legs {
        let (id, who) = (leg.id, leg.who.clone());
        match &leg.wants {
            Wants::Unsaid => {}
            Wants::Voices(voices) if !voices.is_empty() => {
                let others: Vec<&&&Leg> = talkers.iter().filter(|other| other.id != id).collect();
                let heard = others.iter().filter(|other| hears(other, id)).count();
                if heard == 0 && !others.is_empty() {
                    if !leg.muted {
                        mutes.push(Step::Mute(id, who.clone()));
                    }
                } else if heard < others.len() {
                    return Err("in this call everybody who is heard is heard by all: nobody can whisper".to_owned());
                } else if leg.muted {
                    return Err("in this call nobody is heard again who was muted; call that one again instead".to_owned());
                }
                if leg.held.is_some() {
                    unholds.push(Step::Unhold(id, who));
                }
            }
            Wants::Prompt(prompt) => {
                if leg.held.as_ref().is_none_or(|held| held.as_ref() != Some(prompt)) {
                    if leg.held.is_some() {
                        holds.push(Step::Unhold(id, who.clone()));
                    }
                    holds.push(Step::Hold(id, who, Some(prompt.clone())));
                }
            }
            Wants::Once(action, prompt) => {
                if leg.begun != Some(*action) {
                    if leg.held.is_some() {
                        holds.push(Step::Unhold(id, who.clone()));
                    }
                    plays.push(Step::PlayTo { leg: id, who, prompt: prompt.clone(), action: *action });
                } else if playing.is_some_and(|playing| playing.context == action.to_string()) {
                    cancel = false;
                }
            }
            // Whoever hears nothing has to be kept from those who talk, and from nobody else.
            Wants::Nothing | Wants::Voices(_) => match (&leg.held, talkers.is_empty()) {
                (None, false) => holds.push(Step::Hold(id, who, None)),
                (Some(Some(_)), false) => holds.extend([Step::Unhold(id, who.clone()), Step::Hold(id, who, None)]),
                (Some(Some(_)), true) => unholds.push(Step::Unhold(id, who)),
                (None, true) | (Some(None), _) => {}
            },
        }
    }
    // Whoever is not to be heard is silent before anybody comes back.
    let first = cancel.then_some(Step::Cancel);
    Ok(first.into_iter().chain(mutes).chain(holds).chain(unholds).chain(plays).collect())
}

#[cfg(test)]
mod tests {
    use super::{super::call::Stage, *};
    use dreiklang_core::ids::TenantId;
    use std::collections::BTreeSet;

    fn leg(id: u128, wants: Wants) -> Leg {
        let mut leg = Leg::new(LegId(id), TenantId(1), 1, Identifier::of_number(&format!("+{id}")), Stage::Connected);
        leg.wants = wants;
        leg
    }

    fn voices(ids: &[u128]) -> Wants {
        Wants::Voices(ids.iter().map(|id| LegId(*id)).collect::<BTreeSet<_>>())
    }

    fn who(id: u128) -> Identifier {
        Identifier::of_number(&format!("+{id}"))
    }

    fn music(leg: u128) -> Playing {
        Playing { leg: LegId(leg), prompt: Prompt::Music, context: "m".to_owned() }
    }

    #[test]
    fn who_waits_alone_hears_music_and_announcements_by_turns() {
        let mut customer = leg(1, Wants::Prompt(Prompt::Music));
        let begin = Step::PlayAll { leg: LegId(1), prompt: Prompt::Music, once: None };
        assert_eq!(steps(&[&customer], None).unwrap(), [begin]);
        assert_eq!(steps(&[&customer], Some(&music(1))).unwrap(), []);
        customer.wants = Wants::Once(ActionId(9), Prompt::Beep);
        let announce = Step::PlayAll { leg: LegId(1), prompt: Prompt::Beep, once: Some(ActionId(9)) };
        assert_eq!(steps(&[&customer], Some(&music(1))).unwrap(), [announce]);
        customer.begun = Some(ActionId(9));
        assert_eq!(steps(&[&customer], None).unwrap(), [], "it is not begun twice");
        customer.wants = Wants::Nothing;
        assert_eq!(steps(&[&customer], Some(&music(1))).unwrap(), [Step::Cancel]);
    }

    #[test]
    fn an_agent_who_comes_ends_the_music_only_when_the_two_are_bridged() {
        let (mut customer, mut agent) = (leg(1, Wants::Prompt(Prompt::Music)), leg(2, Wants::Unsaid));
        assert_eq!(steps(&[&customer, &agent], Some(&music(1))).unwrap(), []);
        (customer.wants, agent.wants) = (voices(&[2]), voices(&[1]));
        assert_eq!(steps(&[&customer, &agent], Some(&music(1))).unwrap(), [Step::Cancel]);
        assert_eq!(steps(&[&customer, &agent], None).unwrap(), []);
    }

    #[test]
    fn hold_is_music_for_the_customer_and_silence_for_the_agent() {
        let (mut customer, mut agent) = (leg(1, Wants::Prompt(Prompt::Music)), leg(2, Wants::Nothing));
        assert_eq!(steps(&[&customer, &agent], None).unwrap(), [Step::Hold(LegId(1), who(1), Some(Prompt::Music))]);
        customer.held = Some(Some(Prompt::Music));
        assert_eq!(steps(&[&customer, &agent], None).unwrap(), []);
        (customer.wants, agent.wants) = (voices(&[2]), voices(&[1]));
        assert_eq!(steps(&[&customer, &agent], None).unwrap(), [Step::Unhold(LegId(1), who(1))]);
        assert_eq!(steps(&[&customer], None).unwrap(), [Step::Unhold(LegId(1), who(1))], "also when the agent has gone");
    }

    #[test]
    fn a_consult_keeps_the_customer_from_those_who_talk() {
        let mut customer = leg(1, Wants::Prompt(Prompt::Music));
        customer.held = Some(Some(Prompt::Music));
        let mut agent = leg(2, Wants::Prompt(Prompt::Ringback));
        assert_eq!(steps(&[&customer, &agent], None).unwrap(), [Step::Hold(LegId(2), who(2), Some(Prompt::Ringback))]);
        agent.held = Some(Some(Prompt::Ringback));
        agent.wants = voices(&[3]);
        let expert = leg(3, voices(&[2]));
        assert_eq!(steps(&[&customer, &agent, &expert], None).unwrap(), [Step::Unhold(LegId(2), who(2))]);
    }

    #[test]
    fn a_listener_is_muted_before_anybody_is_heard_and_never_heard_again() {
        let (customer, agent) = (leg(1, voices(&[2])), leg(2, voices(&[1])));
        let mut supervisor = leg(3, voices(&[1, 2]));
        assert_eq!(steps(&[&customer, &agent, &supervisor], None).unwrap(), [Step::Mute(LegId(3), who(3))]);
        supervisor.muted = true;
        assert_eq!(steps(&[&customer, &agent, &supervisor], None).unwrap(), []);
        let (customer, agent) = (leg(1, voices(&[2, 3])), leg(2, voices(&[1, 3])));
        assert!(steps(&[&customer, &agent, &supervisor], None).unwrap_err().contains("muted"));
        supervisor.muted = false;
        assert_eq!(steps(&[&customer, &agent, &supervisor], None).unwrap(), [], "who barges in is one of those who talk");
    }

    #[test]
    fn nobody_can_whisper() {
        let (customer, agent, supervisor) = (leg(1, voices(&[2])), leg(2, voices(&[1, 3])), leg(3, voices(&[1, 2])));
        assert!(steps(&[&customer, &agent, &supervisor], None).unwrap_err().contains("whisper"));
    }

    #[test]
    fn who_hears_nothing_while_others_talk_is_kept_apart() {
        let (customer, agent, other) = (leg(1, voices(&[2])), leg(2, voices(&[1])), leg(3, Wants::Nothing));
        assert_eq!(steps(&[&customer, &agent, &other], None).unwrap(), [Step::Hold(LegId(3), who(3), None)]);
    }
}

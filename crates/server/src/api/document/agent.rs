//! Agents, as programs see them.

use super::{kind::Kind, mailbox::Voicemail, queue::Prompt, reference::Reference};
use crate::{
    api::extract,
    error::{Code, Problem},
};
use dreiklang_core::{
    agent,
    config::Change,
    endpoint,
    ids::{AgentId, QueueId},
    written,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// A person who takes conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Shown to people; unique.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// The line the agent is reached over.
    #[serde(default)]
    pub line: Line,
    /// What rings when a conversation is offered.
    pub endpoint: Endpoint,
    /// Ids or names of the queues the agent serves.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Skills with their levels.
    #[serde(default)]
    pub skills: Vec<SkillLevel>,
    /// The id or name of the queue of callers who want just this agent, among `queues`: direct numbers lead there, and transfers
    /// while the agent is busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<String>,
    /// What the agent hears on answering, where a mailbox might have answered instead: only who presses `1` has the
    /// conversation. Absent: it is given at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Prompt>,
    /// Sets of the queues between which the agent chooses what to work for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<DutyProfile>,
    /// May listen to other agents' talks, whisper, barge in and take over.
    #[serde(default)]
    pub supervises: bool,
    /// What the agent answers in writing, and how much at a time; nothing of channels that are not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelShare>,
    /// How messages for the agent are taken.
    #[serde(default)]
    pub voicemail: Voicemail,
    /// Languages with how well they are spoken.
    #[serde(default)]
    pub languages: Vec<LanguageLevel>,
}

/// How much of one channel an agent takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelShare {
    /// Which channel.
    pub channel: Channel,
    /// How many conversations of it at once, those that are offered and those with notes to finish included.
    #[schema(minimum = 1, maximum = 20)]
    pub at_once: u8,
    /// More are offered while the agent is in a call.
    #[serde(default)]
    pub during_calls: bool,
    /// Calls are offered while the agent has some of these.
    #[serde(default = "yes")]
    pub calls_interrupt: bool,
}

fn yes() -> bool {
    true
}

/// A way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The customer waits at a screen.
    Chat,
    /// The customer reads the answer some time.
    Email,
    /// Work that another system has for an agent.
    Task,
}

impl From<Channel> for written::Channel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Chat => written::Channel::Chat,
            Channel::Email => written::Channel::Email,
            Channel::Task => written::Channel::Task,
        }
    }
}

impl From<written::Channel> for Channel {
    fn from(channel: written::Channel) -> Self {
        match channel {
            written::Channel::Chat => Channel::Chat,
            written::Channel::Email => Channel::Email,
            written::Channel::Task => Channel::Task,
        }
    }
}

/// Some of an agent's queues under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyProfile {
    /// Shown to the agent, who chooses by it.
    #[schema(example = "home office")]
    pub name: String,
    /// Ids or names of queues, all among the agent's.
    pub queues: Vec<String>,
}

/// A language and how well it is spoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageLevel {
    /// A BCP 47 tag such as `de` or `en-GB`; `de` is also understood by who asks for `de-AT`.
    #[schema(example = "de")]
    pub language: String,
    /// 1 to 10.
    #[schema(minimum = 1, maximum = 10)]
    pub level: u8,
}

/// A skill and how well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillLevel {
    /// The skill's id or name.
    #[schema(example = "german")]
    pub skill: String,
    /// 1 to 10.
    #[schema(minimum = 1, maximum = 10)]
    pub level: u8,
}

/// One of the three ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Through the session border controller.
    #[default]
    Connected,
    /// Through a calling bot.
    Extended,
    /// Through Teams Phone extensibility.
    Unified,
}

/// Where a leg ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Endpoint {
    /// A telephone number.
    Number(String),
    /// The agent's own telephone that signs in under this user name.
    Desk(String),
    /// An address in the line's own notation, reachable without signing in.
    Address(String),
    /// A person of the organization, by sign-in name.
    Person(String),
}

impl From<Line> for endpoint::Line {
    fn from(line: Line) -> Self {
        match line {
            Line::Connected => endpoint::Line::Connected,
            Line::Extended => endpoint::Line::Extended,
            Line::Unified => endpoint::Line::Unified,
        }
    }
}

impl From<endpoint::Line> for Line {
    fn from(line: endpoint::Line) -> Self {
        match line {
            endpoint::Line::Connected => Line::Connected,
            endpoint::Line::Extended => Line::Extended,
            endpoint::Line::Unified => Line::Unified,
        }
    }
}

impl From<Endpoint> for endpoint::Endpoint {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Number(value) => endpoint::Endpoint::Number(value),
            Endpoint::Desk(value) => endpoint::Endpoint::Desk(value),
            Endpoint::Address(value) => endpoint::Endpoint::Address(value),
            Endpoint::Person(value) => endpoint::Endpoint::Person(value),
        }
    }
}

impl From<endpoint::Endpoint> for Endpoint {
    fn from(endpoint: endpoint::Endpoint) -> Self {
        match endpoint {
            endpoint::Endpoint::Number(value) => Endpoint::Number(value),
            endpoint::Endpoint::Desk(value) => Endpoint::Desk(value),
            endpoint::Endpoint::Address(value) => Endpoint::Address(value),
            endpoint::Endpoint::Person(value) => Endpoint::Person(value),
        }
    }
}

impl Kind for Agent {
    const KIND: &'static str = "agent";
    const WHAT: &'static str = "agent";
    const PREFIX: &'static str = AgentId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        let profiles = self.profiles.iter_mut().flat_map(|profile| &mut profile.queues);
        let queues = self.queues.iter_mut().chain(&mut self.personal).chain(profiles).map(|queue| (Reference::Queue, queue));
        let skills = self.skills.iter_mut().map(|level| (Reference::Skill, &mut level.skill));
        queues.chain(skills).collect()
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let mut skills = BTreeMap::new();
        for level in &self.skills {
            if skills.insert(extract::id("skill", &level.skill)?, level.level).is_some() {
                return Err(Problem::new(Code::Invalid, format!("The skill {} is named twice.", level.skill)).field("skills"));
            }
        }
        let mut languages = BTreeMap::new();
        for spoken in &self.languages {
            if languages.insert(spoken.language.to_ascii_lowercase(), spoken.level).is_some() {
                return Err(Problem::invalid("languages", format!("The language {} is named twice.", spoken.language)));
            }
        }
        let mut channels = BTreeMap::new();
        for share in &self.channels {
            let ChannelShare { channel, at_once, during_calls, calls_interrupt } = *share;
            if channels.insert(channel.into(), written::Share { at_once, during_calls, calls_interrupt }).is_some() {
                return Err(Problem::invalid(
                    "channels",
                    format!("The channel {} is named twice.", written::Channel::from(channel).as_str()),
                ));
            }
        }
        let mut profiles = BTreeMap::new();
        for profile in &self.profiles {
            if profiles.insert(profile.name.clone(), queues(&profile.queues)?).is_some() {
                return Err(Problem::invalid("profiles", format!("The duty profile \"{}\" is there twice.", profile.name)));
            }
        }
        Ok(Some(Change::PutAgent(agent::Settings {
            languages,
            queues: queues(&self.queues)?,
            personal: self.personal.as_ref().map(|queue| extract::id("queue", queue)).transpose()?,
            confirm: self.confirm.as_ref().map(Prompt::to_core),
            profiles,
            channels,
            skills,
            supervises: self.supervises,
            voicemail: Box::new(self.voicemail.to_core()),
            ..agent::Settings::new(extract::id("agent", id)?, &self.name, self.line.into(), self.endpoint.clone().into())
        })))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveAgent(extract::id("agent", id)?)))
    }
}

fn queues(names: &[String]) -> Result<BTreeSet<QueueId>, Problem> {
    names.iter().map(|queue| extract::id("queue", queue)).collect()
}

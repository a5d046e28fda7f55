//! A person in Teams: number, sign-in name, devices that ring, and what one can be asked to do in the Teams client.

use super::{Condition, lock};
use crate::pstn::{
    audio::Audio,
    phone::{CallState, Manner},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// Who somebody is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Number in E.164.
    pub number: String,
    /// `name@domain`.
    pub sign_in: String,
    /// Id in the directory, as transfers name people.
    pub object_id: String,
    /// The tone the person says.
    pub hz: u32,
    /// What the person does when called.
    pub manner: Manner,
}

/// What a person's call is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The present or last call.
    pub call: CallState,
    /// Calls that rang here since the start.
    pub rang: u32,
    /// Calls that were taken or placed and are over, since the start. Unlike `call` it shows what another call has followed
    /// at once.
    pub over: u32,
    /// The address the last call went to.
    pub called_as: Option<String>,
    /// Changes of the session that were agreed to: holds, and what was held taken back, other devices.
    pub changes: u32,
    /// What was told of the transfer that was asked for, in order.
    pub transfer: Vec<u16>,
}

pub(super) enum Work {
    Call(String),
    HangUp,
    Hold(bool),
    Transfer { object_id: String },
    TakeOver { from: usize },
    ChangeDevice,
    Reconnect,
}

/// A person.
pub struct Person {
    index: usize,
    profile: Profile,
    audio: Arc<Audio>,
    manner: Mutex<Manner>,
    state: watch::Sender<State>,
    proxies: Vec<Exit>,
}

/// A way to a proxy.
#[derive(Clone)]
pub(super) struct Exit {
    pub work: mpsc::Sender<(usize, Work)>,
    pub condition: Arc<AtomicU8>,
}

impl Person {
    pub(super) fn new(index: usize, profile: Profile, audio: Arc<Audio>, proxies: Vec<Exit>) -> Person {
        let manner = Mutex::new(profile.manner);
        Person { index, profile, audio, manner, state: watch::Sender::new(State::default()), proxies }
    }

    /// Who it is.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What the person says and hears.
    pub fn audio(&self) -> &Audio {
        &self.audio
    }

    /// What the person is doing, and every change of it.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Waits until the state is as wanted. `None` when it is not within the time.
    pub async fn wait_for(&self, within: Duration, wanted: impl Fn(&State) -> bool) -> Option<State> {
        let mut state = self.state.subscribe();
        let reached = tokio::time::timeout(within, state.wait_for(|state| wanted(state))).await;
        reached.ok()?.ok().map(|state| state.clone())
    }

    /// What the person does at the next call.
    pub fn set_manner(&self, manner: Manner) {
        *lock(&self.manner) = manner;
    }

    pub(super) fn manner(&self) -> Manner {
        *lock(&self.manner)
    }

    /// Calls a number by way of the border controller.
    pub async fn call(&self, number: &str) {
        // New calls leave by the first data centre that works.
        let works = |exit: &&Exit| !exit.work.is_closed() && exit.condition.load(Ordering::Acquire) != Condition::Silent as u8;
        if let Some(first) = self.proxies.iter().find(works) {
            let _ = first.work.send((self.index, Work::Call(number.to_owned()))).await;
        }
    }

    /// Hangs up, or gives up.
    pub async fn hang_up(&self) {
        self.ask(|| Work::HangUp).await;
    }

    /// Puts the call on hold, or takes it back.
    pub async fn hold(&self, on: bool) {
        self.ask(|| Work::Hold(on)).await;
    }

    /// Hands the call to somebody in Teams without asking first.
    pub async fn transfer(&self, to: &Person) {
        self.ask(|| Work::Transfer { object_id: to.profile.object_id.clone() }).await;
    }

    /// Goes on with the call on another device: for the border controller, new keys and a new session description within it.
    pub async fn change_device(&self) {
        self.ask(|| Work::ChangeDevice).await;
    }

    /// Takes over the call that somebody else in Teams has (the end of a transfer with consultation).
    pub async fn take_over(&self, from: &Person) {
        self.ask(|| Work::TakeOver { from: from.index }).await;
    }

    /// Every proxy hears it; the one with the call does it.
    async fn ask(&self, work: impl Fn() -> Work) {
        for proxy in &self.proxies {
            // A data centre that was taken off the network has no calls.
            let _ = proxy.work.send((self.index, work())).await;
        }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }
}

//! What a kind of document has to say of itself.

use super::reference::Reference;
use crate::error::Problem;
use dreiklang_core::config::Change;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A kind of document.
pub trait Kind: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The store's word.
    const KIND: &'static str;
    /// The word for people.
    const WHAT: &'static str;
    /// The text before the underscore of ids.
    const PREFIX: &'static str;
    /// The most a tenant has, where the core does not limit it.
    const MOST: usize = usize::MAX;
    /// The answer to making one shows its secrets, this once.
    const SHOWS_SECRETS_ONCE: bool = false;

    /// What distinguishes it from others of its kind.
    fn name(&self) -> &str;

    /// Every place where another document is named.
    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        Vec::new()
    }

    /// Checks what the core does not know.
    ///
    /// # Errors
    /// With the field and the remedy.
    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }

    /// Takes over secrets that a change leaves out, and makes up those that are needed.
    fn keep_secrets(&mut self, _former: Option<&Self>) {}

    /// Leaves out what must not be shown.
    fn hide_secrets(&mut self) {}

    /// What the core has to be told; `None` when it is none of its business. References are ids here.
    ///
    /// # Errors
    /// When a reference is not an id.
    fn change(&self, _id: &str) -> Result<Option<Change>, Problem> {
        Ok(None)
    }

    /// What the core has to be told first where others of the same configuration name it and it names them: the document without
    /// anything it names. For one that is new, and one that goes.
    ///
    /// # Errors
    /// When the id is none.
    fn announcement(&self, _id: &str) -> Result<Option<Change>, Problem> {
        Ok(None)
    }

    /// What the core has to be told of its removal.
    ///
    /// # Errors
    /// When the id is none.
    fn removal(_id: &str) -> Result<Option<Change>, Problem> {
        Ok(None)
    }
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Document<T> {
    /// Which.
    pub id: String,
    /// Counts the changes, from 1; also in the `ETag`.
    pub version: u64,
    /// When it was last changed.
    pub updated_at: i64,
    /// Its contents.
    #[serde(flatten)]
    pub body: T,
}

impl<T: Kind> Document<T> {
    /// From the store, without secrets.
    ///
    /// # Errors
    /// `SERVER-002` when it cannot be read, which means that a newer version wrote it.
    pub fn shown(stored: dreiklang_store::Document) -> Result<Document<T>, Problem> {
        let mut document = Document::<T>::from_store(stored)?;
        document.body.hide_secrets();
        Ok(document)
    }

    /// From the store, with secrets.
    ///
    /// # Errors
    /// As [`Document::shown`].
    pub fn from_store(stored: dreiklang_store::Document) -> Result<Document<T>, Problem> {
        let body = serde_json::from_value(stored.body).map_err(|error| Problem::failure(&error))?;
        Ok(Document { id: stored.id, version: stored.version, updated_at: stored.updated_at.0, body })
    }
}

//! Documents: what administrators configure, as JSON with a version each. What they mean is not known here.

use crate::{
    failure::Failure,
    limits,
    sqlite::{
        self,
        column::{Count, Id, Json},
    },
    store::Store,
};
use dreiklang_core::{ids::TenantId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

/// A stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Unique in its tenant and kind.
    pub id: String,
    /// Unique in its tenant and kind, where there is one.
    pub name: Option<String>,
    /// Counts the writes, from 1.
    pub version: u64,
    /// When it was written last.
    pub updated_at: Timestamp,
    /// The contents.
    pub body: Value,
}

/// What to write.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDocument {
    /// The kind, such as `queue`.
    pub kind: String,
    /// Unique in its tenant and kind.
    pub id: String,
    /// Unique in its tenant and kind, where there is one.
    pub name: Option<String>,
    /// The version this write builds on: 0 = there is none yet, `None` = whatever is there is replaced.
    pub expected_version: Option<u64>,
    /// The contents.
    pub body: Value,
}

/// A document that was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// Somebody else wrote it meanwhile.
    #[error("the document is at version {actual}, not at the one this change was made from")]
    Conflict {
        /// The version found; 0 when there is none.
        actual: u64,
    },
    /// Another one has this name.
    #[error("the name \"{name}\" is taken")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The disk failed or is full, or the document is too large.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl PutError {
    /// The stable code, with a page of its own in `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            PutError::Conflict { .. } => "STORE-030",
            PutError::NameTaken { .. } => "STORE-031",
            PutError::Failed(failure) => failure.code(),
        }
    }
}

impl From<rusqlite::Error> for PutError {
    fn from(error: rusqlite::Error) -> Self {
        PutError::Failed(error.into())
    }
}

impl Store {
    /// Writes one document, and returns its new version.
    pub async fn put(&self, tenant: TenantId, document: NewDocument) -> Result<u64, PutError> {
        let versions = self.put_all(tenant, vec![document]).await?;
        Ok(versions.first().copied().unwrap_or_default())
    }

    /// Writes several documents, all or none, and returns their new versions.
    pub async fn put_all(&self, tenant: TenantId, documents: Vec<NewDocument>) -> Result<Vec<u64>, PutError> {
        let mut bytes = 0;
        let mut texts = Vec::with_capacity(documents.len());
        for document in documents {
            let body = document.body.to_string();
            check_size(body.len())?;
            bytes += body.len();
            texts.push((document, body));
        }
        self.sqlite().write(bytes, None, move |db| texts.iter().map(|(document, body)| put(db, tenant, document, body)).collect()).await
    }

    /// One document.
    pub async fn get(&self, tenant: TenantId, kind: &str, id: &str) -> Result<Option<Document>, Failure> {
        let (kind, id) = (kind.to_owned(), id.to_owned());
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT id, name, version, updated_at, body FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3",
                )?;
                Ok(statement.query_row(params![Id(tenant), kind, id], document).optional()?)
            })
            .await
    }

    /// The document of a name.
    pub async fn get_by_name(&self, tenant: TenantId, kind: &str, name: &str) -> Result<Option<Document>, Failure> {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT id, name, version, updated_at, body FROM document WHERE tenant = ?1 AND kind = ?2 AND name = ?3",
                )?;
                Ok(statement.query_row(params![Id(tenant), kind, name], document).optional()?)
            })
            .await
    }

    /// Documents of a kind by id, beginning after the id `after`; at most `limit` and [`limits::PAGE_ROWS`].
    pub async fn list(&self, tenant: TenantId, kind: &str, after: Option<&str>, limit: usize) -> Result<Vec<Document>, Failure> {
        let (kind, after) = (kind.to_owned(), after.unwrap_or_default().to_owned());
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT id, name, version, updated_at, body FROM document
                     WHERE tenant = ?1 AND kind = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
                )?;
                let rows = statement.query_map(params![Id(tenant), kind, after, limit.min(limits::PAGE_ROWS) as i64], document)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Removes a document; `false` when there was none.
    pub async fn delete(&self, tenant: TenantId, kind: &str, id: &str, expected_version: Option<u64>) -> Result<bool, PutError> {
        let (kind, id) = (kind.to_owned(), id.to_owned());
        self.sqlite()
            .write(0, None, move |db| {
                let actual = version(db, tenant, &kind, &id)?;
                if expected_version.is_some_and(|expected| expected != actual) {
                    return Err(PutError::Conflict { actual });
                }
                let removed = db.prepare_cached("DELETE FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3")?.execute(params![
                    Id(tenant),
                    kind,
                    id
                ])?;
                Ok(removed > 0)
            })
            .await
    }
}

pub(crate) fn check_size(bytes: usize) -> Result<(), Failure> {
    if bytes > limits::DOCUMENT_BYTES {
        return Err(Failure::TooLarge { what: "bytes of a document", limit: limits::DOCUMENT_BYTES });
    }
    Ok(())
}

fn version(db: &Connection, tenant: TenantId, kind: &str, id: &str) -> Result<u64, Failure> {
    let version: Option<Count> = db
        .prepare_cached("SELECT version FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3")?
        .query_row(params![Id(tenant), kind, id], |row| row.get(0))
        .optional()?;
    Ok(version.map_or(0, |version| version.0))
}

fn put(db: &Connection, tenant: TenantId, document: &NewDocument, body: &str) -> Result<u64, PutError> {
    let actual = version(db, tenant, &document.kind, &document.id)?;
    if document.expected_version.is_some_and(|expected| expected != actual) {
        return Err(PutError::Conflict { actual });
    }
    if let Some(name) = &document.name {
        let taken = db
            .prepare_cached("SELECT 1 FROM document WHERE tenant = ?1 AND kind = ?2 AND name = ?3 AND id <> ?4")?
            .exists(params![Id(tenant), document.kind, name, document.id])?;
        if taken {
            return Err(PutError::NameTaken { name: name.clone() });
        }
    }
    db.prepare_cached(
        "INSERT INTO document (tenant, kind, id, name, version, updated_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (tenant, kind, id) DO UPDATE SET
             name = excluded.name, version = excluded.version, updated_at = excluded.updated_at, body = excluded.body",
    )?
    .execute(params![Id(tenant), document.kind, document.id, document.name, Count(actual + 1), sqlite::now().0, body])?;
    Ok(actual + 1)
}

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        id: row.get(0)?,
        name: row.get(1)?,
        version: row.get::<_, Count>(2)?.0,
        updated_at: Timestamp(row.get(3)?),
        body: row.get::<_, Json<Value>>(4)?.0,
    })
}

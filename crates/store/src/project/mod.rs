//! From facts to rows.

use crate::failure::Failure;
use dreiklang_core::{Stamped, ids::TenantId};
use rusqlite::Connection;

pub(crate) fn apply(_db: &Connection, _tenant: TenantId, _stamped: &Stamped) -> Result<(), Failure> {
    Ok(())
}

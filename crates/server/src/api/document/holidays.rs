//! Sets of days off, as programs see them.

use super::kind::Kind;
use crate::{api::extract, error::Problem};
use dreiklang_core::{
    config::Change,
    hours::{self, Date},
    ids::HolidaysId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A set of days off, for any number of opening hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// Shown to people; unique.
    #[schema(example = "Berlin")]
    pub name: String,
    /// The days.
    #[serde(default)]
    pub days: Vec<Holiday>,
}

/// A day off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Which day.
    #[schema(value_type = String, format = Date, example = "2026-12-25")]
    pub date: Date,
    /// Shown to people as the reason.
    #[schema(example = "Christmas")]
    pub name: String,
    /// Comes again on the same date in each later year.
    #[serde(default)]
    pub yearly: bool,
}

impl From<hours::Holiday> for Holiday {
    fn from(day: hours::Holiday) -> Self {
        Holiday { date: day.date, name: day.name, yearly: day.yearly }
    }
}

impl Kind for Holidays {
    const KIND: &'static str = "holidays";
    const WHAT: &'static str = "set of holidays";
    const PREFIX: &'static str = HolidaysId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let day = |day: &Holiday| hours::Holiday { date: day.date, name: day.name.clone(), yearly: day.yearly };
        Ok(Some(Change::PutHolidays(hours::Holidays {
            id: extract::id("set of holidays", id)?,
            name: self.name.clone(),
            days: self.days.iter().map(day).collect(),
        })))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveHolidays(extract::id("set of holidays", id)?)))
    }
}

//! Opening hours, as programs see them.

use super::{kind::Kind, reference::Reference};
use crate::{api::extract, error::Problem};
use dreiklang_core::{
    config::Change,
    hours::{self, Date, TimeOfDay},
    ids::HoursId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When something is open. Nothing written for a day means closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Shown to people; unique.
    #[schema(example = "Shop")]
    pub name: String,
    /// Where the clocks hang that all times here are read from: an IANA name.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// An ordinary week.
    #[serde(default)]
    pub week: Week,
    /// Days that differ, whether holidays or not. No day is in two of them.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// Ids or names of sets of holidays.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// What is open on a holiday; normally nothing.
    #[serde(default)]
    pub on_holidays: Vec<Span>,
}

/// The spans of an ordinary week, by the day they begin on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Week {
    /// Begin on a Monday.
    pub monday: Vec<Span>,
    /// Begin on a Tuesday.
    pub tuesday: Vec<Span>,
    /// Begin on a Wednesday.
    pub wednesday: Vec<Span>,
    /// Begin on a Thursday.
    pub thursday: Vec<Span>,
    /// Begin on a Friday.
    pub friday: Vec<Span>,
    /// Begin on a Saturday.
    pub saturday: Vec<Span>,
    /// Begin on a Sunday.
    pub sunday: Vec<Span>,
}

/// From a time of day to a later one, or, when `to` is not later, to that time on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first minute: `00:00` to `24:00`.
    #[schema(value_type = String, example = "09:00")]
    pub from: TimeOfDay,
    /// The minute it is over.
    #[schema(value_type = String, example = "17:30")]
    pub to: TimeOfDay,
}

/// Days on which other spans count than those of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Shown to people as the reason.
    pub name: String,
    /// The first of the days, or the only one.
    #[schema(value_type = String, format = Date)]
    pub first: Date,
    /// The last of the days, when there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub last: Option<Date>,
    /// When it is open on each of them; closed when there is none.
    #[serde(default)]
    pub spans: Vec<Span>,
}

fn spans(spans: &[Span]) -> Vec<hours::Span> {
    spans.iter().map(|span| hours::Span::new(span.from, span.to)).collect()
}

impl Kind for Hours {
    const KIND: &'static str = "hours";
    const WHAT: &'static str = "opening hours";
    const PREFIX: &'static str = HoursId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        self.holidays.iter_mut().map(|set| (Reference::Holidays, set)).collect()
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let week = &self.week;
        let exception = |exception: &Exception| hours::Exception {
            name: exception.name.clone(),
            first: exception.first,
            last: exception.last,
            spans: spans(&exception.spans),
        };
        Ok(Some(Change::PutHours(Box::new(hours::Hours {
            week: hours::Week {
                monday: spans(&week.monday),
                tuesday: spans(&week.tuesday),
                wednesday: spans(&week.wednesday),
                thursday: spans(&week.thursday),
                friday: spans(&week.friday),
                saturday: spans(&week.saturday),
                sunday: spans(&week.sunday),
            },
            exceptions: self.exceptions.iter().map(exception).collect(),
            holidays: self.holidays.iter().map(|set| extract::id("holidays", set)).collect::<Result<_, _>>()?,
            on_holidays: spans(&self.on_holidays),
            ..hours::Hours::new(extract::id("opening hours", id)?, &self.name, &self.time_zone)
        }))))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveHours(extract::id("opening hours", id)?)))
    }
}

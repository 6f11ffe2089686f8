//! Which part of the data a question is about.

use tokenfall_api::Range;
use tokenfall_model::{EventKind, fields};
use tokenfall_query::{Filter, SearchRequest, TimeRange};

/// Name that stands for events without an environment.
const ENVIRONMENT_NOT_DEFINED: &str = "ENVIRONMENT_NOT_DEFINED";

/// Environment of the services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Any, or none.
    #[default]
    All,
    /// Events that name none.
    Undefined,
    /// This one.
    Named(String),
}

impl Environment {
    /// Reads the parameter `env` of the API.
    pub fn from_param(param: Option<&str>) -> Self {
        match param {
            None | Some("") => Self::All,
            Some(ENVIRONMENT_NOT_DEFINED) => Self::Undefined,
            Some(name) => Self::Named(name.to_owned()),
        }
    }

    fn filter(&self) -> Filter {
        match self {
            Self::All => Filter::All,
            Self::Undefined => Filter::exists(fields::SERVICE_ENVIRONMENT).negate(),
            Self::Named(name) => Filter::term(fields::SERVICE_ENVIRONMENT, name.as_str()),
        }
    }
}

/// Time range and environment, which every list and chart shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Time range.
    pub time: TimeRange,
    /// Environment.
    pub environment: Environment,
}

impl Scope {
    /// All environments in a time range.
    pub fn of(time: TimeRange) -> Self {
        Self { time, environment: Environment::All }
    }

    /// The range as the API states it.
    pub(crate) fn range(&self) -> Range {
        Range { from_us: self.time.from.as_micros(), to_us: self.time.to.as_micros() }
    }

    /// Minutes of the range.
    pub(crate) fn minutes(&self) -> f64 {
        let us = i128::from(self.time.to.as_micros()) - i128::from(self.time.from.as_micros());
        (us as f64 / 60e6).max(f64::MIN_POSITIVE)
    }

    /// Asks about one kind of event inside.
    pub(crate) fn request(&self, kind: EventKind) -> SearchRequest {
        SearchRequest::of(kind, self.time).filter(self.environment.filter())
    }

    /// Asks about every kind of event inside.
    pub(crate) fn request_any(&self) -> SearchRequest {
        SearchRequest { time: Some(self.time), ..SearchRequest::default() }.filter(self.environment.filter())
    }
}

/// `field = value`, or everything if there is no value.
pub(crate) fn optional(field: fields::Field, value: Option<&str>) -> Filter {
    value.map_or(Filter::All, |value| Filter::term(field, value))
}

//! Which spans and events the layer asks for.

use std::fmt;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use crate::event::Text;
use crate::layer::sqlx;

type Predicate = Arc<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>;

/// What the layer records.
#[derive(Clone)]
pub struct LayerOptions {
    max_level: LevelFilter,
    max_log_level: LevelFilter,
    max_sqlx_level: LevelFilter,
    sqlx_system: Text,
    predicate: Option<Predicate>,
}

impl Default for LayerOptions {
    fn default() -> Self {
        Self {
            max_level: LevelFilter::INFO,
            max_log_level: LevelFilter::INFO,
            max_sqlx_level: LevelFilter::DEBUG,
            sqlx_system: Text::Borrowed("sql"),
            predicate: None,
        }
    }
}

impl fmt::Debug for LayerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerOptions")
            .field("max_level", &self.max_level)
            .field("max_log_level", &self.max_log_level)
            .field("sqlx_system", &self.sqlx_system)
            .finish_non_exhaustive()
    }
}

impl LayerOptions {
    /// Records spans of this level and the more important ones. Default: `INFO`.
    pub fn with_max_level(mut self, level: LevelFilter) -> Self {
        self.max_level = level;
        self
    }

    /// Makes logs of events of this level and the more important ones, if `log_sending` is on. Default: `INFO`. Events of level
    /// `ERROR` are errors in any case.
    pub fn with_max_log_level(mut self, level: LevelFilter) -> Self {
        self.max_log_level = level;
        self
    }

    /// Records the statements of `sqlx` if it tells them at this level or a more important one. Default: `DEBUG`, which is
    /// `sqlx`'s own. `OFF` switches it off.
    pub fn with_max_sqlx_level(mut self, level: LevelFilter) -> Self {
        self.max_sqlx_level = level;
        self
    }

    /// Names the kind of database behind `sqlx`, such as `postgresql`, `mysql`, `sqlite`: its events do not tell. Default: `sql`.
    pub fn with_sqlx_system(mut self, system: impl Into<Text>) -> Self {
        self.sqlx_system = system.into();
        self
    }

    /// Records only what `predicate` wants. It is asked once for each place in the program, not each time.
    pub fn with_filter(mut self, predicate: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Arc::new(predicate));
        self
    }

    pub(super) fn sqlx_system(&self) -> Text {
        self.sqlx_system.clone()
    }

    pub(super) fn max_log_level(&self) -> LevelFilter {
        self.max_log_level
    }
}

/// The filter of the layer: what is not wanted costs what a disabled callsite costs. Made by [`Agent::layer`](crate::Agent::layer).
#[derive(Clone, Debug)]
pub struct Selection {
    enabled: bool,
    options: LayerOptions,
}

impl Selection {
    pub(super) fn new(enabled: bool, options: LayerOptions) -> Self {
        Self { enabled, options }
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let options = &self.options;
        let max = if metadata.is_span() {
            options.max_level
        } else if metadata.target() == sqlx::TARGET {
            options.max_log_level.max(options.max_sqlx_level)
        } else {
            options.max_log_level.max(LevelFilter::ERROR)
        };
        self.enabled
            && *metadata.level() <= max
            && !is_own(metadata.target())
            && options.predicate.as_ref().is_none_or(|predicate| predicate(metadata))
    }
}

/// Does this come from the agent? What it does must not be recorded by it.
pub(super) fn is_own(target: &str) -> bool {
    // The tests of the layer live in the agent too.
    let is_test = cfg!(test) && target.ends_with("::tests");
    !is_test && target.strip_prefix("tokenfall_agent").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Is this the agent's own thread? What its HTTP client says there must not be recorded.
pub(super) fn is_own_thread() -> bool {
    std::thread::current().name() == Some("tokenfall-agent")
}

impl<S> Filter<S> for Selection {
    fn enabled(&self, metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        if !self.enabled {
            return Some(LevelFilter::OFF);
        }
        let options = &self.options;
        Some(
            options
                .max_level
                .max(options.max_log_level)
                .max(options.max_sqlx_level)
                .max(LevelFilter::from(Level::ERROR)),
        )
    }
}

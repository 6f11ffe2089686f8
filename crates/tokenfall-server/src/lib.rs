//! The HTTP edge: intake, API, web UI, authentication, limits and metrics.
//!
//! ```text
//! connection → host guard ─┬ /intake, /config ─ secret ─ intake → enricher → Store::append
//!                          ├ /api/v1 ─ secret ─ analysis → Store::search
//!                          ├ /metrics, /healthz, /readyz
//!                          └ everything else: the web UI
//! ```
//!
//! On the runtime's threads nothing runs long: decoding, enriching and searching happen on blocking threads, with a permit.

mod api;
mod app;
mod clock;
mod config;
mod elastic;
mod events;
mod guard;
mod intake;
mod metrics;
mod problem;
mod router;
mod secret;
mod server;
mod ui;

pub use config::{Config, ConfigError, Limits};
pub use secret::{AuthError, Secret, Secrets};
pub use server::{Server, StartError};

/// The OpenAPI document of the API as JSON text.
pub fn openapi() -> String {
    api::to_json(&api::routes().1)
}

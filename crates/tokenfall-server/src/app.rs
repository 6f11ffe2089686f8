//! What all requests share.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Json;
use tokenfall_api::ErrorCode;
use tokenfall_enrich::Enricher;
use tokenfall_model::Document;
use tokenfall_store::{Search, SearchError, Store, StoreStats};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::events::{LimitReached, Panicked, SearchEnded};
use crate::metrics::{Limit, Metrics};
use crate::problem::ApiError;

/// What all requests share; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// See [`App`].
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Metrics,
    /// Cancelled when the server begins to stop.
    pub(crate) stopping: CancellationToken,
    /// Open intake requests.
    pub(crate) intake_permits: Semaphore,
    /// Threads that decode at once: as many as the machine has, so that memory does not grow with the number of clients.
    pub(crate) decode_permits: Semaphore,
    search_permits: Arc<Semaphore>,
    enricher: Mutex<Enricher>,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(crate) fn new(config: Config, store: Arc<dyn Store>) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self(Arc::new(Shared {
            intake_permits: Semaphore::new(config.limits.intake_requests_max),
            decode_permits: Semaphore::new(threads),
            search_permits: Arc::new(Semaphore::new(config.limits.searches_max)),
            metrics: Metrics::new(),
            stopping: CancellationToken::new(),
            enricher: Mutex::new(Enricher::new(config.enrich.clone())),
            config,
            store,
        }))
    }

    /// Completes documents in place. Blocks while another batch is completed.
    pub(crate) fn enrich(&self, batch: &mut [Document]) {
        // What the enricher remembers is hints; a panic in the middle leaves nothing that could be wrong.
        self.enricher.lock().unwrap_or_else(PoisonError::into_inner).enrich_batch(batch);
    }

    /// What is stored. Reading the size of the data directory may take its time.
    pub(crate) async fn stats(&self) -> Result<StoreStats, ApiError> {
        let app = self.clone();
        tokio::task::spawn_blocking(move || app.store.stats())
            .await
            .map_err(|_| ApiError::new(ErrorCode::Internal, "the figures of the store could not be read"))
    }

    /// Asks the store on a thread that may block. Waits for a permit, and gives up when that takes too long.
    ///
    /// Not cancelled with its caller: the search runs to its end and keeps its permit until then.
    pub(crate) async fn answer<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Search) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<Json<T>, ApiError> {
        let permit = Arc::clone(&self.search_permits).acquire_owned();
        let permit = tokio::time::timeout(self.config.limits.search_wait, permit).await;
        let Ok(Ok(permit)) = permit else {
            LimitReached { limit: Limit::Searches }.emit(&self.metrics);
            return Err(ApiError::new(ErrorCode::TooManyRequests, "too many questions at once; come again"));
        };
        let app = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let begin = Instant::now();
            let answer = question(&*app.store);
            SearchEnded { took: begin.elapsed() }.emit(&app.metrics);
            answer
        });
        if let Ok(answer) = answer.await {
            Ok(Json(answer?))
        } else {
            Panicked { during: "a search" }.emit(&self.metrics);
            Err(ApiError::new(ErrorCode::Internal, "the search failed; the server's log says why"))
        }
    }
}

//! The listening server: connections in, and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokenfall_store::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::app::App;
use crate::config::{Config, ConfigError};
use crate::events::LimitReached;
use crate::intake::ClientAddress;
use crate::metrics::Limit;
use crate::router::router;

/// A server that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A server that listens. Connections wait until [`Server::run`].
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
}

impl Server {
    /// Listens, and refuses a configuration that is not safe.
    pub async fn bind(config: Config, store: Arc<dyn Store>) -> Result<Self, StartError> {
        config.check()?;
        let failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, app: App::new(config, store) })
    }

    /// Address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready. Then takes no more connections, lets running requests end within the configured time,
    /// and closes the store, which finishes what was accepted.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, app, .. } = self;
        let connections = Connections::new(app.clone());
        let mut stop = pin!(stop);
        loop {
            // Both are cancel-safe: a connection is either returned or still waiting to be accepted.
            tokio::select! {
                biased;
                () = &mut stop => break,
                (permit, stream, address) = connections.accept(&listener) => connections.serve(permit, stream, address),
            }
        }
        drop(listener);
        tracing::info!("shutting down");
        app.stopping.cancel();
        connections.finish().await;
        let store = Arc::clone(&app.store);
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("closing the store panicked; this is a bug");
        }
        tracing::info!("stopped");
    }
}

/// Connections that are open.
struct Connections {
    app: App,
    router: axum::Router,
    http: auto::Builder<TokioExecutor>,
    graceful: GracefulShutdown,
    tasks: TaskTracker,
    permits: Arc<Semaphore>,
}

impl Connections {
    fn new(app: App) -> Self {
        let limits = &app.config.limits;
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(limits.header_timeout)
            .keep_alive_timeout(limits.header_timeout);
        Self {
            router: router(app.clone()),
            http,
            graceful: GracefulShutdown::new(),
            tasks: TaskTracker::new(),
            permits: Arc::new(Semaphore::new(limits.connections_max)),
            app,
        }
    }

    /// The next connection, as soon as there may be one more.
    async fn accept(&self, listener: &TcpListener) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
        let permits = Arc::clone(&self.permits);
        let permit = if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            permit
        } else {
            LimitReached { limit: Limit::Connections }.emit(&self.app.metrics);
            match permits.acquire_owned().await {
                Ok(permit) => permit,
                // Nobody closes the semaphore.
                Err(_) => std::future::pending().await,
            }
        };
        loop {
            match listener.accept().await {
                Ok((stream, address)) => return (permit, stream, address),
                Err(error) => {
                    // Too many open files, mostly; trying again at once would burn the processor.
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves one connection in a task of its own.
    fn serve(&self, permit: OwnedSemaphorePermit, stream: TcpStream, address: SocketAddr) {
        // Answers are small; waiting to fill a packet only delays them. Failure costs speed, nothing else.
        drop(stream.set_nodelay(true));
        let client = ClientAddress(address.ip());
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(client);
            let router = router.clone();
            async move { Ok::<Response<Body>, Infallible>(answer(router, request).await) }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = self.graceful.watch(connection);
        let app = self.app.clone();
        app.metrics.connections.inc();
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("connection ended: {error}");
            }
            app.metrics.connections.dec();
            drop(permit);
        });
    }

    /// Lets running requests end, but not forever.
    async fn finish(self) {
        let deadline = self.app.config.shutdown_timeout;
        self.tasks.close();
        if tokio::time::timeout(deadline, self.graceful.shutdown()).await.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "requests are still running after {deadline:?}; leaving them"
            );
        }
    }
}

async fn answer(router: axum::Router, request: Request<Body>) -> Response<Body> {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

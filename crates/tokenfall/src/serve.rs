//! `tokenfall serve`.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokenfall_server::Server;
use tokenfall_store::embedded::EmbeddedStore;
use tracing_subscriber::EnvFilter;

use crate::options::{LogFormat, Settings};

/// Serves until SIGTERM or SIGINT; returns when what was accepted is finished.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<()> {
    start_log(settings)?;
    // Before the data directory is made: a refused configuration leaves no trace.
    settings.server.check()?;
    let mut config = settings.server.clone();
    config.enrich.prices = crate::prices::price_list(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let store = EmbeddedStore::open(&settings.data, settings.store.clone())?;
    runtime.block_on(async {
        let stop = stop_signal().context("cannot wait for signals")?;
        let server = Server::bind(config, Arc::new(store)).await?;
        greet(settings, server.address());
        server.run(stop).await;
        Ok(())
    })
}

/// Says where to look.
fn greet(settings: &Settings, address: SocketAddr) {
    let url = url_of(address);
    let data = settings.data.display().to_string();
    tracing::info!(url.full = url, data, "Tokenfall listens on {url}");
    if settings.log_format == LogFormat::Text {
        // The line is a courtesy; without a terminal to write to the server runs as well.
        drop(writeln!(std::io::stdout(), "Tokenfall is ready: {url}  (data in {data})"));
    }
}

/// The address as a browser of this machine would call it.
fn url_of(address: SocketAddr) -> String {
    if address.ip().is_unspecified() || address.ip().to_canonical().is_loopback() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

fn start_log(settings: &Settings) -> anyhow::Result<()> {
    let filter: EnvFilter = settings.log_level.parse().context("log_level")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Ready when the process is told to stop.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

//! The pages of the HTTP port.

use crate::observe::{Health, Observations};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a page may take; a store whose disk hangs does not tell its size.
const PAGE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long the file system may take to tell how much room there is.
const ROOM_TIME_MAX: Duration = Duration::from_secs(1);
/// How many pages ask the stores at once. They wait on threads of their own, which a hanging disk must not use up.
const LOOKS_MAX: usize = 2;

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";

/// What the pages are made from.
#[derive(Clone)]
struct Sources {
    observations: Arc<Observations>,
    health: Arc<Health>,
    looks: Arc<Semaphore>,
}

/// All pages.
pub(super) fn pages(observations: Arc<Observations>, health: Arc<Health>) -> Router {
    let sources = Sources { observations, health, looks: Arc::new(Semaphore::new(LOOKS_MAX)) };
    Router::new()
        .route("/livez", get(async || page(StatusCode::OK, TEXT, "live\n".to_owned())))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/snapshot", get(snapshot))
        .with_state(sources)
}

/// Waits for nothing that could hang: that there is room again is believed once the file system has said so.
async fn readyz(State(sources): State<Sources>) -> Response {
    let Sources { health, looks, .. } = sources;
    if health.is_room_missing()
        && let Ok(turn) = looks.try_acquire_owned()
    {
        let health = Arc::clone(&health);
        let look = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            health.look_for_room();
        });
        let _ = tokio::time::timeout(ROOM_TIME_MAX, look).await;
    }
    let reasons = health.failing();
    let (status, first) = match reasons.is_empty() {
        true => (StatusCode::OK, Some("ready".to_owned())),
        false => (StatusCode::SERVICE_UNAVAILABLE, None),
    };
    let lines = first.into_iter().chain(reasons).chain(health.warnings());
    page(status, TEXT, lines.map(|line| line + "\n").collect())
}

async fn metrics(State(sources): State<Sources>) -> Response {
    let Sources { observations, health, looks } = sources;
    look(looks, OPEN_METRICS, move || observations.exposition(&health)).await
}

async fn snapshot(State(sources): State<Sources>) -> Response {
    let Sources { observations, looks, .. } = sources;
    let write = move || serde_json::to_string(&observations.snapshot()).expect("a snapshot is plain data");
    look(looks, JSON, write).await
}

/// Makes a page that looks at files, on a thread that may wait.
async fn look(
    looks: Arc<Semaphore>,
    content: &'static str,
    make: impl FnOnce() -> String + Send + 'static,
) -> Response {
    let made = async {
        let turn = looks.acquire_owned().await.ok()?;
        // The turn ends with the look, not with our patience.
        let look = move || {
            let _turn = turn;
            make()
        };
        tokio::task::spawn_blocking(look).await.ok()
    };
    match tokio::time::timeout(PAGE_TIME_MAX, made).await {
        Ok(Some(text)) => page(StatusCode::OK, content, text),
        Ok(None) => {
            page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the page could not be made: see the log\n".to_owned())
        }
        Err(_) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "a store does not tell its size in time\n".to_owned()),
    }
}

fn page(status: StatusCode, content: &'static str, text: String) -> Response {
    (status, [(CONTENT_TYPE, content)], text).into_response()
}

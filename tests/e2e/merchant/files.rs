//! The widget's files, and those of a folder that is the site: served as they are, or with a fault.

use super::{Site, closed, with_recorder};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use axum::response::{Html, IntoResponse};
use std::path::Path;
use std::sync::Arc;
use tower_http::services::ServeDir;

/// How the site serves a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// At once.
    AsBuilt,
    /// When the test says something else.
    Held,
    /// 404.
    Missing,
    /// With a space at its end: another hash.
    Altered,
    /// The connection closes without an answer.
    Cut,
}

/// A file of the site's folders, by the rest of its path.
pub(super) async fn file(State(site): State<Arc<Site>>, mut request: Request) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    // The sender lives as long as the site.
    let serves = async {
        let mut changes = site.serves.subscribe();
        let is_known = |serves: Serves| serves != Serves::Held;
        let files = changes.wait_for(|files| files.get(&path).copied().is_none_or(is_known)).await;
        files.ok().and_then(|files| files.get(&path).copied()).unwrap_or(Serves::AsBuilt)
    };
    let mut response = match serves.await {
        Serves::Missing => StatusCode::NOT_FOUND.into_response(),
        Serves::Cut => closed().await,
        Serves::Altered => {
            // The browser may have the right one in its cache.
            for asks in [IF_MODIFIED_SINCE, IF_NONE_MATCH] {
                request.headers_mut().remove(asks);
            }
            altered(as_built(&site, &path, request).await).await
        }
        Serves::AsBuilt | Serves::Held => as_built(&site, &path, request).await,
    };
    // What is served changes in the middle of a test.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn as_built(site: &Site, path: &str, request: Request) -> Response<Body> {
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let Some(folder) = site.folders.iter().find(|folder| folder.join(&path).is_file()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if request.method() == Method::GET && Path::new(&path).extension().is_some_and(|extension| extension == "html") {
        let html = std::fs::read_to_string(folder.join(&path)).expect("a page of the site is readable");
        return Html(with_recorder(&html)).into_response();
    }
    ServeDir::new(folder).try_call(request).await.expect("the folder is readable").into_response()
}

async fn altered(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let mut bytes = axum::body::to_bytes(body, 1 << 24).await.expect("a file of the widget is small").to_vec();
    bytes.push(b' ');
    head.headers.remove(CONTENT_LENGTH);
    // The file as built is not this one, however old it is.
    for names in [LAST_MODIFIED, ETAG] {
        head.headers.remove(names);
    }
    Response::from_parts(head, Body::from(bytes))
}

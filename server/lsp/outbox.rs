//! What is to be sent to the client unasked. One task sends it, so that the newest wins.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tower_lsp_server::Client;
use tower_lsp_server::ls_types::{Diagnostic, Uri};

/// The diagnostics of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// As the client names it.
    pub uri: Uri,
    /// All of them.
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default)]
struct Content {
    /// In the order in which the files first came.
    files: Vec<(PathBuf, Published)>,
    hints: bool,
    lenses: bool,
}

/// What waits to be sent.
#[derive(Debug, Default)]
pub struct Outbox {
    content: Mutex<Content>,
    filled: Notify,
}

impl Outbox {
    /// Publishes the diagnostics of a file instead of any that still wait.
    pub fn publish(&self, path: PathBuf, published: Published) {
        let mut content = self.content();
        match content.files.iter_mut().find(|(known, _)| *known == path) {
            Some((_, waiting)) => *waiting = published,
            None => content.files.push((path, published)),
        }
        self.filled.notify_one();
    }

    /// Has the client ask for hints again.
    pub fn refresh_hints(&self) {
        self.content().hints = true;
        self.filled.notify_one();
    }

    /// Has the client ask for lenses again.
    pub fn refresh_lenses(&self) {
        self.content().lenses = true;
        self.filled.notify_one();
    }

    /// Sends what comes, for ever.
    pub async fn send_all(&self, client: &Client) {
        loop {
            self.filled.notified().await;
            let content = std::mem::take(&mut *self.content());
            for (_, published) in content.files {
                client
                    .publish_diagnostics(published.uri, published.diagnostics, None)
                    .await;
            }
            // The answers say nothing, and a client may take its time to give them.
            if content.hints {
                let client = client.clone();
                tokio::spawn(async move { client.inlay_hint_refresh().await });
            }
            if content.lenses {
                let client = client.clone();
                tokio::spawn(async move { client.code_lens_refresh().await });
            }
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

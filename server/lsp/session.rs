//! What the server knows: documents, measurements, settings, and what the client was told.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use dashmap::DashMap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_lsp_server::Client;
use tower_lsp_server::ls_types::{self as lsp, MessageType, TextDocumentContentChangeEvent, Uri};

use super::configuration::Configuration;
use super::convert::{self, Screen};
use super::document::Document;
use super::listings::Listings;
use super::outbox::{Outbox, Published};
use super::position::Lines;
use super::results::{FileResults, Measured, View};
use super::runs::Runs;
use super::settings::Settings;
use super::shelf::Shelf;
use super::{capabilities, uri};
use crate::attribute;
use crate::collect::prepare;
use crate::present::editor::Related;

/// A larger file is not read to hold it against a profile, bytes.
const LARGEST_SOURCE: u64 = 64 << 20;

/// An open document with what is to be shown of it.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its text.
    pub document: Arc<Document>,
    /// The results that belong to it.
    pub view: Option<Arc<View>>,
}

/// Everything the server knows.
#[derive(Debug)]
pub struct Session {
    /// To talk to the client.
    pub client: Client,
    /// The runs.
    pub runs: Runs,
    /// What waits to be sent.
    pub outbox: Outbox,
    /// Tasks that must end before the server does.
    pub tasks: TaskTracker,
    /// Cancelled when the server ends.
    pub ended: CancellationToken,
    /// Loads of saved profiles go one after another.
    pub loading: tokio::sync::Mutex<()>,
    /// Counts changes of what is unsaved.
    pub saves: watch::Sender<u64>,
    /// Where listings are written.
    pub listings: Listings,
    capable: OnceLock<capabilities::Client>,
    documents: DashMap<PathBuf, Open>,
    shelf: Mutex<Shelf>,
    configuration: Mutex<Configuration>,
    published: Mutex<HashMap<PathBuf, Published>>,
    shut_down: OnceLock<()>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// Of a client that has said nothing yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            runs: Runs::default(),
            outbox: Outbox::default(),
            tasks: TaskTracker::new(),
            ended: CancellationToken::new(),
            loading: tokio::sync::Mutex::default(),
            saves: watch::Sender::new(0),
            capable: OnceLock::new(),
            documents: DashMap::new(),
            shelf: Mutex::default(),
            configuration: Mutex::default(),
            published: Mutex::default(),
            listings: Listings::default(),
            shut_down: OnceLock::new(),
        }
    }

    /// What the client can do.
    #[must_use]
    pub fn capable(&self) -> capabilities::Client {
        self.capable.get().copied().unwrap_or_default()
    }

    /// Remembers what the client can do.
    pub fn set_capable(&self, capable: capabilities::Client) {
        let _ = self.capable.set(capable);
    }

    /// The client has asked us to shut down.
    pub fn set_shut_down(&self) {
        let _ = self.shut_down.set(());
    }

    /// Whether the client has asked us to shut down.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shut_down.get().is_some()
    }

    // --- Talking -------------------------------------------------------------------------------

    /// A line in the client's log.
    pub async fn log(&self, kind: MessageType, message: impl Display) {
        self.client
            .log_message(kind, format!("bytecost: {message}"))
            .await;
    }

    /// A message to the user.
    pub async fn say(&self, kind: MessageType, message: impl Display) {
        self.client
            .show_message(kind, format!("bytecost: {message}"))
            .await;
    }

    /// A task beside the handlers; it ends with the server.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                () = ended.cancelled() => {}
            }
        });
    }

    // --- Configuration -------------------------------------------------------------------------

    /// The configuration, to read or change.
    pub fn configuration(&self) -> MutexGuard<'_, Configuration> {
        locked(&self.configuration)
    }

    /// The settings that hold for a file of a project.
    #[must_use]
    pub fn settings(&self, root: &Path) -> Arc<Settings> {
        self.configuration().settings(root)
    }

    /// The root of the project a file is in.
    #[must_use]
    pub fn root_of(&self, path: &Path) -> PathBuf {
        let folder = self.configuration().folder_of(path);
        prepare::root(path.parent().unwrap_or(path), folder.as_deref())
    }

    /// Tells what was not understood in the settings, and shows everything as they now say.
    pub fn settings_changed(self: &Arc<Self>) {
        let warnings = self.configuration().take_warnings();
        if !warnings.is_empty() {
            let session = Arc::clone(self);
            self.spawn(async move {
                for warning in warnings {
                    session.log(MessageType::WARNING, warning).await;
                }
            });
        }
        self.results_changed();
        if self.capable().lens_refresh {
            self.outbox.refresh_lenses();
        }
    }

    // --- Documents -----------------------------------------------------------------------------

    /// An open document, by the client's path.
    #[must_use]
    pub fn open_document(&self, path: &Path) -> Option<Open> {
        self.documents.get(path).map(|open| open.value().clone())
    }

    /// All open documents.
    #[must_use]
    pub fn open_documents(&self) -> Vec<Open> {
        self.documents.iter().map(|open| open.value().clone()).collect()
    }

    /// The client has opened a document; whether it is the first of its project.
    pub fn open(self: &Arc<Self>, uri: Uri, version: i32, text: String) -> bool {
        let Some(path) = uri::path(&uri) else {
            return false;
        };
        let real = uri::real(&path);
        let root = self.root_of(&real);
        let first = !self.configuration().folders().contains(&root)
            && !self.documents.iter().any(|open| open.document.root == root);
        let document = Arc::new(Document::new(uri, real.clone(), root, version, text));
        let view = self.view(&document);
        self.documents.insert(
            path,
            Open {
                document: Arc::clone(&document),
                view,
            },
        );
        self.publish(&real);
        self.hold_against_profiles(&document);
        first
    }

    /// The client has changed a document.
    pub fn change(&self, uri: &Uri, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        let Some(path) = uri::path(uri) else { return };
        let encoding = self.capable().encoding;
        let real = {
            let Some(mut open) = self.documents.get_mut(&path) else {
                return;
            };
            let document = Arc::new(open.document.edited(version, changes, encoding));
            // Results do not change with the text, only what is left of them.
            let view = open
                .view
                .as_ref()
                .map(|view| Arc::new(View::new(Arc::clone(&view.results), &document.text)));
            let real = document.path.clone();
            *open = Open { document, view };
            real
        };
        self.publish(&real);
    }

    /// The client has saved a document.
    pub fn save(self: &Arc<Self>, uri: &Uri) {
        let Some(path) = uri::path(uri) else { return };
        let saved = self.documents.get_mut(&path).map(|mut open| {
            open.document = Arc::new(open.document.saved());
            Arc::clone(&open.document)
        });
        self.saves.send_modify(|count| *count += 1);
        if let Some(document) = saved {
            self.hold_against_profiles(&document);
        }
    }

    /// The client has closed a document.
    pub fn close(&self, uri: &Uri) {
        let Some(path) = uri::path(uri) else { return };
        if let Some((_, open)) = self.documents.remove(&path) {
            self.publish(&open.document.path);
        }
        self.saves.send_modify(|count| *count += 1);
    }

    /// Documents below a folder with a text that is not on disk.
    #[must_use]
    pub fn unsaved(&self, root: &Path) -> Vec<Arc<Document>> {
        let mut unsaved: Vec<_> = self
            .open_documents()
            .into_iter()
            .map(|open| open.document)
            .filter(|document| document.path.starts_with(root) && document.differs_from_disk())
            .collect();
        unsaved.sort_by(|a, b| a.path.cmp(&b.path));
        unsaved
    }

    /// The texts a file may have been measured with.
    #[must_use]
    pub fn texts(&self, path: &Path) -> Vec<String> {
        let real = uri::real(path);
        let mut texts = Vec::new();
        // Not a pipe, which would wait for a writer, nor a device.
        if std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST_SOURCE) {
            texts.extend(std::fs::read_to_string(path));
        }
        texts.extend(
            self.documents
                .iter()
                .filter(|open| open.document.path == real)
                .map(|open| open.document.text.clone()),
        );
        texts
    }

    // --- Results -------------------------------------------------------------------------------

    /// What was measured.
    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        locked(&self.shelf)
    }

    /// A file is gone.
    pub fn deleted(&self, path: &Path) {
        self.shelf().deleted(path);
        self.publish(path);
    }

    /// Shows everything anew.
    pub fn results_changed(&self) {
        self.shelf().forget_files();
        let paths: Vec<_> = self.documents.iter().map(|open| open.key().clone()).collect();
        for path in paths {
            let Some(open) = self.open_document(&path) else {
                continue;
            };
            let view = self.view(&open.document);
            if let Some(mut open) = self.documents.get_mut(&path) {
                open.view = view;
            }
        }
        let mut files = self.shelf().asked();
        files.extend(self.documents.iter().map(|open| open.document.path.clone()));
        files.extend(locked(&self.published).keys().cloned());
        for path in files {
            self.publish(&path);
        }
        if self.capable().hint_refresh {
            self.outbox.refresh_hints();
        }
    }

    fn view(&self, document: &Document) -> Option<Arc<View>> {
        let results = self.file_results(&document.path, &document.root)?;
        Some(Arc::new(View::new(results, &document.text)))
    }

    fn file_results(&self, path: &Path, root: &Path) -> Option<Arc<FileResults>> {
        let settings = self.settings(root);
        self.shelf().file(path, &settings)
    }

    /// A text may be the one that a saved profile was measured with.
    fn hold_against_profiles(self: &Arc<Self>, document: &Document) {
        let measured = self.shelf().measured();
        let lacking: Vec<_> = measured
            .into_iter()
            .filter(|measured| measured.lacks_text(&document.path))
            .collect();
        if lacking.is_empty() {
            return;
        }
        let digest = attribute::digest(&document.text);
        for measured in lacking {
            if measured.digest(&document.path) != Some(digest.as_str()) {
                continue;
            }
            let session = Arc::clone(self);
            self.tasks.spawn_blocking(move || {
                let texts = |path: &Path| session.texts(path);
                let again = Measured::new(measured.to_profile(), measured.saved.clone(), measured.at, &texts);
                session.shelf().replace(&measured, Arc::new(again));
                session.results_changed();
            });
        }
    }

    // --- Diagnostics ---------------------------------------------------------------------------

    /// Publishes the diagnostics of a file if they are others than those the client has. A file
    /// nobody asked about, open or run, has none.
    pub fn publish(&self, path: &Path) {
        let now = self.diagnostics_of(path);
        let mut published = locked(&self.published);
        let before = published.get(path);
        let now = match (now, before) {
            (Some(now), _) if !now.diagnostics.is_empty() => now,
            (_, None) => return,
            // Nothing is left: the client must hear that once.
            (_, Some(before)) => Published {
                uri: before.uri.clone(),
                diagnostics: Vec::new(),
            },
        };
        if before.is_some_and(|before| before.uri == now.uri && before.diagnostics == now.diagnostics) {
            return;
        }
        if now.diagnostics.is_empty() {
            published.remove(path);
        } else {
            published.insert(path.to_owned(), now.clone());
        }
        self.outbox.publish(path.to_owned(), now);
    }

    fn diagnostics_of(&self, path: &Path) -> Option<Published> {
        let open = self
            .documents
            .iter()
            .find(|open| open.document.path == path)
            .map(|open| open.value().clone());
        if let Some(open) = open {
            let document = &open.document;
            return Some(Published {
                uri: document.uri.clone(),
                diagnostics: open
                    .view
                    .map(|view| self.diagnostics(&view, &self.screen(document)))
                    .unwrap_or_default(),
            });
        }
        let uri = self.shelf().asked_as(path)?;
        let results = self.file_results(path, &self.root_of(path))?;
        let text = std::fs::read_to_string(path).ok()?;
        let lines = Lines::new(&text);
        let view = View::new(results, &text);
        Some(Published {
            uri,
            diagnostics: self.diagnostics(&view, &self.screen_of(&text, &lines)),
        })
    }

    fn diagnostics(&self, view: &View, screen: &Screen) -> Vec<lsp::Diagnostic> {
        let root = PathBuf::from(&view.results.measured.profile().root);
        let capable = self.capable();
        view.diagnostics()
            .into_iter()
            .filter_map(|diagnostic| {
                convert::diagnostic(diagnostic, screen, &capable, &|related| {
                    self.locate(related, &root)
                })
            })
            .collect()
    }

    /// A place in another file, where it is now.
    fn locate(&self, related: &Related, root: &Path) -> Option<lsp::Location> {
        let path = uri::real(&root.join(&related.path));
        let results = self.file_results(&path, root)?;
        let open = self.documents.iter().find(|open| open.document.path == path);
        let range = if let Some(open) = open {
            let view = open.view.as_ref()?;
            let (start, end) = (view.place(related.start)?, view.place(related.end)?);
            self.screen(&open.document).range(start, end)?
        } else {
            let lines = Lines::new(&results.text);
            self.screen_of(&results.text, &lines)
                .range(related.start, related.end)?
        };
        convert::location(&path, range)
    }

    /// A document as the client counts it.
    #[must_use]
    pub fn screen<'d>(&self, document: &'d Document) -> Screen<'d> {
        self.screen_of(&document.text, &document.lines)
    }

    fn screen_of<'t>(&self, text: &'t str, lines: &'t Lines) -> Screen<'t> {
        Screen {
            text,
            lines,
            encoding: self.capable().encoding,
            mark: if text.starts_with('\u{feff}') { 3 } else { 0 },
        }
    }
}

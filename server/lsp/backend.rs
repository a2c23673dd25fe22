//! The methods of the protocol: each says what to do and to whom, and no more.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp_server::ls_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, DeleteFilesParams,
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, ExecuteCommandParams, Hover, HoverParams, InitializeParams, InitializeResult,
    InitializedParams, InlayHint, InlayHintParams, NumberOrString, RenameFilesParams, ServerInfo,
    TextDocumentPositionParams, WorkDoneProgressCancelParams,
};
use tower_lsp_server::{Client, LanguageServer};

use super::session::Session;
use super::{actions, capabilities, client, commands, convert, execute, load, requests, uri};

/// The server, as the framework calls it.
#[derive(Debug)]
pub struct Backend {
    session: Arc<Session>,
}

impl Backend {
    /// For this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            session: Arc::new(Session::new(client)),
        }
    }

    /// What the server knows.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        Arc::clone(&self.session)
    }

    /// `window/workDoneProgress/cancel`, which the framework does not know.
    #[allow(clippy::unused_async, reason = "as the framework wants it")]
    pub async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        if let NumberOrString::String(token) = &params.token {
            self.session.runs.cancel_token(token);
        }
    }
}

/// Beside the protocol.
impl Backend {
    /// `bytecost/heat`.
    #[allow(clippy::unused_async, reason = "as the framework wants it")]
    pub async fn heat(&self, params: requests::DocumentParams) -> Result<Option<requests::Heat>> {
        Ok(requests::heat(&self.session, &params.text_document.uri))
    }

    /// `bytecost/bytecode`.
    #[allow(clippy::unused_async, reason = "as the framework wants it")]
    pub async fn bytecode(&self, params: TextDocumentPositionParams) -> Result<Option<requests::Bytecode>> {
        Ok(requests::bytecode(&self.session, &params))
    }

    /// `bytecost/runnables`.
    pub async fn runnables(&self, params: requests::DocumentParams) -> Result<Vec<requests::Runnable>> {
        Ok(requests::runnables(&self.session, &params.text_document.uri).await)
    }

    /// `bytecost/report`.
    pub async fn report(&self, params: requests::DocumentParams) -> Result<Option<requests::Report>> {
        Ok(requests::report(&self.session, &params.text_document.uri).await)
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let capable = capabilities::Client::new(&params);
        self.session.set_capable(capable);
        let folders = client::folders(&params);
        let options = params.initialization_options.unwrap_or_default();
        self.session.configuration().initialize(folders, &options);
        Ok(InitializeResult {
            capabilities: capabilities::server(&capable),
            server_info: Some(ServerInfo {
                name: "bytecost".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            offset_encoding: None,
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        let session = Arc::clone(&self.session);
        self.session.spawn(async move {
            client::register(&session).await;
            client::pull_settings(&session).await;
            load::load(&session, Vec::new()).await;
        });
    }

    async fn shutdown(&self) -> Result<()> {
        self.session.set_shut_down();
        self.session.runs.cancel();
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        if self.session.open(document.uri, document.version, document.text) {
            self.reload();
        }
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        self.session
            .change(&document.uri, document.version, params.content_changes);
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.session.save(&params.text_document.uri);
        self.reload();
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.session.close(&params.text_document.uri);
    }

    async fn did_rename_files(&self, params: RenameFilesParams) {
        for file in params.files {
            if let (Some(old), Some(new)) = (uri::parse(&file.old_uri), uri::parse(&file.new_uri)) {
                self.session.shelf().renamed(&old, &new);
            }
        }
        self.session.results_changed();
    }

    async fn did_delete_files(&self, params: DeleteFilesParams) {
        for path in params.files.iter().filter_map(|file| uri::parse(&file.uri)) {
            self.session.deleted(&path);
        }
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.session.configuration().push(&params.settings);
        self.session.settings_changed();
        let session = Arc::clone(&self.session);
        self.session.spawn(async move {
            client::pull_settings(&session).await;
            load::load(&session, Vec::new()).await;
        });
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let paths = |folders: Vec<_>| client::paths(&folders);
        let (added, removed) = (paths(params.event.added), paths(params.event.removed));
        self.session.configuration().change_folders(added, &removed);
        let session = Arc::clone(&self.session);
        self.session.spawn(async move {
            client::pull_settings(&session).await;
            load::load(&session, Vec::new()).await;
        });
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let projects = params
            .changes
            .iter()
            .any(|change| change.uri.path().as_str().ends_with("/pyproject.toml"));
        if projects {
            self.session.configuration().forget_projects();
            self.session.settings_changed();
        }
        self.reload();
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let open = uri::path(&params.text_document.uri).and_then(|path| self.session.open_document(&path));
        let Some((document, view)) = open.and_then(|open| Some((open.document, open.view?))) else {
            return Ok(None);
        };
        let screen = self.session.screen(&document);
        let last = u32::try_from(document.lines.count()).unwrap_or(u32::MAX);
        let first = params.range.start.line.saturating_add(1);
        let last = params.range.end.line.saturating_add(1).min(last);
        let placed = view.hints(first, last);
        Ok(Some(
            placed
                .iter()
                .filter_map(|placed| convert::hint(placed, &screen))
                .collect(),
        ))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let at = params.text_document_position_params;
        let open = uri::path(&at.text_document.uri).and_then(|path| self.session.open_document(&path));
        let Some((document, view)) = open.and_then(|open| Some((open.document, open.view?))) else {
            return Ok(None);
        };
        let screen = self.session.screen(&document);
        let (line, column) = screen.place(at.position);
        let hover = view.hover(line, column, SystemTime::now(), &self.session.shelf().families());
        Ok(hover.map(|hover| convert::hover(hover, &screen)))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        Ok(actions::lenses(&self.session, &params.text_document.uri).await)
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        Ok(actions::actions(&self.session, params).await)
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        let refused = |message: String| Error {
            code: ErrorCode::InvalidParams,
            message: message.into(),
            data: None,
        };
        let command = commands::Command::parse(&params.command, params.arguments)
            .map_err(|problem| refused(problem.to_string()))?;
        execute::execute(&self.session, command).map_err(|problem| Error {
            code: ErrorCode::ServerError(-32803), // RequestFailed of the protocol.
            message: problem.into(),
            data: None,
        })
    }
}

impl Backend {
    /// Looks at what is saved, beside the handlers.
    fn reload(&self) {
        let session = Arc::clone(&self.session);
        self.session
            .spawn(async move { load::load(&session, Vec::new()).await });
    }
}

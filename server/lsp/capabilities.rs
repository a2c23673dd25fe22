//! What the client can do, asked once; and what this server can.

use serde_json::{Value, json};
use tower_lsp_server::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    ExecuteCommandOptions, FileOperationFilter, FileOperationPattern, FileOperationRegistrationOptions,
    HoverProviderCapability, InitializeParams, InlayHintOptions, InlayHintServerCapabilities, OneOf,
    PositionEncodingKind, SaveOptions, ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, TextDocumentSyncSaveOptions, WorkDoneProgressOptions,
    WorkspaceFileOperationsServerCapabilities, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};

use super::commands;
use super::position::Encoding;
use super::requests;

/// Kind of the code actions that run something.
pub const RUN_KIND: CodeActionKind = CodeActionKind::new("bytecost.run");
/// Kind of the code actions that show something.
pub const SHOW_KIND: CodeActionKind = CodeActionKind::new("bytecost.show");
/// Kind of the code actions that write a comment.
pub const EDIT_KIND: CodeActionKind = CodeActionKind::new("refactor.bytecost");

/// What the client can do. Without an `initialize` nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "one a capability")]
pub struct Client {
    /// How it counts columns.
    pub encoding: Encoding,
    /// `window/workDoneProgress/create`.
    pub progress: bool,
    /// `workspace/inlayHint/refresh`; Helix and Eglot lack it.
    pub hint_refresh: bool,
    /// `workspace/codeLens/refresh`.
    pub lens_refresh: bool,
    /// `window/showDocument`.
    pub show_document: bool,
    /// `workspace/configuration`.
    pub configuration: bool,
    /// `client/registerCapability` for `workspace/didChangeConfiguration`.
    pub registers_configuration: bool,
    /// `client/registerCapability` for `workspace/didChangeWatchedFiles`; Neovim lacks it on Linux.
    pub registers_watchers: bool,
    /// Code actions may be objects with a command or an edit, and not only commands.
    pub action_literals: bool,
    /// `Diagnostic.relatedInformation`.
    pub related_information: bool,
    /// `Diagnostic.codeDescription`.
    pub code_description: bool,
    /// The workspace is not trusted: nothing may run.
    pub untrusted: bool,
}

impl Client {
    /// Reads the parameters of `initialize`.
    #[must_use]
    pub fn new(params: &InitializeParams) -> Self {
        let ClientCapabilities {
            workspace,
            text_document,
            window,
            general,
            ..
        } = &params.capabilities;
        let workspace = workspace.as_ref();
        let document = text_document.as_ref();
        let window = window.as_ref();
        let publish = document.and_then(|document| document.publish_diagnostics.as_ref());
        let offered = general
            .as_ref()
            .and_then(|general| general.position_encodings.as_deref())
            .unwrap_or_default();
        Self {
            encoding: encoding(offered),
            progress: window.and_then(|window| window.work_done_progress) == Some(true),
            hint_refresh: workspace
                .and_then(|workspace| workspace.inlay_hint.as_ref())
                .and_then(|hint| hint.refresh_support)
                == Some(true),
            lens_refresh: workspace
                .and_then(|workspace| workspace.code_lens.as_ref())
                .and_then(|lens| lens.refresh_support)
                == Some(true),
            show_document: window
                .and_then(|window| window.show_document.as_ref())
                .is_some_and(|show| show.support),
            configuration: workspace.and_then(|workspace| workspace.configuration) == Some(true),
            registers_configuration: workspace
                .and_then(|workspace| workspace.did_change_configuration)
                .and_then(|change| change.dynamic_registration)
                == Some(true),
            registers_watchers: workspace
                .and_then(|workspace| workspace.did_change_watched_files)
                .and_then(|watched| watched.dynamic_registration)
                == Some(true),
            action_literals: document
                .and_then(|document| document.code_action.as_ref())
                .is_some_and(|action| action.code_action_literal_support.is_some()),
            related_information: publish.and_then(|publish| publish.related_information) == Some(true),
            code_description: publish.and_then(|publish| publish.code_description_support) == Some(true),
            untrusted: params
                .initialization_options
                .as_ref()
                .and_then(|options| options.get("trusted"))
                == Some(&Value::Bool(false)),
        }
    }
}

/// UTF-8 is what we compute in; UTF-16 is what every client has.
fn encoding(offered: &[PositionEncodingKind]) -> Encoding {
    if offered.contains(&PositionEncodingKind::UTF8) {
        Encoding::Utf8
    } else if offered.contains(&PositionEncodingKind::UTF32) {
        Encoding::Utf32
    } else {
        Encoding::Utf16
    }
}

/// What this server can do for the client.
#[must_use]
pub fn server(client: &Client) -> ServerCapabilities {
    let python_files = FileOperationRegistrationOptions {
        filters: vec![FileOperationFilter {
            scheme: Some("file".to_owned()),
            pattern: FileOperationPattern {
                glob: "**/*.{py,pyw}".to_owned(),
                ..FileOperationPattern::default()
            },
        }],
    };
    ServerCapabilities {
        position_encoding: Some(match client.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                include_text: Some(false),
            })),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Right(InlayHintServerCapabilities::Options(
            InlayHintOptions {
                resolve_provider: Some(false),
                work_done_progress_options: WorkDoneProgressOptions::default(),
            },
        ))),
        code_lens_provider: Some(CodeLensOptions {
            resolve_provider: Some(false),
        }),
        code_action_provider: Some(if client.action_literals {
            CodeActionProviderCapability::Options(CodeActionOptions {
                code_action_kinds: Some(vec![RUN_KIND, SHOW_KIND, EDIT_KIND, CodeActionKind::QUICKFIX]),
                ..CodeActionOptions::default()
            })
        } else {
            CodeActionProviderCapability::Simple(true)
        }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: commands::NAMES.map(str::to_owned).to_vec(),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: Some(WorkspaceFileOperationsServerCapabilities {
                did_rename: Some(python_files.clone()),
                did_delete: Some(python_files),
                ..WorkspaceFileOperationsServerCapabilities::default()
            }),
        }),
        experimental: Some(json!({"bytecost": {"requests": requests::NAMES}})),
        ..ServerCapabilities::default()
    }
}

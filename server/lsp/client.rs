//! What is asked of the client: its settings, and to watch files.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tower_lsp_server::ls_types::{
    ConfigurationItem, DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern,
    InitializeParams, Registration, WorkspaceFolder,
};

use super::session::Session;
use super::uri;
use crate::store;

/// The workspace's folders: all, or the one that older clients have.
#[must_use]
pub fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    #[allow(deprecated, reason = "some clients have nothing else")]
    let root = params
        .root_uri
        .as_ref()
        .and_then(uri::path)
        .or_else(|| params.root_path.as_ref().map(PathBuf::from));
    match &params.workspace_folders {
        Some(folders) => paths(folders),
        None => root.map(|root| uri::real(&root)).into_iter().collect(),
    }
}

/// Folders free of links.
#[must_use]
pub fn paths(folders: &[WorkspaceFolder]) -> Vec<PathBuf> {
    folders
        .iter()
        .filter_map(|folder| uri::path(&folder.uri))
        .map(|folder| uri::real(&folder))
        .collect()
}

/// Asks the client to tell about changes of files and settings, where it can.
pub async fn register(session: &Session) {
    let capable = session.capable();
    let mut registrations = Vec::new();
    if capable.registers_watchers {
        let mut globs = vec![
            format!("**/{}/*.json", store::FOLDER),
            "**/pyproject.toml".to_owned(),
        ];
        let folders = session.configuration().folders().to_vec();
        for folder in folders {
            for profile in &session.settings(&folder).profiles {
                globs.push(folder.join(profile).display().to_string());
            }
        }
        globs.sort();
        globs.dedup();
        let watchers = globs
            .into_iter()
            .map(|glob| FileSystemWatcher {
                glob_pattern: GlobPattern::String(glob),
                kind: None,
            })
            .collect();
        registrations.push(Registration {
            id: "bytecost/files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(DidChangeWatchedFilesRegistrationOptions { watchers })
                .ok(),
        });
    }
    if capable.registers_configuration {
        registrations.push(Registration {
            id: "bytecost/settings".to_owned(),
            method: "workspace/didChangeConfiguration".to_owned(),
            register_options: Some(json!({"section": "bytecost"})),
        });
    }
    if registrations.is_empty() {
        return;
    }
    if let Err(error) = session.client.register_capability(registrations).await {
        tracing::warn!("the client does not watch: {error}");
    }
}

/// Asks the client for the settings of every folder, where it can be asked.
pub async fn pull_settings(session: &Arc<Session>) {
    if session.capable().configuration {
        let folders = session.configuration().folders().to_vec();
        let scopes: Vec<_> = if folders.is_empty() {
            vec![None]
        } else {
            folders.into_iter().map(Some).collect()
        };
        let items = scopes
            .iter()
            .map(|folder| ConfigurationItem {
                scope_uri: folder.as_deref().and_then(uri::of),
                section: Some("bytecost".to_owned()),
            })
            .collect();
        match session.client.configuration(items).await {
            Ok(answers) => {
                let mut configuration = session.configuration();
                for (folder, answer) in scopes.into_iter().zip(answers) {
                    configuration.pull(folder, answer);
                }
            }
            Err(error) => tracing::warn!("the client has no settings: {error}"),
        }
    }
    session.settings_changed();
}

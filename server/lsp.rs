//! The language server, on standard input and output.
//!
//! - **No handler waits for a process or for the client.** Commands start a job and answer.
//! - **State changes before the first `.await` of a notification's handler.** The next message
//!   finds it changed.
//! - **Documents are replaced, never changed.** A reader sees one version.
//! - **Nothing runs unasked**, and nothing at all in a workspace that is not trusted.
//! - **One run at a time**, and one task that sends diagnostics.
//! - **No process outlives the server.** The end cancels the run and waits for it.
//! - **No domain type is serialized, no protocol type leaves this module.**

mod actions;
mod backend;
mod capabilities;
mod client;
mod commands;
mod configuration;
mod convert;
mod document;
mod execute;
mod frame;
mod job;
mod listings;
mod load;
mod outbox;
mod position;
mod progress;
mod remedies;
mod requests;
mod results;
mod runs;
mod session;
pub mod settings;
mod shelf;
mod target;
mod transport;
mod uri;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp_server::LspService;
use tower_lsp_server::ls_types::MessageType;

use backend::Backend;
use transport::End;

/// How long a run may take to end when the server does: its process is interrupted, then killed.
const LAST_RUN: Duration = Duration::from_secs(3);

/// Serves one client until it says `exit` or is gone, or until `ended` completes. Returns whether
/// the client asked to shut down before.
pub async fn serve(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    ended: impl Future<Output = ()>,
) -> bool {
    let (service, socket) = LspService::build(Backend::new)
        .custom_method("window/workDoneProgress/cancel", Backend::cancel_progress)
        .custom_method(requests::HEAT, Backend::heat)
        .custom_method(requests::BYTECODE, Backend::bytecode)
        .custom_method(requests::RUNNABLES, Backend::runnables)
        .custom_method(requests::REPORT, Backend::report)
        .finish();
    let session = service.inner().session();
    let own = Arc::clone(&session);
    let panicked = move |method: &str, message: &str| {
        tracing::error!("{method} failed: {message}");
        let text = format!("{method} failed: {message}; please report this");
        let session = Arc::clone(&own);
        own.spawn(async move { session.log(MessageType::ERROR, text).await });
    };
    let mut runs = std::pin::pin!(job::supervise(&session));
    let end = tokio::select! {
        end = transport::serve(input, output, service, socket, panicked) => end,
        () = session.outbox.send_all(&session.client) => End::Gone,
        () = &mut runs => End::Gone,
        () = ended => End::Gone,
    };
    session.ended.cancel();
    session.runs.cancel();
    let _ = tokio::time::timeout(LAST_RUN, runs).await;
    session.tasks.close();
    let _ = tokio::time::timeout(LAST_RUN, session.tasks.wait()).await;
    end == End::Exit && session.is_shut_down()
}

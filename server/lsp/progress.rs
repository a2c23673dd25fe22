//! Work-done progress of a run: begun when the client agrees, always ended.

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_lsp_server::Client;
use tower_lsp_server::ls_types::{
    NumberOrString, ProgressParams, ProgressParamsValue, ProgressToken, WorkDoneProgress,
    WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport, notification,
};

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Stage {
    /// 0 to 100, never less than before.
    percentage: u32,
    message: String,
}

/// The progress of a run. Dropping it ends it.
#[derive(Debug)]
pub struct Progress {
    stage: watch::Sender<Stage>,
    teller: Option<JoinHandle<()>>,
}

impl Progress {
    /// Asks the client to show progress; a client that cannot is told nothing.
    #[must_use]
    pub fn begin(client: &Client, supported: bool, token: &str, title: String) -> Self {
        let (stage, told) = watch::channel(Stage::default());
        let teller = supported.then(|| tokio::spawn(tell(client.clone(), token.to_owned(), title, told)));
        Self { stage, teller }
    }

    /// Says how far the run is, 0 to 1, and what it does.
    pub fn report(&self, fraction: f64, message: String) {
        self.stage.send_if_modified(|stage| {
            let next = Stage {
                percentage: percent(fraction).max(stage.percentage),
                message,
            };
            let news = *stage != next;
            *stage = next;
            news
        });
    }

    /// Ends with a last word, and waits until the client has been told.
    pub async fn end(mut self, message: String) {
        self.report(1.0, message);
        let teller = self.teller.take();
        drop(self);
        if let Some(teller) = teller {
            // A client that never agreed is not waited for.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(1), teller).await;
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100"
)]
fn percent(fraction: f64) -> u32 {
    (fraction.clamp(0.0, 1.0) * 100.0) as u32
}

async fn tell(client: Client, token: String, title: String, mut stage: watch::Receiver<Stage>) {
    // A string: Zed knows no others.
    let token: ProgressToken = NumberOrString::String(token);
    if client.create_work_done_progress(token.clone()).await.is_err() {
        return;
    }
    let send = async |value: WorkDoneProgress| {
        client
            .send_notification::<notification::Progress>(ProgressParams {
                token: token.clone(),
                value: ProgressParamsValue::WorkDone(value),
            })
            .await;
    };
    let text = |stage: &Stage| Some(stage.message.clone()).filter(|message| !message.is_empty());
    let first = stage.borrow_and_update().clone();
    send(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title,
        cancellable: Some(true),
        message: text(&first),
        percentage: Some(first.percentage),
    }))
    .await;
    while stage.changed().await.is_ok() {
        let now = stage.borrow_and_update().clone();
        send(WorkDoneProgress::Report(WorkDoneProgressReport {
            cancellable: Some(true),
            message: text(&now),
            percentage: Some(now.percentage),
        }))
        .await;
    }
    let last = stage.borrow().clone();
    send(WorkDoneProgress::End(WorkDoneProgressEnd {
        message: text(&last),
    }))
    .await;
}

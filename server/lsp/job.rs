//! One run: from a command's arguments to results on the screen.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tower_lsp_server::ls_types::{MessageActionItem, MessageType, Uri};

use super::progress::Progress;
use super::results::Measured;
use super::runs::Ticket;
use super::session::Session;
use super::{load, target, uri};
use crate::collect::Timing;
use crate::collect::interpreter::Environment;
use crate::collect::output::Output;
use crate::collect::prepare::{self, Wish, announcement};
use crate::collect::workload::WorkloadError;
use crate::collect::{self, Surroundings};
use crate::explain::words;
use crate::profile::Profile;
use crate::store;

const WAIT: &str = "Run once it is saved";
const AS_SAVED: &str = "Run what is saved";
const NOT: &str = "Do not run";

/// How a run ended, in words for the user.
enum Done {
    /// Well, or not worth interrupting the user.
    Fine(String),
    /// Something the user must know.
    Warn(String),
    /// Nothing was measured.
    Failed(String),
    /// The user ended it.
    Cancelled,
}

/// Makes the runs that are wanted, one after another, until the server ends.
pub async fn supervise(session: &Arc<Session>) {
    loop {
        let ticket = tokio::select! {
            ticket = session.runs.next() => ticket,
            () = session.ended.cancelled() => return,
        };
        let done = AssertUnwindSafe(run(session, ticket)).catch_unwind().await;
        session.runs.end();
        let (kind, message) = match done {
            Ok(Done::Fine(message)) => {
                session.log(MessageType::INFO, message).await;
                continue;
            }
            Ok(Done::Cancelled) => {
                session.log(MessageType::INFO, "cancelled").await;
                continue;
            }
            Ok(Done::Warn(message)) => (MessageType::WARNING, message),
            Ok(Done::Failed(message)) => (MessageType::ERROR, message),
            Err(_) => (
                MessageType::ERROR,
                "the run failed inside bytecost; please report this".to_owned(),
            ),
        };
        session.say(kind, message).await;
    }
}

async fn run(session: &Arc<Session>, mut ticket: Ticket) -> Done {
    let open = uri::path(&ticket.arguments.uri).and_then(|path| session.open_document(&path));
    let document = open.map(|open| open.document);
    let root = match &document {
        Some(document) => document.root.clone(),
        None => match uri::path(&ticket.arguments.uri) {
            Some(path) => session.root_of(&uri::real(&path)),
            None => PathBuf::new(),
        },
    };
    let (target, path) = match target::resolve(&ticket.arguments, document.as_deref(), &root) {
        Ok(found) => found,
        Err(problem) => return Done::Failed(problem.to_string()),
    };
    if let Some(done) = saved(session, &root, &mut ticket.cancelled).await {
        return done;
    }
    let title = format!("Profiling {}", name(&ticket, &target.to_string()));
    let progress = Progress::begin(&session.client, session.capable().progress, &ticket.token, title);
    let done = measure(session, &ticket, target, &path, &root, &progress).await;
    let last = match &done {
        Done::Fine(message) => message.clone(),
        Done::Warn(_) => "the target failed".to_owned(),
        Done::Failed(_) => "failed".to_owned(),
        Done::Cancelled => "cancelled".to_owned(),
    };
    progress.end(last).await;
    done
}

/// What the user calls the target.
fn name(ticket: &Ticket, target: &str) -> String {
    let wanted = ticket.arguments.target.as_deref();
    let shown = wanted.unwrap_or_else(|| target.rsplit(['/', '\\']).next().unwrap_or(target));
    shown.rsplit("::").next().unwrap_or(shown).to_owned()
}

async fn measure(
    session: &Arc<Session>,
    ticket: &Ticket,
    target: crate::collect::target::Target,
    path: &Path,
    root: &Path,
    progress: &Progress,
) -> Done {
    let mut cancelled = ticket.cancelled.clone();
    let wish = wish(session, ticket, root);
    let log = session.settings(root).output.log;
    let work = root.to_owned();
    let active = ticket.arguments.environment.clone();
    let (warn, mut warnings) = mpsc::unbounded_channel();
    let prepared = tokio::task::spawn_blocking(move || {
        let environment = Environment {
            active,
            current_directory: work,
            ..Environment::of_process().unwrap_or_default()
        };
        prepare::prepare(&target, &wish, &environment, &mut |warning| {
            let _ = warn.send(warning.to_string());
        })
    });
    let prepared = tokio::select! {
        prepared = prepared => prepared,
        () = wanted(&mut cancelled) => return Done::Cancelled,
    };
    while let Ok(warning) = warnings.try_recv() {
        session.log(MessageType::WARNING, warning).await;
    }
    let request = match prepared {
        Ok(Ok(request)) => request,
        Ok(Err(error)) => return Done::Failed(explain(&error, path)),
        Err(error) => return Done::Failed(format!("the run could not be prepared: {error}")),
    };
    let announced = announcement(&request);
    session.log(MessageType::INFO, &announced).await;
    progress.report(0.0, announced);

    let (lines, said) = mpsc::unbounded_channel();
    let surroundings = Surroundings {
        output: if log { Output::Lines(lines) } else { Output::Null },
        input: false,
        directory: Some(request.root.clone()),
    };
    let started = SystemTime::now();
    let listening = tokio::spawn(pass_on(Arc::clone(session), said));
    let run = collect::run_in(&request, &surroundings, &mut cancelled, &mut |now| {
        let passes = now.passes as f64;
        let done = (now.number - 1) as f64 + now.fraction.unwrap_or(0.0);
        let calls = match now.calls {
            0 | 1 => String::new(),
            calls => format!(", {calls} calls"),
        };
        let seconds = now.elapsed.as_secs();
        let pass = collect::name(now.pass);
        progress.report(
            done / passes,
            format!("{pass} pass ({}/{}), {seconds} s{calls}", now.number, now.passes),
        );
    })
    .await;
    drop(surroundings);
    let _ = listening.await;
    let profile = match run {
        Ok(profile) => profile,
        Err(collect::Error::Cancelled) => return Done::Cancelled,
        Err(error) => return Done::Failed(error.to_string()),
    };
    let done = outcome(&profile);
    let uri = ticket.arguments.uri.clone();
    if let Err(error) = show(session, profile, &request.root, path, uri, started).await {
        session.log(MessageType::WARNING, error).await;
    }
    done
}

fn wish(session: &Session, ticket: &Ticket, root: &Path) -> Wish {
    let settings = session.settings(root);
    let configuration = session.configuration();
    // What the project says for itself is read with the target: paths there begin elsewhere.
    let editor = configuration.of_editor(root);
    Wish {
        python: ticket.arguments.python.clone().or(editor.python),
        call: ticket.arguments.call.clone(),
        time: editor.time,
        deadline: settings.deadline,
        count: true,
        timing: Timing::Sampled,
        types: true,
        pystats: true,
        include: editor.include,
        unmarked_root: configuration.folder_of(root),
        name_below_root: true,
        ..Wish::default()
    }
}

/// A target without a call says on the command line how to give one; here it is a comment.
fn explain(error: &prepare::Error, path: &Path) -> String {
    match error {
        prepare::Error::Workload(WorkloadError::NoWorkload { obstacle, ways, .. }) => {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            format!(
                "{} of {file} {obstacle}, and nothing says how to call it: write `# bytecost: {}` above it, \
                 with the values it is to be measured with",
                ways.above, ways.template
            )
        }
        other => other.to_string(),
    }
}

async fn pass_on(session: Arc<Session>, mut said: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = said.recv().await {
        session.client.log_message(MessageType::LOG, line).await;
    }
}

async fn wanted(cancelled: &mut watch::Receiver<bool>) {
    if cancelled.wait_for(|&cancelled| cancelled).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn outcome(profile: &Profile) -> Done {
    let target = &profile.workload.target;
    if let Some(what) = profile.failure().and_then(words::outcome) {
        return Done::Warn(format!("{target}: {what}"));
    }
    if let Some(note) = profile.unmeasured() {
        return Done::Warn(format!("{target}: {}", words::note(note)));
    }
    if profile.files.iter().all(|file| file.codes.is_empty()) {
        return Done::Warn(format!(
            "{target} ran no code of the workspace: there is nothing to show"
        ));
    }
    let stopped = profile
        .passes
        .iter()
        .find_map(|pass| words::outcome(&pass.outcome));
    Done::Fine(match stopped {
        Some(what) => format!("measured {target}. {what}"),
        None => format!("measured {target}"),
    })
}

/// Saves a profile and shows it.
async fn show(
    session: &Arc<Session>,
    mut profile: Profile,
    root: &Path,
    path: &Path,
    uri: Uri,
    at: SystemTime,
) -> Result<(), String> {
    let root = root.to_owned();
    let own = Arc::clone(session);
    let shown = tokio::task::spawn_blocking(move || {
        collect::keep_texts(&mut profile);
        let saved = store::save(&root, &profile);
        let stamp = saved
            .as_ref()
            .ok()
            .and_then(|path| Some((path.clone(), load::stamp(path)?)));
        let texts = |path: &Path| own.texts(path);
        own.shelf()
            .add(Arc::new(Measured::new(profile, stamp, at, &texts)));
        saved.map(|_| ()).map_err(|error| error.to_string())
    })
    .await
    .unwrap_or_else(|error| Err(error.to_string()));
    session.shelf().ask(path.to_owned(), uri);
    session.results_changed();
    shown
}

/// Makes sure that what runs is what the user sees: asks, and waits for the user to save. None
/// when all is well.
async fn saved(session: &Arc<Session>, root: &Path, cancelled: &mut watch::Receiver<bool>) -> Option<Done> {
    let mut saves = session.saves.subscribe();
    let names = || {
        let unsaved = session.unsaved(root);
        let mut names: Vec<_> = unsaved
            .iter()
            .map(|document| {
                document
                    .path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        if names.len() > 3 {
            let more = names.len() - 2;
            names.truncate(2);
            names.push(format!("{more} more files"));
        }
        names
    };
    let first = names();
    if first.is_empty() {
        return None;
    }
    session.runs.asking(true);
    let (verb, what) = if first.len() == 1 {
        ("has", "it is")
    } else {
        ("have", "they are")
    };
    let message = format!(
        "bytecost: {} {verb} unsaved changes, and what runs is what is on disk. The run starts when {what} saved.",
        first.join(", ")
    );
    let item = |title: &str| MessageActionItem {
        title: title.to_owned(),
        properties: std::collections::HashMap::new(),
    };
    let ask = session.client.show_message_request(
        MessageType::WARNING,
        &message,
        Some(vec![item(WAIT), item(AS_SAVED), item(NOT)]),
    );
    let mut ask = std::pin::pin!(ask.fuse());
    let mut asked = true;
    let done = loop {
        tokio::select! {
            () = wanted(cancelled) => break Some(Done::Cancelled),
            _ = saves.changed() => {
                if names().is_empty() {
                    break None;
                }
            }
            answer = &mut ask, if asked => {
                asked = false;
                match answer {
                    Ok(Some(item)) if item.title == AS_SAVED => break None,
                    Ok(Some(item)) if item.title == WAIT => {}
                    Ok(_) => break Some(Done::Cancelled),
                    // This client cannot be asked: it is told, and the save starts the run.
                    Err(_) => session.client.show_message(MessageType::WARNING, &message).await,
                }
            }
        }
    };
    session.runs.asking(false);
    done
}

//! Which run is going on, and which comes next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::commands::RunArguments;

/// One run at a time: two at once would measure each other. A newer request takes the place of
/// one that waits.
#[derive(Debug, Default)]
pub struct Runs {
    state: Mutex<State>,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Option<RunArguments>,
    last: Option<RunArguments>,
    current: Option<Current>,
    started: u64,
}

#[derive(Debug)]
struct Current {
    token: String,
    cancel: watch::Sender<bool>,
    /// It waits for the user, not for a process.
    asking: bool,
}

/// What a run holds of itself.
#[derive(Debug)]
pub struct Ticket {
    /// What to run.
    pub arguments: RunArguments,
    /// Names the run's progress.
    pub token: String,
    /// Turns true when the run is to end.
    pub cancelled: watch::Receiver<bool>,
}

impl Runs {
    /// Asks for a run; whether another one that waited was given up for it.
    pub fn want(&self, arguments: RunArguments) -> bool {
        let replaced = {
            let mut state = self.state();
            state.last = Some(arguments.clone());
            if let Some(current) = state.current.as_ref().filter(|current| current.asking) {
                current.cancel.send_replace(true);
            }
            state.waiting.replace(arguments).is_some()
        };
        self.wanted.notify_one();
        replaced
    }

    /// What was asked for last.
    #[must_use]
    pub fn last(&self) -> Option<RunArguments> {
        self.state().last.clone()
    }

    /// Ends the run that goes on and forgets the one that waits; whether there was any.
    pub fn cancel(&self) -> bool {
        let mut state = self.state();
        let waiting = state.waiting.take().is_some();
        match &state.current {
            Some(current) => {
                current.cancel.send_replace(true);
                true
            }
            None => waiting,
        }
    }

    /// Ends the run with this token, if it goes on.
    pub fn cancel_token(&self, token: &str) {
        if let Some(current) = self
            .state()
            .current
            .as_ref()
            .filter(|current| current.token == token)
        {
            current.cancel.send_replace(true);
        }
    }

    /// Whether a run goes on.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.state().current.is_some()
    }

    /// The run waits for the user, or no longer does.
    pub fn asking(&self, asking: bool) {
        if let Some(current) = &mut self.state().current {
            current.asking = asking;
        }
    }

    /// Waits until a run is wanted, and begins it.
    pub async fn next(&self) -> Ticket {
        loop {
            if let Some(ticket) = self.begin() {
                return ticket;
            }
            self.wanted.notified().await;
        }
    }

    fn begin(&self) -> Option<Ticket> {
        let mut state = self.state();
        let arguments = state.waiting.take()?;
        state.started += 1;
        let token = format!("bytecost/{}", state.started);
        let (cancel, cancelled) = watch::channel(false);
        state.current = Some(Current {
            token: token.clone(),
            cancel,
            asking: false,
        });
        Some(Ticket {
            arguments,
            token,
            cancelled,
        })
    }

    /// The run that went on has ended.
    pub fn end(&self) {
        self.state().current = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

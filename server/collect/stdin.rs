//! Standard input for several passes: what the first reads is replayed to the others.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::watch;

/// Where the passes' standard input comes from.
pub enum Input {
    /// Nothing to read.
    Empty,
    /// A regular file, read again from where it stood.
    File(File, u64),
    /// A pipe or terminal: recorded as it comes.
    Stream(Arc<Recording>),
}

/// What a stream has given so far.
pub struct Recording {
    bytes: Mutex<Vec<u8>>,
    /// Bytes recorded, and whether the stream has ended.
    length: watch::Sender<(usize, bool)>,
    started: Mutex<bool>,
}

impl Input {
    /// Our own standard input.
    #[must_use]
    pub fn ours() -> Self {
        #[cfg(unix)]
        if let Some(input) = file() {
            return input;
        }
        let (length, _) = watch::channel((0, false));
        Self::Stream(Arc::new(Recording {
            bytes: Mutex::default(),
            length,
            started: Mutex::new(false),
        }))
    }

    /// What to start the next pass with.
    pub fn stdio(&mut self) -> io::Result<Stdio> {
        match self {
            Self::Empty => Ok(Stdio::null()),
            Self::File(file, start) => {
                file.seek(SeekFrom::Start(*start))?;
                Ok(Stdio::from(file.try_clone()?))
            }
            Self::Stream(_) => Ok(Stdio::piped()),
        }
    }

    /// Feeds a child from the recording's beginning on, until it ends or stops reading.
    pub fn feed(&self, stdin: Option<ChildStdin>) {
        if let (Self::Stream(recording), Some(stdin)) = (self, stdin) {
            recording.start();
            tokio::spawn(Arc::clone(recording).pump(stdin));
        }
    }
}

/// Standard input, if it is a regular file; nothing to read, if reading would stop us in the background.
#[cfg(unix)]
fn file() -> Option<Input> {
    use std::io::IsTerminal;
    use std::os::fd::AsFd;
    let stdin = io::stdin();
    let mut file = File::from(stdin.as_fd().try_clone_to_owned().ok()?);
    if file.metadata().ok()?.is_file() {
        let start = file.stream_position().ok()?;
        return Some(Input::File(file, start));
    }
    let foreground =
        || nix::unistd::tcgetpgrp(stdin.as_fd()).is_ok_and(|group| group == nix::unistd::getpgrp());
    (stdin.is_terminal() && !foreground()).then_some(Input::Empty)
}

impl Recording {
    /// Reads in a thread of its own: a blocked read must hold up nobody.
    fn start(self: &Arc<Self>) {
        let mut started = self
            .started
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if std::mem::replace(&mut *started, true) {
            return;
        }
        let recording = Arc::clone(self);
        std::thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            loop {
                let read = io::stdin().lock().read(&mut chunk).unwrap_or(0);
                let mut bytes = recording
                    .bytes
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                bytes.extend_from_slice(&chunk[..read]);
                recording.length.send_replace((bytes.len(), read == 0));
                if read == 0 {
                    break;
                }
            }
        });
    }

    async fn pump(self: Arc<Self>, mut stdin: ChildStdin) {
        let mut length = self.length.subscribe();
        let mut sent = 0;
        loop {
            let (available, ended) = *length.borrow_and_update();
            if available > sent {
                let chunk = {
                    let bytes = self
                        .bytes
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    bytes[sent..available].to_vec()
                };
                if stdin.write_all(&chunk).await.is_err() {
                    return;
                }
                sent = available;
            } else if ended || length.changed().await.is_err() {
                return;
            }
        }
    }
}

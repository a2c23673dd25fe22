//! Where a target's standard output and error go.

use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::ChildWrapper;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

/// Bytes of one stream that are passed on; the rest is read and dropped.
const MOST_BYTES: u64 = 1 << 16;
/// Bytes of a line that are passed on.
const LONGEST_LINE: u64 = 1 << 10;

/// Where a target's output goes.
#[derive(Debug, Clone)]
pub enum Output {
    /// To our own streams.
    Inherit,
    /// Nowhere.
    Null,
    /// Line by line to a channel, each stream up to 64 KiB: our own streams are not the target's.
    Lines(UnboundedSender<String>),
}

/// The tasks that read the output of a process.
pub(super) struct Readers(Vec<JoinHandle<()>>);

impl Output {
    /// For one stream of a new process.
    pub(super) fn stdio(&self) -> Stdio {
        match self {
            Self::Inherit => Stdio::inherit(),
            Self::Null => Stdio::null(),
            Self::Lines(_) => Stdio::piped(),
        }
    }

    /// Begins to read what the process writes, if that is for us.
    pub(super) fn read(&self, child: &mut dyn ChildWrapper) -> Readers {
        let mut readers = Vec::new();
        if let Self::Lines(lines) = self {
            if let Some(stream) = child.stdout().take() {
                readers.push(tokio::spawn(pass_on(stream, lines.clone())));
            }
            if let Some(stream) = child.stderr().take() {
                readers.push(tokio::spawn(pass_on(stream, lines.clone())));
            }
        }
        Readers(readers)
    }
}

impl Readers {
    /// Lets the readers come to the end of what was written. A process outside of the group may
    /// hold a stream open for longer; it is not waited for.
    pub(super) async fn finish(self, patience: Duration) {
        for reader in self.0 {
            let abort = reader.abort_handle();
            if tokio::time::timeout(patience, reader).await.is_err() {
                abort.abort();
            }
        }
    }
}

/// Passes on lines up to the limit; after that reads on, so that the target is not held up.
async fn pass_on(stream: impl AsyncRead + Unpin, lines: UnboundedSender<String>) {
    let mut stream = BufReader::new(stream);
    let mut passed = 0;
    let mut line = Vec::new();
    while passed < MOST_BYTES {
        line.clear();
        let read = (&mut stream)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await;
        let Ok(read @ 1..) = read else { return };
        passed += read as u64;
        let text = String::from_utf8_lossy(&line);
        if lines
            .send(text.trim_end_matches(['\r', '\n']).to_owned())
            .is_err()
        {
            break;
        }
    }
    if passed >= MOST_BYTES {
        let _ = lines.send("(further output is not shown)".to_owned());
    }
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

//! Running a program that may hang or print without end.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes kept of each stream; a program that prints more finds its pipe closed.
const KEPT: u64 = 1 << 16;

/// What a program said.
pub(super) struct Output {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) status: ExitStatus,
}

/// Runs a program without input; none if it took longer than `patience`, and then it is killed.
pub(super) fn run(program: &Path, arguments: &[&str], patience: Duration) -> io::Result<Option<Output>> {
    let deadline = Instant::now() + patience;
    let mut child = spawn(program, arguments, deadline)?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let Some(status) = wait(&mut child, deadline)? else {
        // It may have ended meanwhile; reaping it tells.
        let _ = child.kill();
        child.wait()?;
        return Ok(None);
    };
    // A child of the child may hold the pipes open: what is there by then has to do.
    let deadline = deadline.min(Instant::now() + Duration::from_secs(1));
    Ok(Some(Output {
        stdout: collect(&stdout, deadline),
        stderr: collect(&stderr, deadline),
        status,
    }))
}

/// Starts the program; one that is still being written is waited for.
fn spawn(program: &Path, arguments: &[&str], deadline: Instant) -> io::Result<Child> {
    loop {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        crate::os::die_with_parent(&mut command);
        let child = command.spawn();
        match child {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads a stream on a thread of its own, which ends with the stream or after `KEPT` bytes.
fn drain(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    if let Some(stream) = stream {
        thread::spawn(move || {
            let mut stream = stream.take(KEPT);
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut piece) {
                if sender.send(piece[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

fn collect(receiver: &Receiver<Vec<u8>>, deadline: Instant) -> String {
    let mut bytes = Vec::new();
    while let Ok(piece) = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        bytes.extend(piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

//! A program on a terminal that tests can type on and read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Cells of a line.
const WIDTH: &str = "120";

/// Lines of the terminal.
const HEIGHT: &str = "40";

/// How long a screen may take to become what it should: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(25);

/// A terminal with one program, on a tmux server of its own.
pub struct Screen {
    name: String,
    /// Of the socket; it goes with the test.
    folder: TempDir,
}

impl Screen {
    /// Starts a program; `name` names the test's artefacts and must be unique.
    pub fn start(name: &str, folder: &Path, variables: &[(&str, String)], command: &[&str]) -> Self {
        let screen = Self {
            name: name.to_owned(),
            folder: tempfile::tempdir().expect("a folder can be made"),
        };
        let mut start = screen.tmux();
        // The server takes its environment from here and the program from the server.
        start.envs(variables.iter().map(|(key, value)| (key, value)));
        start
            .env("TERM", "xterm-256color")
            .env_remove("TMUX")
            .env("COLORTERM", "truecolor");
        start.args(["new-session", "-d", "-x", WIDTH, "-y", HEIGHT, "-c"]);
        start.arg(folder).arg("--").args(command);
        succeeded(&start.output().expect("tmux starts"));
        screen
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-f", "/dev/null", "-S"]);
        command.arg(self.folder.path().join("tmux"));
        command.stdin(Stdio::null());
        command
    }

    /// Presses keys by tmux' names: `Enter`, `Escape`, `C-w`; text is pressed as it is.
    pub fn press(&self, keys: &[&str]) {
        let output = self.tmux().arg("send-keys").args(keys).output();
        succeeded(&output.expect("tmux runs"));
    }

    /// Types text as it stands.
    pub fn type_text(&self, text: &str) {
        let output = self.tmux().args(["send-keys", "-l", "--", text]).output();
        succeeded(&output.expect("tmux runs"));
    }

    /// Types a command line of the editor and enters it.
    pub fn enter(&self, text: &str) {
        self.type_text(text);
        // Helix completes what is typed: the line must stand there before it is entered.
        let typed: String = text
            .chars()
            .rev()
            .take(20)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        self.wait(&format!("`{text}` on the command line"), |text| {
            text.lines().rev().take(2).any(|line| line.contains(typed.trim()))
        });
        self.press(&["Enter"]);
    }

    /// What stands on the screen, line by line without trailing blanks; empty after the program
    /// has ended.
    pub fn text(&self) -> String {
        let output = self.tmux().args(["capture-pane", "-p"]).output();
        let output = output.expect("tmux runs");
        String::from_utf8(output.stdout).expect("a screen is text")
    }

    /// Waits until the screen is as wanted and returns it; fails with the screen when it does not
    /// become so.
    pub fn wait(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let text = self.text();
            if is_there(&text) {
                return text;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{}: waited in vain for {what}; the screen:\n{text}",
                self.name
            );
            thread::sleep(Duration::from_millis(40));
        }
    }

    /// Waits for a text anywhere on the screen.
    pub fn wait_for(&self, wanted: &str) -> String {
        self.wait(&format!("`{wanted}`"), |text| text.contains(wanted))
    }

    /// Keeps the screen as an artefact, as text and with colours.
    pub fn keep(&self, moment: &str) {
        let folder = artifacts();
        fs::create_dir_all(&folder).expect("the artefacts' folder can be made");
        let path = |extension: &str| folder.join(format!("{}-{moment}.{extension}", self.name));
        fs::write(path("txt"), self.text()).expect("an artefact can be written");
        let coloured = self.tmux().args(["capture-pane", "-p", "-e", "-N"]).output();
        fs::write(path("ansi"), coloured.expect("tmux runs").stdout).expect("an artefact can be written");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep("failed");
        }
        let _ = self.tmux().arg("kill-server").output();
    }
}

fn succeeded(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tmux failed: {errors}");
}

fn artifacts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artifacts/editors")
}

//! Programs that run beside a test.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::binary;

/// A running program, ended with the test.
pub struct Running(Child);

impl Running {
    /// Starts it, with nothing to read and unheard.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().expect("it starts"))
    }

    /// A program in a folder, which has got to its work.
    pub fn script(python: &Path, folder: &Path, program: &str) -> Self {
        std::fs::write(folder.join("shares.py"), program).unwrap();
        let running = Self::start(binary::apart(Command::new(python), folder).arg("shares.py"));
        std::thread::sleep(Duration::from_millis(700));
        running
    }

    /// Something that takes all of the time it can get.
    pub fn busy() -> Self {
        Self::start(Command::new("sh").args(["-c", "while :; do :; done"]))
    }

    /// Lets it run on these processors only.
    pub fn on(self, processors: &str) -> Self {
        let mut taskset = Command::new("taskset");
        taskset.args(["-cp", processors, &self.pid()]);
        assert!(taskset.output().expect("taskset").status.success());
        self
    }

    /// The number of its process.
    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// The processors that its threads may run on.
    pub fn allowed(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("it runs");
        let lists = tasks.flatten().filter_map(|task| {
            let status = std::fs::read_to_string(task.path().join("status")).ok()?;
            let list = status
                .lines()
                .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
            Some(list.trim().to_owned())
        });
        lists.collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

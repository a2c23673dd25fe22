//! Where the sampler runs: on no processor that its target needs.
//!
//! The system as a rule wakes it on an idle one. Where it does not (a virtual machine's processors are not
//! always at hand), each sample would take the target's place: a quarter of its time, 5,000 times a second.

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

/// The calling thread.
const THIS: Pid = Pid::from_raw(0);

/// The processors of the sampler's own thread.
#[derive(Debug)]
pub struct Seat {
    /// Those that it may use.
    allowed: Vec<usize>,
    /// Those where the target ran in this tick.
    taken: Vec<usize>,
}

impl Seat {
    /// Of the calling thread, which is the one to call the rest.
    #[must_use]
    pub fn of_this_thread() -> Self {
        let set = sched_getaffinity(THIS).unwrap_or_default();
        Self {
            allowed: (0..CpuSet::count())
                .filter(|&processor| set.is_set(processor) == Ok(true))
                .collect(),
            taken: Vec::new(),
        }
    }

    /// Notes that a thread of the target runs there.
    pub fn take(&mut self, processor: usize) {
        self.taken.push(processor);
    }

    /// After a tick: leaves a processor that was taken, unless all are.
    pub fn keep_off(&mut self) {
        if sched_getcpu().is_ok_and(|here| self.taken.contains(&here)) {
            let free = |&processor: &usize| !self.taken.contains(&processor);
            let free: Vec<_> = self.allowed.iter().copied().filter(free).collect();
            let mut wanted = CpuSet::new();
            for &processor in if free.is_empty() { &self.allowed } else { &free } {
                let _ = wanted.set(processor);
            }
            // Refused where it was forbidden meanwhile: then it stays.
            let _ = sched_setaffinity(THIS, &wanted);
        }
        self.taken.clear();
    }
}

//! Times of parts of a run, in the unit that executions are counted in.

use crate::profile::{Method, PassKind, Profile, Time, Times};

/// Quantile of the normal distribution that leaves 2.5 % on each side.
const Z: f64 = 1.959_964;

/// What a time is a part of, and what it is told for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whole<'p> {
    /// What was measured.
    pub times: &'p Times,
    /// Calls of the workload that times are told for: those that executions are counted of, else one.
    pub calls: u64,
}

impl<'p> Whole<'p> {
    /// Of a profile; none when its times were not measured.
    #[must_use]
    pub fn of(profile: &'p Profile) -> Option<Self> {
        let times = profile.times.as_ref()?;
        let counted = profile.pass(PassKind::Count).map_or(1, |pass| pass.calls);
        Some(Self {
            times,
            calls: counted.max(1),
        })
    }

    /// The whole time on the processor.
    #[must_use]
    pub fn busy_ns(&self) -> f64 {
        self.times.busy_ns * self.factor()
    }

    /// Samples behind the whole time on the processor; none when not sampled.
    #[must_use]
    pub fn samples(&self) -> Option<u64> {
        self.times.samples
    }

    /// The whole time off the processor.
    #[must_use]
    pub fn waiting_ns(&self) -> f64 {
        self.times.waiting_ns * self.factor()
    }

    /// From what was measured to what is told.
    fn factor(&self) -> f64 {
        self.calls as f64 / self.times.calls.max(1) as f64
    }

    /// The cost of a part. `total` is its time with what it called.
    #[must_use]
    pub(super) fn part(&self, own: Time, total: Option<Time>) -> TimeCosts {
        let factor = self.factor();
        let share = |time: f64| {
            if self.times.busy_ns > 0.0 {
                time / self.times.busy_ns
            } else {
                0.0
            }
        };
        let error = self
            .times
            .samples
            .map(|all| (half_width(own.samples, all) * self.times.dispersion.sqrt()).min(1.0));
        TimeCosts {
            method: self.times.method,
            self_ns: own.busy_ns * factor,
            share: share(own.busy_ns),
            error,
            samples: own.samples,
            waiting_ns: own.waiting_ns * factor,
            collecting_ns: own.collecting_ns * factor,
            total_ns: total.map(|total| total.busy_ns * factor),
            total_share: total.map(|total| share(total.busy_ns)),
            total_waiting_ns: total.map(|total| total.waiting_ns * factor),
        }
    }
}

/// The time of an instruction, line or code object: for the counted calls, else for one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeCosts {
    /// How it was obtained.
    pub method: Method,
    /// On the processor in its own instructions and the C code they called, ns.
    pub self_ns: f64,
    /// The same as a share of the whole run's, 0 to 1.
    pub share: f64,
    /// Half of the 95 % interval of `share`, by the number of samples and how much processes differed among
    /// themselves; none when not sampled.
    pub error: Option<f64>,
    /// Samples behind it; 0 when not sampled.
    pub samples: u64,
    /// Off the processor, ns.
    pub waiting_ns: f64,
    /// Part of `self_ns` that collected garbage.
    pub collecting_ns: f64,
    /// `self_ns` and that of the Python code it called; none for instructions.
    pub total_ns: Option<f64>,
    /// The same as a share.
    pub total_share: Option<f64>,
    /// `waiting_ns` and that of the Python code it called.
    pub total_waiting_ns: Option<f64>,
}

/// Half of the 95 % interval of a share of which `part` in `all` samples were seen (Wilson 1927): never
/// 0, as no sample is no proof of no time.
#[must_use]
fn half_width(part: u64, all: u64) -> f64 {
    if all == 0 {
        return 1.0;
    }
    let n = all as f64;
    let share = (part as f64 / n).min(1.0);
    let spread = share * (1.0 - share) / n + Z * Z / (4.0 * n * n);
    Z / (1.0 + Z * Z / n) * spread.sqrt()
}

#[cfg(test)]
mod tests {
    use super::half_width;

    /// Against values of the score interval as tables of it have them.
    #[test]
    fn intervals_are_those_of_wilson() {
        for (part, all, low, high) in [
            (50, 100, 0.4038, 0.5962),
            (0, 10, 0.0, 0.2775),
            (5, 10, 0.2366, 0.7634),
        ] {
            let half = (high - low) / 2.0;
            assert!((half_width(part, all) - half).abs() < 1e-4, "{part} of {all}");
        }
        assert!(half_width(0, 0) >= 1.0);
    }
}

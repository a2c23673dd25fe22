//! When to sample: at uneven intervals, so that no loop of the target keeps step with them.

use std::time::{Duration, Instant};

/// Moments around a mean interval apart.
#[derive(Debug)]
pub struct Clock {
    interval: Duration,
    next: Instant,
    state: u64,
}

impl Clock {
    /// Starts now.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        let next = Instant::now();
        Self {
            interval,
            next,
            state: u64::from(next.elapsed().subsec_nanos()) ^ 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Sleeps until the next moment; one that has passed is left out, with those before it.
    pub fn wait(&mut self) {
        // Anything between half of the interval and one and a half.
        let factor = 0.5 + self.chance();
        self.next += self.interval.mul_f64(factor);
        let now = Instant::now();
        if self.next > now {
            std::thread::sleep(self.next - now);
        } else {
            self.next = now;
        }
    }

    /// A number from 0 to 1 (xorshift, Marsaglia 2003).
    pub fn chance(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

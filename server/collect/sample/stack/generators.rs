//! Generators and their callers are read at two moments.
//!
//! A generator's frame is in its object, which is read a moment after the thread's own frames. How often it is
//! found running is right, and how often its caller is found at which instruction, but not the one with the
//! other: the caller may have gone on in between. Where it was at no instruction that runs the generator, it
//! has the sample, and the generator has the next one that finds the caller at such an instruction alone.

use super::super::sites::Site;
use super::{Chain, Codes, Link, Place, Runtime, Stack};

/// Frames of a sample that are looked at for generators, and generators that are waited for.
const MOST_EXCHANGED: usize = 8;
const MOST_OWED: usize = 64;
/// Callers for which some are.
const MOST_CALLERS: usize = 256;

impl Stack {
    /// Whether a frame that says so can have been called when the sample was taken. A generator that was made
    /// and not begun says that its maker called it, and so does what it was made of (3.14+, where no frame
    /// tells whether it runs).
    pub(super) fn can_have_called(
        &self,
        runtime: &Runtime,
        outer: Link,
        inner: Link,
        codes: &mut dyn Codes,
    ) -> bool {
        let has_begun =
            !runtime.offsets.frame_ends_without_code || codes.site(inner.head.instruction) != Site::Unbegun;
        has_begun && (!is_of_thread(outer, inner) || self.may_resume(runtime, outer, inner, codes))
    }

    /// Whether a frame of the thread's is where it runs a generator: at an instruction that does so, or with the
    /// generator in its hands while C code does. What was never held, such as a generator within a `map`, may
    /// be run by anything. What is no longer held is still in its place on the stack until another value is
    /// put there.
    fn may_resume(&self, runtime: &Runtime, outer: Link, inner: Link, codes: &mut dyn Codes) -> bool {
        let site = codes.site(outer.head.instruction);
        if inner.by_c {
            site != Site::Loads
                && (!self.held.contains(&inner.head.code)
                    || self.ahead.holds_object(runtime, outer.address, inner.address))
        } else {
            site == Site::Resumes
        }
    }

    /// Sets right which samples generators have.
    pub(super) fn exchange(&mut self, runtime: &Runtime, chain: &mut Chain, codes: &mut dyn Codes) {
        if self.generators.is_empty() {
            return;
        }
        for pair in chain.links.windows(2) {
            if pair[0].by_c
                && is_of_thread(pair[1], pair[0])
                && self.ahead.holds_object(runtime, pair[1].address, pair[0].address)
            {
                self.held.insert(pair[0].head.code);
            }
        }
        if let Some(&alone) = chain.links.first()
            && let Some(owed) = self.owed.get(&key(alone))
            && let Some(at) = (0..owed.len()).find(|&at| self.may_resume(runtime, alone, owed[at], codes))
            && let Some(generator) = self.owed.get_mut(&key(alone)).map(|owed| owed.remove(at))
            && codes.is_code(generator.head.code)
        {
            chain.links.insert(0, generator);
            return;
        }
        for at in 0..chain.links.len().min(MOST_EXCHANGED) {
            let outer = chain.links[at];
            let inner = at.checked_sub(1).map(|at| chain.links[at].address);
            let [_, Some(address)] = self.ahead.callees(runtime, outer.address) else {
                continue;
            };
            let Some(head) = self.ahead.head(runtime, address) else {
                continue;
            };
            let generator = Link {
                address,
                head,
                by_c: head.previous != outer.address,
                is_ahead: true,
            };
            let runs = inner != Some(address)
                && outer.is_ahead
                && head.lives(&runtime.offsets)
                && codes.is_code(head.code)
                && codes.site(head.instruction) != Site::Unbegun;
            if runs && is_of_thread(outer, generator) && !self.may_resume(runtime, outer, generator, codes) {
                if self.owed.len() > MOST_CALLERS {
                    self.owed.clear();
                }
                let owed = self.owed.entry(key(outer)).or_default();
                if owed.len() < MOST_OWED {
                    owed.push(generator);
                }
            }
        }
    }
}

/// Another function may have its frame in the same place later.
fn key(outer: Link) -> (u64, u64) {
    (outer.address, outer.head.code)
}

/// Whether the one is a generator, and the other is not.
fn is_of_thread(outer: Link, inner: Link) -> bool {
    (Place::of(outer.head), Place::of(inner.head)) == (Place::Thread, Place::Object)
}

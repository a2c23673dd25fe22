//! Dumps of other programs against what those programs say themselves.

#[path = "../fuzz/check.rs"]
mod check;
#[path = "dump/hostile.rs"]
mod hostile;
#[path = "dump/lltrace.rs"]
mod lltrace;
#[path = "support/packed.rs"]
mod packed;
#[path = "dump/places.rs"]
mod places;
#[path = "dump/pystats.rs"]
mod pystats;
#[path = "support/pythons.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pythons;
#[path = "dump/sums.rs"]
mod sums;

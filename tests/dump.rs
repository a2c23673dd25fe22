//! Dumps of other programs against what those programs say themselves.

#[path = "dump/pystats.rs"]
mod pystats;

//! Dumps of other programs against what those programs say themselves.

#[path = "dump/lltrace.rs"]
mod lltrace;
#[path = "dump/places.rs"]
mod places;
#[path = "dump/pystats.rs"]
mod pystats;

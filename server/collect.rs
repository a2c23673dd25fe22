//! Everything that runs or reads something outside: targets, workloads, interpreters.

pub mod config;
pub mod interpreter;
pub mod target;
pub mod workload;

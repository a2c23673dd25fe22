//! Everything that runs or reads something outside: targets, workloads, interpreters.

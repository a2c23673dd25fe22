//! `bytecost`: the command line.

fn main() {}

//! Exporters, one form a file: costs and findings to text that leaves the program.

pub mod editor;
pub mod html;
pub mod json;
pub mod stats;
pub mod terminal;
pub mod trace_lines;

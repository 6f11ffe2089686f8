//! The binary as people run it.

mod cli;
mod crash;
mod process;

//! The binary as people run it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod cli;
mod crash;
mod process;

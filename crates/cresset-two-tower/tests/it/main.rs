//! The model from outside: its size, its losses against plain arithmetic, what it draws and what it refuses.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod configs;
mod drawing;
mod losses;
mod serving;
mod small;

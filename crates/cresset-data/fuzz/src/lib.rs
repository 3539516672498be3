//! What the targets do with their bytes, compiled once for all of them.

#[path = "../../tests/fuzz_bodies/mod.rs"]
mod fuzz_bodies;

/// Holds the bytes against what the readers of a target promise.
pub fn run(target: &str, bytes: &[u8]) {
    fuzz_bodies::target(target)(bytes);
}

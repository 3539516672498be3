//! Bodies of [`RecommenderBackend`](crate::RecommenderBackend): `plain` for any backend, and one module for each
//! backend that does better. The only place in the library crates that names a backend.

mod autodiff;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
#[expect(clippy::needless_pass_by_value, reason = "the bodies take what the trait's methods are given")]
pub(crate) mod plain;
pub(crate) mod spec;
#[cfg(feature = "tch")]
mod tch;
#[cfg(test)]
mod tests;

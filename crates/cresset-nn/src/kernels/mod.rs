//! Bodies of [`RecommenderBackend`](crate::RecommenderBackend), one file for each backend: the only place in
//! the library crates that names one.

mod autodiff;
#[cfg(feature = "flex")]
mod flex;

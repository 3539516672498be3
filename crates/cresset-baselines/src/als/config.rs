//! Parameters of the factorisation and of its solver.

use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// Parameters of [`ImplicitAls`](crate::ImplicitAls).
///
/// The defaults were not tuned: on MovieLens 1M they reach what the package implicit reaches with the same numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImplicitAlsConfig {
    /// Width of the user and item vectors, 1 to 8,192. Default: 64.
    pub embedding_dim: usize,
    /// How much an interaction adds to the confidence of 1 that every pair has, from 0 up. Default: 1.
    pub alpha: f64,
    /// Penalty on the squared length of each vector, from 0 up. Default: 10.
    pub l2: f64,
    /// Passes over both sides, at least 1. Default: 15.
    pub n_iterations: usize,
    /// Steps of the conjugate gradient in each solve, at least 1. Default: 3.
    pub n_solver_steps: usize,
    /// Whether an interaction counts as much as its rating, or 1. Default: false.
    pub use_ratings: bool,
    /// Seed of the first vectors. Default: 42.
    pub seed: u64,
}

impl Default for ImplicitAlsConfig {
    fn default() -> Self {
        Self {
            embedding_dim: 64,
            alpha: 1.0,
            l2: 10.0,
            n_iterations: 15,
            n_solver_steps: 3,
            use_ratings: false,
            seed: 42,
        }
    }
}

impl ImplicitAlsConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ParameterError> {
        let check = ParameterError::check;
        check("embedding_dim", &self.embedding_dim, (1..=8192).contains(&self.embedding_dim), "1 to 8192")?;
        ParameterError::check_from_0("alpha", self.alpha)?;
        ParameterError::check_from_0("l2", self.l2)?;
        check("n_iterations", &self.n_iterations, self.n_iterations >= 1, "at least 1")?;
        check("n_solver_steps", &self.n_solver_steps, self.n_solver_steps >= 1, "at least 1")
    }
}

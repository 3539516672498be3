//! A place in a model where dropout happens.

use burn::tensor::Tensor;

use crate::kernels::spec::Epilogue;
use crate::{ConfigError, Dropout, RecommenderBackend, StepKey};

/// How likely a place in a model drops an element, and the name by which its masks differ from those of other places.
///
/// ```
/// use cresset_nn::{DropoutSite, StepKey};
///
/// let site = DropoutSite::new(0.1, "encoder.input")?;
/// let key = StepKey { seed: 42, step: 7 };
/// assert_eq!(site.at(Some(key)), site.at(Some(key)));
/// assert_eq!(site.at(None), None); // inference
/// # Ok::<(), cresset_nn::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DropoutSite {
    p: f64,
    site: String,
}

impl DropoutSite {
    /// A place that drops an element with probability `p`; `site` is the path of its layer by convention.
    ///
    /// # Errors
    ///
    /// If `p` is not in `[0, 1)`.
    pub fn new(p: f64, site: impl Into<String>) -> Result<Self, ConfigError> {
        Self::off(site).with_p(p)
    }

    /// A place that drops nothing.
    pub(crate) fn off(site: impl Into<String>) -> Self {
        Self { p: 0.0, site: site.into() }
    }

    pub(crate) fn with_p(self, p: f64) -> Result<Self, ConfigError> {
        Dropout::new(p, 0, 0, &self.site)?;
        Ok(Self { p, ..self })
    }

    /// The dropout of one step; `None` in inference, and where the probability is 0.
    pub fn at(&self, key: Option<StepKey>) -> Option<Dropout> {
        key.filter(|_| self.p > 0.0).map(|key| self.of(key))
    }

    fn of(&self, key: StepKey) -> Dropout {
        Dropout::new(self.p, key.seed, key.step, &self.site).expect("p was checked when the site was made")
    }

    /// The rows with elements dropped: those of embeddings, for instance, which no layer has touched yet.
    ///
    /// # Shapes
    ///
    /// - x, output: `[rows, dim]`
    pub fn forward<B: RecommenderBackend>(&self, x: Tensor<B, 2>, key: Option<StepKey>) -> Tensor<B, 2> {
        match self.at(key) {
            None => x,
            dropout => B::epilogue(x, Epilogue { dropout, ..Epilogue::default() }),
        }
    }
}

//! Two linear layers, the wide one between them.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::mlp::check_widths;
use super::{DropoutSite, Linear};
use crate::{Activation, ConfigError, RecommenderBackend, StepKey};

/// Two linear layers, an activation and dropout after the first, dropout after the second, and a residual.
///
/// # Source
///
/// Vaswani et al., 2017, section 3.3, <https://arxiv.org/abs/1706.03762>.
#[derive(Module, Debug)]
pub struct FeedForward<B: Backend> {
    inner: Linear<B>,
    outer: Linear<B>,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    dropout: [DropoutSite; 2],
}

impl<B: Backend> FeedForward<B> {
    /// Layers of the widths `[d_model, d_ff, d_out]`; in a transformer the last is the first again.
    ///
    /// The activation is GELU and nothing is dropped, unless told otherwise. Weights are drawn as those of [`Linear`].
    ///
    /// # Errors
    ///
    /// If a width is 0.
    pub fn new(path: &str, widths: [usize; 3], seed: u64, device: &B::Device) -> Result<Self, ConfigError> {
        check_widths(path, &widths)?;
        let [d_model, d_ff, d_out] = widths;
        let paths = [format!("{path}.inner"), format!("{path}.outer")];
        Ok(Self {
            inner: Linear::new(&paths[0], [d_model, d_ff], seed, device),
            outer: Linear::new(&paths[1], [d_ff, d_out], seed, device),
            activation: Activation::Gelu,
            dropout: paths.map(DropoutSite::off),
        })
    }

    /// The layers with another activation between them.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The layers with dropout after both, with probability `p`.
    ///
    /// # Errors
    ///
    /// If `p` is not in `[0, 1)`.
    pub fn with_dropout(mut self, p: f64) -> Result<Self, ConfigError> {
        let [inner, outer] = self.dropout;
        self.dropout = [inner.with_p(p)?, outer.with_p(p)?];
        Ok(self)
    }

    /// Width of the output.
    pub(super) fn d_out(&self) -> usize {
        let [_, d_out] = self.outer.dims();
        d_out
    }
}

impl<B: RecommenderBackend> FeedForward<B> {
    /// `residual + dropout(outer(dropout(activation(inner(x)))))`.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, d_model]`
    /// - residual, output: `[rows, d_out]`
    ///
    /// # Panics
    ///
    /// If `x` has another width.
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        key: Option<StepKey>,
        residual: Option<Tensor<B, 2>>,
    ) -> Tensor<B, 2> {
        let [after_inner, after_outer] = &self.dropout;
        let hidden = self.inner.forward(x, self.activation, after_inner.at(key), None);
        self.outer.forward(hidden, Activation::None, after_outer.at(key), residual)
    }
}

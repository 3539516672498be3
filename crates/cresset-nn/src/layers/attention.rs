//! Self-attention over short sequences.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor};

use super::{DropoutSite, Linear};
use crate::kernels::spec::Attention;
use crate::{Activation, ConfigError, RecommenderBackend, StepKey};

/// Self-attention of several heads between two linear layers.
///
/// # Source
///
/// Vaswani et al., 2017, section 3.2.2, <https://arxiv.org/abs/1706.03762>.
#[derive(Module, Debug)]
pub struct MultiHeadSelfAttention<B: Backend> {
    // Query, key and value in one product.
    qkv: Linear<B>,
    output: Linear<B>,
    #[module(skip)]
    n_heads: usize,
    #[module(skip)]
    causal: bool,
    // Of the probabilities and of the output.
    #[module(skip)]
    dropout: [DropoutSite; 2],
}

impl<B: Backend> MultiHeadSelfAttention<B> {
    /// Attention in which each place sees all others and nothing is dropped, unless told otherwise.
    ///
    /// Weights are drawn as those of [`Linear`].
    ///
    /// # Errors
    ///
    /// If `d_model` is 0 or `n_heads` does not divide it.
    pub fn new(
        path: &str,
        d_model: usize,
        n_heads: usize,
        seed: u64,
        device: &B::Device,
    ) -> Result<Self, ConfigError> {
        check_heads(d_model, n_heads)?;
        let linear = |name, widths| Linear::new(&format!("{path}.{name}"), widths, seed, device);
        Ok(Self {
            qkv: linear("qkv", [d_model, 3 * d_model]),
            output: linear("output", [d_model, d_model]),
            n_heads,
            causal: false,
            dropout: ["probabilities", "output"].map(|name| DropoutSite::off(format!("{path}.{name}"))),
        })
    }

    /// The attention with each place seeing itself and what came before only.
    pub fn causal(self) -> Self {
        Self { causal: true, ..self }
    }

    /// The attention with dropout of its probabilities and its output, with probability `p`.
    ///
    /// # Errors
    ///
    /// If `p` is not in `[0, 1)`.
    pub fn with_dropout(mut self, p: f64) -> Result<Self, ConfigError> {
        let [probabilities, output] = self.dropout;
        self.dropout = [probabilities.with_p(p)?, output.with_p(p)?];
        Ok(self)
    }
}

impl<B: RecommenderBackend> MultiHeadSelfAttention<B> {
    /// `residual + dropout(output(attention(qkv(x))))`.
    ///
    /// Padding is seen by no place and attends to nothing: what the attention gives there is the output layer's bias.
    ///
    /// # Shapes
    ///
    /// - x, residual, output: `[batch, seq, d_model]`
    /// - `mask_pad`: `[batch, seq]`, true where there is padding
    ///
    /// # Panics
    ///
    /// If `x` has another width, or the mask another shape.
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        mask_pad: Option<&Tensor<B, 2, Bool>>,
        key: Option<StepKey>,
        residual: Option<Tensor<B, 3>>,
    ) -> Tensor<B, 3> {
        let [batch, seq, d_model] = x.dims();
        if let Some(mask) = mask_pad {
            assert_eq!(mask.dims(), [batch, seq], "the mask has one value for each place of each sequence");
        }
        let [of_probabilities, of_output] = &self.dropout;
        let rows = [batch * seq, d_model];
        let qkv = self.qkv.forward(x.reshape(rows), Activation::None, None, None);
        let attention = Attention {
            n_heads: self.n_heads,
            causal: self.causal,
            mask_pad: mask_pad.cloned(),
            dropout: of_probabilities.at(key),
        };
        let seen = B::fused_attention(qkv.reshape([batch, seq, 3 * d_model]), attention).reshape(rows);
        let residual = residual.map(|residual| residual.reshape(rows));
        let output = self.output.forward(seen, Activation::None, of_output.at(key), residual);
        output.reshape([batch, seq, d_model])
    }
}

/// Checks that heads of one width fill the rows.
///
/// # Errors
///
/// If there is no head, or the heads do not divide the width.
pub(super) fn check_heads(d_model: usize, n_heads: usize) -> Result<(), ConfigError> {
    let divides = n_heads > 0 && d_model.is_multiple_of(n_heads);
    ConfigError::first_of(&[
        ("d_model", d_model as f64, d_model > 0, "at least 1"),
        ("n_heads", n_heads as f64, divides, "a number that divides d_model"),
    ])
}

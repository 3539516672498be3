//! A stack of attention and feed-forward layers.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor};
use serde::{Deserialize, Serialize};

use super::attention::check_heads;
use super::{FeedForward, LayerNorm, MultiHeadSelfAttention};
use crate::{Activation, ConfigError, RecommenderBackend, StepKey};

/// Hyperparameters of a [`Transformer`]; [`init`](Self::init) checks them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerConfig {
    /// Width of each place, at least 1. Default: 64.
    pub d_model: usize,
    /// Width between the two feed-forward layers, at least 1. Default: 256.
    pub d_ff: usize,
    /// Heads, which divide `d_model`. Default: 2.
    pub n_heads: usize,
    /// Blocks, at least 1. Default: 2.
    pub n_layers: usize,
    /// Chance that an element is dropped, in `[0, 1)`: of the attention's probabilities, and of every layer's output
    /// but the first of attention. Default: 0.2.
    pub dropout: f64,
    /// Between the two feed-forward layers. Default: `gelu`.
    pub activation: Activation,
    /// Whether a place sees itself and what came before only. Default: true.
    pub causal: bool,
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self {
            d_model: 64,
            d_ff: 256,
            n_heads: 2,
            n_layers: 2,
            dropout: 0.2,
            activation: Activation::Gelu,
            causal: true,
        }
    }
}

impl TransformerConfig {
    /// Checks every field against its documented range.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_heads(self.d_model, self.n_heads)?;
        ConfigError::first_of(&[
            ("d_ff", self.d_ff as f64, self.d_ff > 0, "at least 1"),
            ("n_layers", self.n_layers as f64, self.n_layers > 0, "at least 1"),
            ("dropout", self.dropout, (0.0..1.0).contains(&self.dropout), "a probability in [0, 1)"),
        ])
    }

    /// A transformer with these hyperparameters, its weights drawn as those of [`Linear`](crate::Linear).
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn init<B: Backend>(
        &self,
        path: &str,
        seed: u64,
        device: &B::Device,
    ) -> Result<Transformer<B>, ConfigError> {
        self.validate()?;
        let block = |at| TransformerBlock::new(&format!("{path}.blocks.{at}"), self, seed, device);
        Ok(Transformer { blocks: (0..self.n_layers).map(block).collect::<Result<_, _>>()? })
    }
}

/// Blocks of attention and feed-forward layers, one after the other.
///
/// The output of the last block is a sum that nothing has normalised: what reads it usually begins with a
/// [`LayerNorm`]. Positions are the caller's to add.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{Tensor, TensorData};
/// use cresset_nn::TransformerConfig;
///
/// let device = Default::default();
/// let config = TransformerConfig { d_model: 8, d_ff: 32, ..TransformerConfig::default() };
/// let encoder = config.init::<Flex>("encoder", 42, &device)?;
/// let sequences = Tensor::ones([2, 5, 8], &device);
/// let padding = [[true, true, false, false, false], [false; 5]];
/// let mask_pad = Tensor::from_data(TensorData::from(padding), &device);
/// assert_eq!(encoder.forward(sequences, Some(&mask_pad), None).dims(), [2, 5, 8]);
/// # Ok::<(), cresset_nn::ConfigError>(())
/// ```
#[derive(Module, Debug)]
pub struct Transformer<B: Backend> {
    blocks: Vec<TransformerBlock<B>>,
}

impl<B: RecommenderBackend> Transformer<B> {
    /// What each place has gathered after all blocks; `None` for a key stands for inference.
    ///
    /// # Shapes
    ///
    /// - x, output: `[batch, seq, d_model]`; what the output holds at padding means nothing
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
    ) -> Tensor<B, 3> {
        self.blocks.iter().fold(x, |x, block| block.forward(x, mask_pad, key))
    }
}

/// Attention, then feed-forward layers, each on normalised rows and added to what came in.
///
/// # Source
///
/// Xiong et al., ICML 2020, figure 1b (Pre-LN), <https://arxiv.org/abs/2002.04745>.
#[derive(Module, Debug)]
pub struct TransformerBlock<B: Backend> {
    attention_norm: LayerNorm<B>,
    attention: MultiHeadSelfAttention<B>,
    feed_forward_norm: LayerNorm<B>,
    feed_forward: FeedForward<B>,
}

impl<B: Backend> TransformerBlock<B> {
    /// One block of a stack with these hyperparameters.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn new(
        path: &str,
        config: &TransformerConfig,
        seed: u64,
        device: &B::Device,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let &TransformerConfig { d_model, d_ff, n_heads, dropout, activation, causal, .. } = config;
        let attention = format!("{path}.attention");
        let attention = MultiHeadSelfAttention::new(&attention, d_model, n_heads, seed, device)?;
        let attention = attention.with_dropout(dropout)?;
        let feed_forward = format!("{path}.feed_forward");
        let feed_forward = FeedForward::new(&feed_forward, [d_model, d_ff, d_model], seed, device)?;
        Ok(Self {
            attention_norm: LayerNorm::new(d_model, device),
            attention: if causal { attention.causal() } else { attention },
            feed_forward_norm: LayerNorm::new(d_model, device),
            feed_forward: feed_forward.with_activation(activation).with_dropout(dropout)?,
        })
    }
}

impl<B: RecommenderBackend> TransformerBlock<B> {
    /// `y + feed_forward(norm(y))` for `y = x + attention(norm(x))`.
    ///
    /// # Shapes
    ///
    /// As for [`Transformer::forward`].
    ///
    /// # Panics
    ///
    /// If `x` has another width, or the mask another shape.
    pub fn forward(
        &self,
        x: Tensor<B, 3>,
        mask_pad: Option<&Tensor<B, 2, Bool>>,
        key: Option<StepKey>,
    ) -> Tensor<B, 3> {
        let [batch, seq, d_model] = x.dims();
        let normed = self.attention_norm.forward(x.clone());
        let rows = self.attention.forward(normed, mask_pad, key, Some(x)).reshape([batch * seq, d_model]);
        let normed = self.feed_forward_norm.forward(rows.clone());
        self.feed_forward.forward(normed, key, Some(rows)).reshape([batch, seq, d_model])
    }
}

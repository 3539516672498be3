//! A linear layer and what follows it in one pass.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::kernels::spec::Epilogue;
use crate::precision::half_product;
use crate::{Activation, Dropout, EmbeddingTable, RecommenderBackend, init};

/// A linear layer: rows times a weight, plus a bias.
///
/// Weight and bias are drawn uniform within `1 / sqrt(inputs)`, as in PyTorch's `Linear`, and a function of seed and
/// path alone. Every layer of this crate is made of these, attention and experts too.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    weight: Param<Tensor<B, 2>>,
    bias: Option<Param<Tensor<B, 1>>>,
}

impl<B: Backend> Linear<B> {
    /// A layer with a bias.
    ///
    /// # Panics
    ///
    /// If a width is 0.
    pub fn new(path: &str, [inputs, outputs]: [usize; 2], seed: u64, device: &B::Device) -> Self {
        let bias = init::uniform(seed, &format!("{path}.bias"), [outputs], bound(inputs), device);
        Self {
            bias: Some(Param::from_tensor(bias)),
            ..Self::without_bias(path, [inputs, outputs], seed, device)
        }
    }

    /// A layer without a bias.
    ///
    /// # Panics
    ///
    /// If a width is 0.
    pub fn without_bias(path: &str, [inputs, outputs]: [usize; 2], seed: u64, device: &B::Device) -> Self {
        assert!(
            inputs > 0 && outputs > 0,
            "{path} maps {inputs} values to {outputs}, expected at least 1 and 1"
        );
        let weight = init::uniform(seed, &format!("{path}.weight"), [inputs, outputs], bound(inputs), device);
        Self::from_tensors(weight, None)
    }

    /// A layer with the given weight, `[inputs, outputs]`, and bias, `[outputs]`.
    ///
    /// # Panics
    ///
    /// If the bias has another length.
    pub fn from_tensors(weight: Tensor<B, 2>, bias: Option<Tensor<B, 1>>) -> Self {
        if let Some(bias) = &bias {
            assert_eq!(bias.dims()[0], weight.dims()[1], "a bias has one value for each output");
        }
        Self { weight: Param::from_tensor(weight), bias: bias.map(Param::from_tensor) }
    }

    /// Inputs and outputs.
    pub fn dims(&self) -> [usize; 2] {
        self.weight.dims()
    }
}

impl<B: RecommenderBackend> Linear<B> {
    /// `residual + dropout(activation(x weight + bias))`, each part optional; the product is taken in the
    /// [`Precision`](crate::Precision) of the moment.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, inputs]`
    /// - residual, output: `[rows, outputs]`
    ///
    /// # Panics
    ///
    /// If `x` has another width than the layer has inputs.
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        activation: Activation,
        dropout: Option<Dropout>,
        residual: Option<Tensor<B, 2>>,
    ) -> Tensor<B, 2> {
        let [inputs, _] = self.dims();
        assert_eq!(x.dims()[1], inputs, "rows are as wide as the layer has inputs");
        let bias = self.bias.as_ref().map(Param::val);
        let (weight, epilogue) = (self.weight.val(), Epilogue { bias, activation, dropout, residual });
        match half_product(&x, &weight) {
            Some(product) => B::epilogue(product, epilogue),
            None => B::fused_linear(x, weight, epilogue),
        }
    }

    /// As [`forward`](Self::forward), of rows of a table that is not trained: features such as tags or text.
    ///
    /// The rows are not copied out, neither now nor on the way back.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), outputs]`
    ///
    /// # Panics
    ///
    /// If the table has another width than the layer has inputs, or an id is beyond it.
    pub fn forward_rows(
        &self,
        features: &EmbeddingTable<B>,
        ids: &[u32],
        activation: Activation,
        dropout: Option<Dropout>,
    ) -> Tensor<B, 2> {
        let [inputs, _] = self.dims();
        assert_eq!(features.dims()[1], inputs, "rows are as wide as the layer has inputs");
        let ids = features.checked(ids);
        let bias = self.bias.as_ref().map(Param::val);
        let epilogue = Epilogue { bias, activation, dropout, residual: None };
        B::feature_linear(features.storage(), ids, self.weight.val(), epilogue)
    }
}

/// What the largest initial weight is smaller than.
pub(super) fn bound(inputs: usize) -> f32 {
    1.0 / (inputs as f32).sqrt()
}

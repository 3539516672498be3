//! A stack of linear layers with an activation between them.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{DropoutSite, Linear, l2_normalize};
use crate::{Activation, ConfigError, Dropout, EmbeddingTable, RecommenderBackend, StepKey};

/// Keeps the length of a row that is all zeros above 0, as PyTorch's `normalize` does.
pub(super) const LENGTH_EPSILON: f32 = 1e-12;

/// Linear layers with an activation and dropout after each but the last: `ReLU` and none, unless told otherwise.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use cresset_nn::{Activation, Mlp, StepKey};
///
/// let device = Default::default();
/// let tower = Mlp::<Flex>::new("user_tower", &[64, 32, 16], 42, &device)?
///     .with_activation(Activation::Gelu)
///     .with_dropout(0.1)?
///     .normalized();
/// let users = Tensor::ones([8, 64], &device);
/// let training = tower.forward(users.clone(), Some(StepKey { seed: 42, step: 0 }));
/// let inference = tower.forward(users, None);
/// assert_eq!((training.dims(), inference.dims()), ([8, 16], [8, 16]));
/// # Ok::<(), cresset_nn::ConfigError>(())
/// ```
#[derive(Module, Debug)]
pub struct Mlp<B: Backend> {
    layers: Vec<Linear<B>>,
    #[module(skip)]
    activation: Activation,
    // One after each layer but the last.
    #[module(skip)]
    dropout: Vec<DropoutSite>,
    #[module(skip)]
    normalized: bool,
}

impl<B: Backend> Mlp<B> {
    /// Layers of the given widths, input first: `[64, 32, 1]` maps 64 values to 1 through 32.
    ///
    /// Weights are drawn as those of [`Linear`], at the paths `{path}.0`, `{path}.1` ...; dropout happens there, too.
    ///
    /// # Errors
    ///
    /// If there are fewer than two widths, or one is 0.
    pub fn new(path: &str, widths: &[usize], seed: u64, device: &B::Device) -> Result<Self, ConfigError> {
        check_widths(path, widths)?;
        Ok(Self::from_layer(path, widths, 0, seed, device))
    }

    /// The layers of `widths` from layer `first` on.
    pub(super) fn from_layer(
        path: &str,
        widths: &[usize],
        first: usize,
        seed: u64,
        device: &B::Device,
    ) -> Self {
        let path_of = |at: usize| format!("{path}.{at}");
        let layer = |at: usize| Linear::new(&path_of(at), [widths[at], widths[at + 1]], seed, device);
        let last = widths.len() - 2;
        Self {
            layers: (first..=last).map(layer).collect(),
            activation: Activation::Relu,
            dropout: (first..last).map(|at| DropoutSite::off(path_of(at))).collect(),
            normalized: false,
        }
    }

    /// The stack with another activation after each layer but the last.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The stack with dropout after each activation, with probability `p`.
    ///
    /// # Errors
    ///
    /// If `p` is not in `[0, 1)`.
    pub fn with_dropout(mut self, p: f64) -> Result<Self, ConfigError> {
        Dropout::new(p, 0, 0, "")?;
        self.dropout = self.dropout.into_iter().map(|site| site.with_p(p)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The stack with each row of the output divided by its length.
    pub fn normalized(self) -> Self {
        Self { normalized: true, ..self }
    }
}

impl<B: RecommenderBackend> Mlp<B> {
    /// The layers' output; `None` for a key stands for inference, which drops nothing.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, first width]`
    /// - output: `[batch, last width]`
    ///
    /// # Panics
    ///
    /// If the input has another width.
    pub fn forward(&self, input: Tensor<B, 2>, key: Option<StepKey>) -> Tensor<B, 2> {
        self.rest(0, input, key)
    }

    /// As [`forward`](Self::forward), of rows of a table that is not trained: features such as tags or text.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), last width]`
    ///
    /// # Panics
    ///
    /// If the table has another width than the first layer has inputs, or an id is beyond it.
    pub fn forward_rows(
        &self,
        features: &EmbeddingTable<B>,
        ids: &[u32],
        key: Option<StepKey>,
    ) -> Tensor<B, 2> {
        let (activation, dropout) = self.after(0, key);
        let first = self.layers[0].forward_rows(features, ids, activation, dropout);
        self.rest(1, first, key)
    }

    fn rest(&self, first: usize, input: Tensor<B, 2>, key: Option<StepKey>) -> Tensor<B, 2> {
        let layers = self.layers.iter().enumerate().skip(first);
        let output = layers.fold(input, |x, (at, layer)| {
            let (activation, dropout) = self.after(at, key);
            layer.forward(x, activation, dropout, None)
        });
        if self.normalized { l2_normalize(output, LENGTH_EPSILON) } else { output }
    }

    /// What follows a layer: nothing, after the last.
    fn after(&self, layer: usize, key: Option<StepKey>) -> (Activation, Option<Dropout>) {
        match self.dropout.get(layer) {
            Some(site) => (self.activation, site.at(key)),
            None => (Activation::None, None),
        }
    }
}

pub(super) fn check_widths(path: &str, widths: &[usize]) -> Result<(), ConfigError> {
    if widths.len() >= 2 && !widths.contains(&0) {
        return Ok(());
    }
    Err(ConfigError {
        field: path.to_owned(),
        value: format!("{widths:?}"),
        expected: "two or more widths, none of them 0",
    })
}

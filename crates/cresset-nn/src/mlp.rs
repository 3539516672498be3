//! A stack of linear layers with `ReLU` between them.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;

use crate::{ConfigError, init};

/// Linear layers with `ReLU` after each but the last.
#[derive(Module, Debug)]
pub struct Mlp<B: Backend> {
    layers: Vec<Linear<B>>,
}

impl<B: Backend> Mlp<B> {
    /// Layers of the given widths, input first: `[64, 32, 1]` maps 64 values to 1 through 32.
    ///
    /// Weights and biases are uniform within `1 / sqrt(inputs)`, as in PyTorch's `Linear`, and a function of
    /// `seed` and `path` alone.
    ///
    /// # Errors
    ///
    /// If there are fewer than two widths, or one is 0.
    pub fn new(path: &str, widths: &[usize], seed: u64, device: &B::Device) -> Result<Self, ConfigError> {
        if widths.len() < 2 || widths.contains(&0) {
            let value = format!("{widths:?}");
            return Err(ConfigError {
                field: path.to_owned(),
                value,
                expected: "two or more widths, none of them 0",
            });
        }
        let layer =
            |(at, pair): (usize, &[usize])| linear(&format!("{path}.{at}"), [pair[0], pair[1]], seed, device);
        Ok(Self { layers: widths.windows(2).enumerate().map(layer).collect() })
    }

    /// The layers' output.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, first width]`
    /// - output: `[batch, last width]`
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(input, |x, (at, layer)| {
            let x = layer.forward(x);
            if at == last { x } else { relu(x) }
        })
    }
}

fn linear<B: Backend>(path: &str, [inputs, outputs]: [usize; 2], seed: u64, device: &B::Device) -> Linear<B> {
    let bound = 1.0 / (inputs as f32).sqrt();
    let weight = init::uniform(seed, &format!("{path}.weight"), [inputs, outputs], bound, device);
    let bias = init::uniform(seed, &format!("{path}.bias"), [outputs], bound, device);
    Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
}

//! Feed-forward experts, of which each row passes a few.

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor, TensorData};
use cresset_data::random::{standard_normal, stream};
use serde::{Deserialize, Serialize};

use super::routing::Routes;
use super::{FeedForward, Linear};
use crate::kernels::spec::Selection;
use crate::{Activation, ConfigError, Pooling, RecommenderBackend, StepKey};

/// Hyperparameters of a [`MixtureOfExperts`]; [`init`](Self::init) checks them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixtureOfExpertsConfig {
    /// Width of the rows, at least 1. Default: 64.
    pub d_model: usize,
    /// Width between an expert's two layers, at least 1. Default: 256.
    pub d_ff: usize,
    /// Width of the output, at least 1. Default: 64.
    pub d_out: usize,
    /// Experts, at least 1. Default: 3.
    pub n_experts: usize,
    /// Experts that each row passes, from 1 to `n_experts`. Default: 2.
    pub experts_per_token: usize,
    /// Chance that an element of an expert's layers is dropped, in `[0, 1)`. Default: 0.1.
    pub dropout: f64,
    /// Between an expert's two layers. Default: `gelu`.
    pub activation: Activation,
    /// Standard deviation of the normal noise that training adds to the router's logits, 0 or more. Default: 0.
    pub router_noise: f64,
}

impl Default for MixtureOfExpertsConfig {
    fn default() -> Self {
        Self {
            d_model: 64,
            d_ff: 256,
            d_out: 64,
            n_experts: 3,
            experts_per_token: 2,
            dropout: 0.1,
            activation: Activation::Gelu,
            router_noise: 0.0,
        }
    }
}

impl MixtureOfExpertsConfig {
    /// Checks every field against its documented range.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let at_least_1 = |field, value: usize| (field, value as f64, value > 0, "at least 1");
        let per_token = (1..=self.n_experts).contains(&self.experts_per_token);
        let noise = self.router_noise.is_finite() && self.router_noise >= 0.0;
        ConfigError::first_of(&[
            at_least_1("d_model", self.d_model),
            at_least_1("d_ff", self.d_ff),
            at_least_1("d_out", self.d_out),
            at_least_1("n_experts", self.n_experts),
            (
                "experts_per_token",
                self.experts_per_token as f64,
                per_token,
                "at least 1 and at most n_experts",
            ),
            ("dropout", self.dropout, (0.0..1.0).contains(&self.dropout), "a probability in [0, 1)"),
            ("router_noise", self.router_noise, noise, "0 or more"),
        ])
    }

    /// Experts with these hyperparameters, their weights drawn as those of [`Linear`].
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn init<B: Backend>(
        &self,
        path: &str,
        seed: u64,
        device: &B::Device,
    ) -> Result<MixtureOfExperts<B>, ConfigError> {
        self.validate()?;
        let expert = |at| {
            let widths = [self.d_model, self.d_ff, self.d_out];
            let expert = FeedForward::new(&format!("{path}.experts.{at}"), widths, seed, device)?;
            expert.with_activation(self.activation).with_dropout(self.dropout)
        };
        let router = format!("{path}.router");
        Ok(MixtureOfExperts {
            router: Linear::without_bias(&router, [self.d_model, self.n_experts], seed, device),
            experts: (0..self.n_experts).map(expert).collect::<Result<_, _>>()?,
            experts_per_token: self.experts_per_token,
            noise: self.router_noise as f32,
            noise_site: format!("noise/{router}"),
        })
    }
}

/// Feed-forward experts, of which each row passes those that a router gives the highest logits.
///
/// The experts' outputs are weighted by the router's probabilities, which are divided by their sum over the chosen
/// experts. Where a row passes one expert only, its probability itself is the weight: divided by itself it would be 1,
/// and the router would learn nothing from the output.
///
/// Which rows pass which expert is decided on the host, so the device is waited for once in every pass.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use cresset_nn::MixtureOfExpertsConfig;
///
/// let device = Default::default();
/// let config = MixtureOfExpertsConfig { d_model: 16, d_out: 8, ..MixtureOfExpertsConfig::default() };
/// let experts = config.init::<Flex>("retriever.experts", 42, &device)?;
/// let (output, statistics) = experts.forward(&Tensor::ones([5, 16], &device), None, None);
/// assert_eq!(output.dims(), [5, 8]);
/// assert_eq!(statistics.usage.dims(), [3]);
/// # Ok::<(), cresset_nn::ConfigError>(())
/// ```
///
/// # Source
///
/// Shazeer et al., ICLR 2017, section 2, <https://arxiv.org/abs/1701.06538>; one expert for each row: Fedus, Zoph and
/// Shazeer, JMLR 2022, section 2.1, <https://arxiv.org/abs/2101.03961>.
#[derive(Module, Debug)]
pub struct MixtureOfExperts<B: Backend> {
    router: Linear<B>,
    experts: Vec<FeedForward<B>>,
    #[module(skip)]
    experts_per_token: usize,
    #[module(skip)]
    noise: f32,
    #[module(skip)]
    noise_site: String,
}

/// What the router did with the rows of one pass, padding left out; all 0 where there is nothing else.
#[derive(Debug, Clone)]
pub struct RouterStatistics<B: Backend> {
    /// Each expert's share of the places that the rows took, `[experts]`, summing to 1; receives no gradient.
    pub usage: Tensor<B, 1>,
    /// Mean entropy of the router's probabilities, `[1]`, in nats: 0 where it is sure, `ln experts` where all are equal.
    pub entropy: Tensor<B, 1>,
    /// `experts` times the sum over experts of usage times mean probability, `[1]`: 1 where both are equal for all, up
    /// to `experts` where one takes everything. Its gradient goes through the probabilities.
    ///
    /// # Source
    ///
    /// Fedus, Zoph and Shazeer, JMLR 2022, equation 4 without alpha, <https://arxiv.org/abs/2101.03961>.
    pub load_balance_loss: Tensor<B, 1>,
}

impl<B: RecommenderBackend> MixtureOfExperts<B> {
    /// The weighted outputs of each row's experts, and what the router did; `None` for a key stands for inference,
    /// without noise and dropout.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, d_model]`
    /// - `mask_pad`: `[rows]`, true where there is padding, whose output is zero
    /// - output: `[rows, d_out]`
    ///
    /// # Panics
    ///
    /// If `x` has another width, or the mask another length.
    pub fn forward(
        &self,
        x: &Tensor<B, 2>,
        mask_pad: Option<&Tensor<B, 1, Bool>>,
        key: Option<StepKey>,
    ) -> (Tensor<B, 2>, RouterStatistics<B>) {
        let [n, _] = x.dims();
        if let Some(mask) = mask_pad {
            assert_eq!(mask.dims(), [n], "the mask has one value for each row");
        }
        let router_logits = self.router.forward(x.clone(), Activation::None, None, None);
        let router_logits = self.with_noise(router_logits, key);
        let routes = Routes::of(&router_logits, mask_pad, self.experts_per_token);
        let log_probabilities = log_softmax(router_logits, 1);
        let probabilities = log_probabilities.clone().exp();
        let statistics = statistics(&probabilities, log_probabilities, &routes);
        (self.combine(x, probabilities, &routes, key), statistics)
    }

    /// The logits with noise that is a function of the key and the router's path.
    fn with_noise(&self, router_logits: Tensor<B, 2>, key: Option<StepKey>) -> Tensor<B, 2> {
        let Some(StepKey { seed, step }) = key.filter(|_| self.noise > 0.0) else { return router_logits };
        let mut words = stream(seed, &self.noise_site, step);
        let [n, n_experts] = router_logits.dims();
        let noise: Vec<f32> = (0..n * n_experts).map(|_| self.noise * standard_normal(&mut words)).collect();
        let noise = Tensor::from_data(TensorData::new(noise, [n, n_experts]), &router_logits.device());
        router_logits + noise
    }

    fn combine(
        &self,
        x: &Tensor<B, 2>,
        probabilities: Tensor<B, 2>,
        routes: &Routes,
        key: Option<StepKey>,
    ) -> Tensor<B, 2> {
        let (n, device) = (x.dims()[0], x.device());
        // One after the other what each expert makes of its rows; an expert without rows has no part in the pass.
        let outputs: Vec<Tensor<B, 2>> = self
            .experts
            .iter()
            .zip(&routes.rows_of_expert)
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(expert, rows)| expert.forward(chosen_rows(x.clone(), rows), key, None))
            .collect();
        if outputs.is_empty() {
            return Tensor::zeros([n, self.d_out()], &device);
        }
        let outputs = Tensor::cat(outputs, 0) * gates(probabilities, routes, self.experts_per_token);
        let (offsets, entries) = routes.entries_of_rows();
        let bags = Selection::bags(&offsets, &entries, entries.len(), Pooling::Sum, &device);
        B::select_rows(outputs, &bags)
    }

    fn d_out(&self) -> usize {
        self.experts[0].d_out()
    }
}

/// The rows that pass an expert; all of them need not be gathered.
fn chosen_rows<B: RecommenderBackend>(x: Tensor<B, 2>, rows: &[u32]) -> Tensor<B, 2> {
    let [n, _] = x.dims();
    if rows.len() == n {
        return x;
    }
    let selection = Selection::one_each(rows, n, &x.device());
    B::select_rows(x, &selection)
}

/// The weight of each row at each of its experts, expert by expert, `[entries, 1]`.
fn gates<B: RecommenderBackend>(
    probabilities: Tensor<B, 2>,
    routes: &Routes,
    experts_per_token: usize,
) -> Tensor<B, 2> {
    let [n, n_experts] = probabilities.dims();
    let device = probabilities.device();
    let gates = if experts_per_token == 1 {
        probabilities
    } else {
        let chosen = TensorData::new(routes.chosen.clone(), [n, n_experts]);
        let chosen = probabilities * Tensor::from_data(chosen, &device);
        chosen.clone() / chosen.sum_dim(1)
    };
    let places = routes.places_of_entries();
    let selection = Selection::one_each(&places, n * n_experts, &device);
    B::select_rows(gates.reshape([n * n_experts, 1]), &selection)
}

fn statistics<B: Backend>(
    probabilities: &Tensor<B, 2>,
    log_probabilities: Tensor<B, 2>,
    routes: &Routes,
) -> RouterStatistics<B> {
    let [n, n_experts] = probabilities.dims();
    let device = probabilities.device();
    let weights: Tensor<B, 2> = Tensor::from_data(TensorData::new(routes.weights(), [n, 1]), &device);
    let usage = Tensor::from_data(TensorData::new(routes.usage(), [n_experts]), &device);
    let weighted = probabilities.clone() * weights;
    let mean: Tensor<B, 1> = weighted.clone().sum_dim(0).squeeze_dim(0);
    RouterStatistics {
        entropy: (weighted * log_probabilities).sum().neg(),
        load_balance_loss: (usage.clone() * mean).sum() * n_experts as f32,
        usage,
    }
}

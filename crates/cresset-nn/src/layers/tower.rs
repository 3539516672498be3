//! A tower over several features, of which those that repeat are multiplied once.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::linear::bound;
use super::mlp::LENGTH_EPSILON;
use super::{DropoutSite, Linear, Mlp, l2_normalize};
use crate::kernels::spec::{Epilogue, Selection};
use crate::{
    Activation, AutodiffRecommender, ConfigError, Dropout, GatheredRows, RecommenderBackend, StepKey, init,
};

/// One feature of the rows that pass a [`Tower`].
#[derive(Debug, Clone)]
pub struct TowerInput<B: Backend> {
    /// The feature's distinct values, `[n_distinct, width]`.
    pub rows: Tensor<B, 2>,
    /// For each row of the tower the feature's value, or the sum of several; `None` where they are one and the same.
    pub selection: Option<Selection<B>>,
}

impl<B: Backend> From<Tensor<B, 2>> for TowerInput<B> {
    /// A value for each row of the tower.
    fn from(rows: Tensor<B, 2>) -> Self {
        Self { rows, selection: None }
    }
}

impl<B: AutodiffRecommender> From<&GatheredRows<B>> for TowerInput<B> {
    /// The distinct rows of a table, looked up by the examples that they were gathered for.
    ///
    /// # Panics
    ///
    /// If the whole table was gathered, which knows no examples.
    fn from(rows: &GatheredRows<B>) -> Self {
        Self { rows: rows.leaf.clone(), selection: Some(rows.selection()) }
    }
}

/// An [`Mlp`] over several features side by side, whose first layer multiplies each feature's distinct values only.
///
/// The output is that of an [`Mlp`] over the concatenated features, with the same initial weights for the same seed
/// and path. The first layer's weight is held in parts, one for each feature: a category that a thousand items share
/// is multiplied by its part once, and the product is added to each of them.
///
/// Give the tower each distinct user or item of a batch once, and look examples up in its output: what repeats in a
/// batch then passes the whole tower once. Dropout follows from that, by definition: a mask belongs to a row of the
/// tower, so all examples of one user share the user's mask in a step.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::Tensor;
/// use cresset_data::UniqueRows;
/// use cresset_nn::{EmbeddingTable, RowIndex, Selection, StepKey, Tower, TowerInput};
///
/// type B = Autodiff<Flex>;
/// let device = Default::default();
/// let items = EmbeddingTable::<B>::normal("items", [100, 16], 0.1, 42, &device);
/// let categories = EmbeddingTable::<B>::normal("categories", [5, 8], 0.1, 42, &device);
/// let tower = Tower::<B>::new("item_tower", &[16, 8], &[32, 16], 42, &device)?.with_dropout(0.1)?;
///
/// let category_of = |item: u32| item % 5;
/// let batch = UniqueRows::of(&[7, 12, 3, 7]); // 7 twice, and 7 and 12 of one category
/// let category_ids: Vec<u32> = batch.ids.iter().map(|&item| category_of(item)).collect();
/// let items = items.gather(&RowIndex::new(&batch, &device));
/// let categories = categories.gather(&RowIndex::new(&UniqueRows::of(&category_ids), &device));
/// let inputs = vec![TowerInput::from(items.leaf.clone()), TowerInput::from(&categories)];
/// let distinct = tower.forward(inputs, Some(StepKey { seed: 42, step: 0 }));
/// assert_eq!(distinct.dims(), [3, 16]);
/// # Ok::<(), cresset_nn::ConfigError>(())
/// ```
#[derive(Module, Debug)]
pub struct Tower<B: Backend> {
    // Parts of the first layer's weight.
    features: Vec<Linear<B>>,
    bias: Param<Tensor<B, 1>>,
    upper: Option<Mlp<B>>,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    dropout: DropoutSite,
    #[module(skip)]
    normalized: bool,
}

impl<B: Backend> Tower<B> {
    /// A tower over features of the given widths, with layers of `widths`, the output last.
    ///
    /// Between layers stands `ReLU` and nothing is dropped, unless told otherwise.
    ///
    /// # Errors
    ///
    /// If there is no feature or no layer, or a width is 0.
    pub fn new(
        path: &str,
        feature_widths: &[usize],
        widths: &[usize],
        seed: u64,
        device: &B::Device,
    ) -> Result<Self, ConfigError> {
        check(path, feature_widths, widths)?;
        let layers = [&[feature_widths.iter().sum()], widths].concat();
        let (inputs, outputs) = (layers[0], layers[1]);
        let first = format!("{path}.0");
        let bias = init::uniform(seed, &format!("{first}.bias"), [outputs], bound(inputs), device);
        Ok(Self {
            features: first_layer(&first, feature_widths, outputs, seed, device),
            bias: Param::from_tensor(bias),
            upper: (widths.len() > 1).then(|| Mlp::from_layer(path, &layers, 1, seed, device)),
            activation: Activation::Relu,
            dropout: DropoutSite::off(first),
            normalized: false,
        })
    }

    /// The tower with another activation after each layer but the last.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, upper: self.upper.map(|upper| upper.with_activation(activation)), ..self }
    }

    /// The tower with dropout after each activation, with probability `p`.
    ///
    /// # Errors
    ///
    /// If `p` is not in `[0, 1)`.
    pub fn with_dropout(self, p: f64) -> Result<Self, ConfigError> {
        Dropout::new(p, 0, 0, "")?;
        let upper = self.upper.map(|upper| upper.with_dropout(p)).transpose()?;
        Ok(Self { dropout: self.dropout.with_p(p)?, upper, ..self })
    }

    /// The tower with each row of the output divided by its length.
    pub fn normalized(self) -> Self {
        Self { normalized: true, ..self }
    }
}

impl<B: RecommenderBackend> Tower<B> {
    /// The tower's output for each of its rows; `None` for a key stands for inference, which drops nothing.
    ///
    /// # Shapes
    ///
    /// - inputs: the features in order, each with a value for each of `n` rows
    /// - output: `[n, last width]`
    ///
    /// # Panics
    ///
    /// If there is not one input for each feature, or one has another width or number of rows.
    pub fn forward(&self, inputs: Vec<TowerInput<B>>, key: Option<StepKey>) -> Tensor<B, 2> {
        let sum = self.first_sum(inputs);
        let bias = Some(self.bias.val());
        let output = match &self.upper {
            None => B::epilogue(sum, Epilogue { bias, ..Epilogue::default() }),
            Some(upper) => {
                let dropout = self.dropout.at(key);
                let epilogue = Epilogue { bias, activation: self.activation, dropout, residual: None };
                upper.forward(B::epilogue(sum, epilogue), key)
            }
        };
        if self.normalized { l2_normalize(output, LENGTH_EPSILON) } else { output }
    }

    /// The first layer without its bias.
    fn first_sum(&self, inputs: Vec<TowerInput<B>>) -> Tensor<B, 2> {
        assert_eq!(inputs.len(), self.features.len(), "one input for each feature");
        let sum = self.features.iter().zip(inputs).fold(None, |sum: Option<Tensor<B, 2>>, (layer, input)| {
            let n =
                input.selection.as_ref().map_or(input.rows.dims()[0], |selection| selection.matrix.n_rows);
            let n_before = sum.as_ref().map_or(n, |sum| sum.dims()[0]);
            assert_eq!(n, n_before, "each feature has a value for each row of the tower");
            let Some(selection) = input.selection else {
                return Some(layer.forward(input.rows, Activation::None, None, sum));
            };
            let products = layer.forward(input.rows, Activation::None, None, None);
            let part = B::select_rows(products, &selection);
            Some(match sum {
                None => part,
                Some(sum) => sum + part,
            })
        });
        sum.expect("a tower has features")
    }
}

fn check(path: &str, feature_widths: &[usize], widths: &[usize]) -> Result<(), ConfigError> {
    let has_both = !feature_widths.is_empty() && !widths.is_empty();
    if has_both && !feature_widths.contains(&0) && !widths.contains(&0) {
        return Ok(());
    }
    Err(ConfigError {
        field: path.to_owned(),
        value: format!("{feature_widths:?} to {widths:?}"),
        expected: "one or more features and layers, none of width 0",
    })
}

/// The weight of a layer over all features, drawn whole and cut.
fn first_layer<B: Backend>(
    path: &str,
    feature_widths: &[usize],
    outputs: usize,
    seed: u64,
    device: &B::Device,
) -> Vec<Linear<B>> {
    let inputs: usize = feature_widths.iter().sum();
    let weight: Tensor<B, 2> =
        init::uniform(seed, &format!("{path}.weight"), [inputs, outputs], bound(inputs), device);
    let part = |start: &mut usize, &width: &usize| {
        let rows = weight.clone().narrow(0, *start, width).into_data();
        *start += width;
        // From data, so that a part does not hold on to the whole.
        Some(Linear::from_tensors(Tensor::from_data(rows, device), None))
    };
    feature_widths.iter().scan(0, part).collect()
}

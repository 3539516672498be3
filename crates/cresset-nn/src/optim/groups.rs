//! Parameter groups: tables and dense parameters that learn at a rate of their own, or stand still together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::state::shapes;
use super::{DENSE, ROWS};
use crate::{AutodiffRecommender, ConfigError, TrainModel};

/// Tables and dense parameters that go by one name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterGroup {
    /// What strategies and messages call it.
    pub name: String,
    /// Names of tables (`user_embedding`) and paths of dense parameters (`tower.layers.0.weight`), where `*` stands
    /// for any text. Without any, the group is the one of this name that the model offers.
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Its own learning rate, above 0; `None` is that of the run.
    #[serde(default)]
    pub learning_rate: Option<f64>,
    /// Its own weight decay, at least 0; `None` is that of the rule.
    #[serde(default)]
    pub weight_decay: Option<f64>,
}

/// What the group of all parameters that no other group names is called.
pub const REST: &str = "rest";

/// The groups of one model: each table and each dense parameter is in exactly one of them.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// # use burn::module::Module;
/// # use burn::tensor::backend::Backend;
/// # use cresset_data::UniqueRows;
/// use cresset_nn::optim::{Groups, Optimizer, OptimizerConfig, ParameterGroup};
/// # use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, RowIndex, StepKey, TrainModel};
/// # #[derive(Module, Debug)]
/// # struct Films<B: Backend> { films: EmbeddingTable<B>, bias: EmbeddingTable<B> }
/// # impl<B: AutodiffRecommender> TrainModel<B> for Films<B> {
/// #     type Batch = Vec<u32>;
/// #     fn forward_loss(&self, films: &Vec<u32>, _key: StepKey) -> ForwardPass<B> {
/// #         let index = RowIndex::new(&UniqueRows::of(films), &self.films.device());
/// #         let rows = vec![self.films.gather(&index), self.bias.gather(&index)];
/// #         let loss = (rows[0].per_example().sum_dim(1) + rows[1].per_example()).powi_scalar(2).mean();
/// #         ForwardPass { terms: vec![("loss", loss)], n_examples: films.len(), rows }
/// #     }
/// #     fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> { vec![&mut self.films, &mut self.bias] }
/// # }
/// # let device = Default::default();
/// # let films = EmbeddingTable::normal("films", [9, 2], 1.0, 42, &device);
/// # let mut model = Films::<Autodiff<Flex>> { films, bias: EmbeddingTable::zeros("bias", [9, 1], &device) };
///
/// let slow = ParameterGroup::new("slow", &["film*"]);
/// let groups = Groups::of(&mut model, &[slow])?;
/// assert_eq!(groups.names().collect::<Vec<_>>(), ["slow", "rest"]);
///
/// let mut optimizer = Optimizer::new(OptimizerConfig::default()).with_groups(groups);
/// let gradients = model.forward_loss(&vec![1, 2], StepKey::default()).backward(&model);
/// // The films learn at 0.001, and their biases stand still.
/// let model = optimizer.apply_by_group(model, gradients, &[Some(0.001), None]);
/// # assert_eq!(model.bias.weight().abs().into_data().iter::<f32>().sum::<f32>(), 0.0);
/// # Ok::<(), cresset_nn::optim::GroupError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// The rest comes last.
    groups: Vec<ParameterGroup>,
    /// The group of each key; what is not here is in the rest.
    places: BTreeMap<String, usize>,
}

/// Groups that do not fit a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GroupError {
    /// A pattern that is nobody's name.
    #[error("`{pattern}` of group {group} matches no parameter, expected some of: {known}")]
    NoMatch {
        /// The group.
        group: String,
        /// The pattern.
        pattern: String,
        /// Every table and parameter there is.
        known: String,
    },
    /// A group whose parameters earlier groups have all taken.
    #[error("group {group} is left with no parameter, for earlier groups name them all; put it before them")]
    Empty {
        /// The group.
        group: String,
    },
    /// A name that two groups have, or that is kept for the rest.
    #[error("group {group} is there already; give this one another name")]
    Taken {
        /// The group.
        group: String,
    },
    /// A group without patterns that the model does not offer.
    #[error("group {group} names no parameters, and the model offers {known}; list some under `parameters`")]
    Unknown {
        /// The group.
        group: String,
        /// The groups that the model offers.
        known: String,
    },
}

impl ParameterGroup {
    /// A group of what the patterns match, with the learning rate and weight decay of the run.
    pub fn new(name: &str, patterns: &[&str]) -> Self {
        let parameters = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        Self { name: name.to_owned(), parameters, ..Self::default() }
    }

    /// Checks its numbers against their documented ranges.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (rate, decay) = (self.learning_rate.unwrap_or(1.0), self.weight_decay.unwrap_or(0.0));
        let is_rate = rate > 0.0 && rate.is_finite();
        ConfigError::first_of(&[
            ("learning_rate", rate, is_rate, "a finite number above 0, or null for training.learning_rate"),
            (
                "weight_decay",
                decay,
                (0.0..f64::INFINITY).contains(&decay),
                "a finite number of at least 0, or null",
            ),
        ])
    }
}

impl Default for Groups {
    /// One group, of everything.
    fn default() -> Self {
        Self { groups: vec![ParameterGroup::new(REST, &[])], places: BTreeMap::new() }
    }
}

impl Groups {
    /// The given groups, after them those that the model offers and nobody gave, and the rest.
    ///
    /// Where patterns of several groups match a parameter, the first group has it.
    ///
    /// # Errors
    ///
    /// A pattern that matches nothing, a group that is left with nothing, or a name that is taken.
    pub fn of<B, M>(model: &mut M, given: &[ParameterGroup]) -> Result<Self, GroupError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let offered = model.parameter_groups();
        let keys: Vec<String> = shapes(model).into_iter().map(|(key, _)| key).collect();
        let mut groups = Self { groups: vec![], places: BTreeMap::new() };
        for group in given {
            let group = completed(group, &offered)?;
            let (name, before) = (group.name.clone(), groups.places.len());
            groups.take(group, &keys)?;
            if groups.places.len() == before {
                return Err(GroupError::Empty { group: name });
            }
        }
        let given: BTreeSet<&str> = given.iter().map(|group| group.name.as_str()).collect();
        for group in offered.into_iter().filter(|group| !given.contains(group.name.as_str())) {
            let before = groups.places.len();
            groups.take(group, &keys)?;
            // Nobody asked for it, so that it may as well be left out.
            if groups.places.len() == before {
                groups.groups.pop();
            }
        }
        groups.groups.push(ParameterGroup::new(REST, &[]));
        Ok(groups)
    }

    fn take(&mut self, group: ParameterGroup, keys: &[String]) -> Result<(), GroupError> {
        if group.name == REST || self.place(&group.name).is_some() {
            return Err(GroupError::Taken { group: group.name });
        }
        let place = self.groups.len();
        for pattern in &group.parameters {
            let mut matching = keys.iter().filter(|key| matches(pattern, name_of(key))).peekable();
            if matching.peek().is_none() {
                let known = keys.iter().map(|key| name_of(key)).collect::<Vec<_>>().join(", ");
                return Err(GroupError::NoMatch { group: group.name, pattern: pattern.clone(), known });
            }
            for key in matching {
                self.places.entry(key.clone()).or_insert(place);
            }
        }
        self.groups.push(group);
        Ok(())
    }

    /// Their names in order, the rest last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// The place of a group in that order.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names().position(|known| known == name)
    }

    /// The groups in that order.
    pub fn as_slice(&self) -> &[ParameterGroup] {
        &self.groups
    }

    /// The place of the group that a key of the optimiser's state is in.
    pub(super) fn place_of_key(&self, key: &str) -> usize {
        self.places.get(key).copied().unwrap_or(self.groups.len() - 1)
    }
}

/// The group with the patterns of the model's own group of that name, where it has none.
fn completed(group: &ParameterGroup, offered: &[ParameterGroup]) -> Result<ParameterGroup, GroupError> {
    if !group.parameters.is_empty() {
        return Ok(group.clone());
    }
    let Some(own) = offered.iter().find(|own| own.name == group.name) else {
        let names: Vec<&str> = offered.iter().map(|own| own.name.as_str()).collect();
        let known =
            if names.is_empty() { "no groups".to_owned() } else { format!("only {}", names.join(", ")) };
        return Err(GroupError::Unknown { group: group.name.clone(), known });
    };
    Ok(ParameterGroup { parameters: own.parameters.clone(), ..group.clone() })
}

/// The name of a table or the path of a parameter.
fn name_of(key: &str) -> &str {
    key.strip_prefix(ROWS).or_else(|| key.strip_prefix(DENSE)).unwrap_or(key)
}

/// Whether `name` is `pattern`, in which each `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(left) = name.strip_prefix(start) else { return false };
    let ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
    rest.is_empty() || ends.into_iter().any(|at| matches(rest, &left[at..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text_and_everything_else_for_itself() {
        for (pattern, name, expected) in [
            ("user", "user", true),
            ("user", "users", false),
            ("user*", "user_embedding", true),
            ("user*", "user", true),
            ("*.bias", "tower.layers.0.bias", true),
            ("*.bias", "tower.layers.0.bias.more", false),
            ("tower.*.weight", "tower.layers.0.weight", true),
            ("tower.*.weight", "towers.0.weight", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*", "", true),
            ("", "", true),
            ("é*", "été", true),
            ("tower.layers.0.weight", "towerXlayersX0Xweight", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}

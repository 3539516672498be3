//! Groups of parameters: who is in which, who moves, and what they are told when they do not fit.

use cresset_nn::optim::{GroupError, Groups, Optimizer, ParameterGroup};
use cresset_nn::weights::named_tensors;
use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, StepKey, TrainModel};

use crate::models::{Cpu, Pulls, Tower, every_rule, train};

fn batches() -> [Pulls; 3] {
    [Pulls::new(&[0, 1, 0], &[1., -1., 0.5]), Pulls::new(&[2, 4], &[-0.5, 0.5]), Pulls::new(&[1], &[2.])]
}

fn group(name: &str, patterns: &[&str]) -> ParameterGroup {
    ParameterGroup::new(name, patterns)
}

fn groups(given: &[ParameterGroup]) -> Result<Groups, GroupError> {
    Groups::of::<Cpu, _>(&mut Tower::new(1), given)
}

/// The model after three steps with these rates, the rest last.
fn trained(optimizer: &mut Optimizer<Cpu>, rates: &[Option<f64>]) -> Tower<Cpu> {
    batches().iter().fold(Tower::new(1), |model, batch| {
        let gradients = model.forward_loss(batch, StepKey::default()).backward(&model);
        optimizer.apply_by_group(model, gradients, rates)
    })
}

#[test]
fn groups_at_one_rate_move_as_no_groups_do() {
    for rule in every_rule() {
        let plain = train(&mut Optimizer::new(rule.clone()), Tower::new(1), &batches());
        let given = [group("table", &["films"]), group("biases", &["*.bias"])];
        let mut optimizer = Optimizer::new(rule).with_groups(groups(&given).unwrap());
        let grouped = trained(&mut optimizer, &[Some(0.1); 3]);
        assert_eq!(named_tensors(&grouped), named_tensors(&plain));
        assert_eq!(optimizer.group_steps(), [3, 3, 3]);
    }
}

#[test]
fn a_group_without_a_rate_keeps_its_bits_and_remembers_nothing() {
    for rule in every_rule() {
        let mut optimizer = Optimizer::new(rule).with_groups(groups(&[group("table", &["films"])]).unwrap());
        let before = named_tensors(&Tower::<Cpu>::new(1));
        let after = named_tensors(&trained(&mut optimizer, &[None, Some(0.1)]));
        assert_eq!(after["films.weight"], before["films.weight"]);
        assert_ne!(after["layers.layers.0.weight"], before["layers.layers.0.weight"]);
        assert!(!optimizer.state().keys().any(|key| key.starts_with("rows/")));
        assert_eq!((optimizer.group_steps(), optimizer.steps_taken()), (&[0, 3][..], 3));
    }
}

#[test]
fn what_stands_still_is_no_part_of_the_norm_that_gradients_are_held_to() {
    let rule = every_rule().remove(0);
    let mut alone = Optimizer::new(rule.clone()).with_groups(groups(&[group("table", &["films"])]).unwrap());
    trained(&mut alone, &[None, Some(0.1)]);
    let mut still = Optimizer::new(rule).with_groups(groups(&[group("table", &["films"])]).unwrap());
    trained(&mut still, &[None, None]);
    assert!(alone.gradient_norm().unwrap() > 0.0);
    assert_eq!(still.gradient_norm(), Ok(0.0));
}

#[test]
fn the_first_group_whose_pattern_matches_has_the_parameter() {
    let given = [group("biases", &["*.bias"]), group("layers", &["layers.*"]), group("all", &["*"])];
    let mut optimizer = Optimizer::new(every_rule().remove(0)).with_groups(groups(&given).unwrap());
    let before = named_tensors(&Tower::<Cpu>::new(1));
    let after = named_tensors(&trained(&mut optimizer, &[None, Some(0.1), None, None]));
    for (name, value) in &before {
        let moves = name.starts_with("layers.") && name.ends_with(".weight");
        assert_eq!(after[name] != *value, moves, "{name}");
    }
}

#[test]
fn forgetting_is_to_begin_again_with_the_weights_there_are() {
    for rule in every_rule() {
        let mut optimizer = Optimizer::new(rule.clone());
        let model = train(&mut optimizer, Tower::new(1), &batches());
        optimizer.forget();
        assert!(optimizer.state().is_empty());
        let fresh = train(&mut Optimizer::new(rule), model.clone(), &batches());
        let forgot = train(&mut optimizer, model, &batches());
        assert_eq!(named_tensors(&forgot), named_tensors(&fresh));
        assert_eq!(optimizer.steps_taken(), 6);
    }
}

#[track_caller]
fn check_refused(given: &[ParameterGroup], expected: &str) {
    assert_eq!(groups(given).unwrap_err().to_string(), expected);
}

#[test]
fn a_pattern_that_matches_nothing_is_told_what_there_is() {
    check_refused(
        &[group("towers", &["tower.*"])],
        "`tower.*` of group towers matches no parameter, expected some of: films, layers.layers.0.weight, \
         layers.layers.0.bias, layers.layers.1.weight, layers.layers.1.bias, spare.layers.0.weight, spare.layers.0.bias",
    );
}

#[test]
fn a_group_that_is_left_with_nothing_or_has_anothers_name_is_refused() {
    check_refused(
        &[group("all", &["*"]), group("table", &["films"])],
        "group table is left with no parameter, for earlier groups name them all; put it before them",
    );
    let taken = "group table is there already; give this one another name";
    check_refused(&[group("table", &["films"]), group("table", &["layers.*"])], taken);
    check_refused(&[group("rest", &["films"])], "group rest is there already; give this one another name");
    check_refused(
        &[group("table", &[])],
        "group table names no parameters, and the model offers no groups; list some under `parameters`",
    );
}

/// A model that offers groups of its own.
#[derive(burn::module::Module, Debug)]
struct Offering<B: burn::tensor::backend::Backend> {
    tower: Tower<B>,
}

impl<B: AutodiffRecommender> TrainModel<B> for Offering<B> {
    type Batch = Pulls;

    fn forward_loss(&self, batch: &Pulls, key: StepKey) -> ForwardPass<B> {
        self.tower.forward_loss(batch, key)
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        self.tower.tables_mut()
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        vec![group("table", &["films"]), group("layers", &["tower.layers.*"])]
    }
}

#[test]
fn groups_of_the_model_come_after_those_that_are_given_and_lend_them_their_parameters() {
    let offering = || Offering::<Cpu> { tower: Tower::new(1) };
    let names = |given: &[ParameterGroup]| {
        let groups = Groups::of(&mut offering(), given)?;
        Ok::<_, GroupError>(groups.names().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names(&[]).unwrap(), "table layers rest");
    assert_eq!(names(&[group("biases", &["*.bias"])]).unwrap(), "biases table layers rest");
    let slow = ParameterGroup { learning_rate: Some(0.01), ..group("layers", &[]) };
    let groups = Groups::of(&mut offering(), std::slice::from_ref(&slow)).unwrap();
    assert_eq!(groups.names().collect::<Vec<_>>(), ["layers", "table", "rest"]);
    let layers = &groups.as_slice()[0];
    assert_eq!(
        (layers.learning_rate, layers.parameters.as_slice()),
        (Some(0.01), &["tower.layers.*".to_owned()][..])
    );
    // What the model offers and somebody else took altogether is not there.
    assert_eq!(names(&[group("mine", &["films"])]).unwrap(), "mine layers rest");
    let unknown = names(&[group("towers", &[])]).unwrap_err().to_string();
    assert!(
        unknown.ends_with("the model offers only table, layers; list some under `parameters`"),
        "{unknown}"
    );
}

#[test]
fn numbers_of_a_group_outside_their_ranges_are_named() {
    let check = |group: ParameterGroup, expected: &str| {
        assert_eq!(group.validate().unwrap_err().to_string(), expected);
    };
    let slow = || group("slow", &["*"]);
    assert_eq!(slow().validate(), Ok(()));
    let rate = "a finite number above 0, or null for training.learning_rate";
    check(
        ParameterGroup { learning_rate: Some(0.0), ..slow() },
        &format!("learning_rate = 0, expected {rate}"),
    );
    check(
        ParameterGroup { weight_decay: Some(-1.0), ..slow() },
        "weight_decay = -1, expected a finite number of at least 0, or null",
    );
}

#[test]
fn norms_are_told_of_all_that_was_to_learn_and_are_zero_where_the_loss_does_not_reach() {
    let mut optimizer =
        Optimizer::new(every_rule().remove(0)).with_groups(groups(&[group("table", &["films"])]).unwrap());
    let mut model = trained(&mut optimizer, &[Some(0.1), Some(0.1)]);
    let norms = optimizer.gradient_norms(&mut model);
    let squares: f32 = norms.iter().map(|(_, norm)| norm * norm).sum();
    assert!((squares.sqrt() - optimizer.gradient_norm().unwrap()).abs() < 1e-5, "{norms:?}");
    for (name, norm) in &norms {
        assert_eq!(*norm == 0.0, name.starts_with("spare."), "{name}: {norm}");
    }
    let mut still =
        Optimizer::new(every_rule().remove(0)).with_groups(groups(&[group("table", &["films"])]).unwrap());
    let mut model = trained(&mut still, &[None, Some(0.1)]);
    let names: Vec<String> = still.gradient_norms(&mut model).into_iter().map(|(name, _)| name).collect();
    assert!(!names.contains(&"films".to_owned()) && names.len() + 1 == norms.len(), "{names:?}");
    assert!(Optimizer::<Cpu>::new(every_rule().remove(0)).gradient_norms(&mut model).is_empty());
}

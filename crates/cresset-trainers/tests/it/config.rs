//! Strict configs: what is taken, in which order, and the sentence that each mistake gets.

use std::fs;

use cresset_nn::ConfigError;
use cresset_trainers::config::{
    ALIASES, Alias, ConfigFileError, ModelSection, RunConfig, changed_keys, load,
};
use serde::{Deserialize, Serialize};
use tempfile::tempdir;

/// Two kinds of model, as a program composes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum AnyModel {
    Small(Small),
    Plain(Plain),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Small {
    embedding_dim: usize,
    dropout: f64,
    part: Option<Part>,
}

/// Off unless the config has its section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Part {
    width: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { width: 3 }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Plain {}

impl Default for Small {
    fn default() -> Self {
        Self { embedding_dim: 8, dropout: 0.1, part: None }
    }
}

impl ModelSection for AnyModel {
    const KINDS: &'static [&'static str] = &["small", "plain"];

    fn defaults(kind: &str) -> Option<Self> {
        match kind {
            "small" => Some(Self::Small(Small::default())),
            "plain" => Some(Self::Plain(Plain::default())),
            _ => None,
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Small(small) => {
                let dropout = small.dropout;
                let allowed = (0.0..1.0).contains(&dropout);
                ConfigError::first_of(&[("dropout", dropout, allowed, "at least 0 and below 1")])
            }
            Self::Plain(_) => Ok(()),
        }
    }
}

type Loaded = Result<RunConfig<AnyModel>, ConfigFileError>;

/// Loads `text` from a file `run.yaml`.
fn load_text(text: impl AsRef<[u8]>, sets: &[&str]) -> (Loaded, String) {
    let folder = tempdir().unwrap();
    let file = folder.path().join("run.yaml");
    fs::write(&file, text).unwrap();
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    (load(&file, &sets), format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR))
}

fn loaded(text: &str, sets: &[&str]) -> RunConfig<AnyModel> {
    load_text(text, sets).0.unwrap()
}

/// The message, the file's folder cut away.
fn failure(text: impl AsRef<[u8]>, sets: &[&str]) -> String {
    let (result, folder) = load_text(text, sets);
    result.unwrap_err().to_string().replace(&folder, "")
}

const SMALL: &str = "model: {kind: small}\n";

/// The failure of a config that is right but for these lines.
fn check(lines: &str, expected: &str) {
    assert_eq!(failure(format!("{SMALL}{lines}"), &[]), expected);
}

/// The failure of a right config with one `--set`.
fn check_set(set: &str, expected: &str) {
    assert_eq!(failure(SMALL, &[set]), format!("--set {set}{expected}"));
}

fn defaults() -> RunConfig<AnyModel> {
    RunConfig::defaults(AnyModel::Small(Small::default()))
}

#[test]
fn what_is_not_given_is_at_its_default() {
    assert_eq!(loaded(SMALL, &[]), defaults());
}

#[test]
fn an_empty_section_is_one_at_its_defaults() {
    assert_eq!(loaded("model: {kind: small}\ntraining:\ndata: {}\noutput: null\n", &[]), defaults());
    assert_eq!(loaded(&format!("{SMALL}training: {{epochs: 3}}"), &["training="]).training.epochs, 3);
}

#[test]
fn a_section_that_is_off_by_default_is_on_when_it_is_there_and_off_again_with_null() {
    let part = |text: &str, sets: &[&str]| match loaded(text, sets).model {
        AnyModel::Small(small) => small.part.map(|part| part.width),
        AnyModel::Plain(_) => None,
    };
    assert_eq!(part(SMALL, &[]), None);
    assert_eq!(part("model: {kind: small, part: {}}", &[]), Some(3));
    assert_eq!(part(SMALL, &["model.part.width=7"]), Some(7));
    assert_eq!(part("model: {kind: small, part: {width: 5}}", &["model.part={}"]), Some(5));
    assert_eq!(part("model: {kind: small, part: {width: 5}}", &["model.part=null"]), None);
    assert_eq!(
        part("model: {kind: small, part: {width: 5}}", &["model.part=null", "model.part.width=9"]),
        Some(9)
    );
}

#[test]
fn a_set_goes_over_the_file_and_the_file_over_the_default() {
    let text = "model: {kind: small, embedding_dim: 16}\ntraining: {epochs: 5, batch_size: 7}";
    let config = loaded(text, &["training.epochs=9", "training.optimizer.kind=sgd", "training.epochs=11"]);
    assert_eq!((config.training.epochs, config.training.batch_size), (11, 7));
    assert_eq!(config.training.seed, defaults().training.seed);
    assert_eq!(config.training.optimizer.kind, cresset_nn::optim::OptimizerKind::Sgd);
    assert_eq!(config.model, AnyModel::Small(Small { embedding_dim: 16, dropout: 0.1, part: None }));
}

#[test]
fn a_set_takes_lists_sections_nulls_and_the_kind_of_model() {
    let config = loaded(
        SMALL,
        &[
            "evaluation.k=[5, 20]",
            "training={patience: null, epochs: 2}",
            "output.note=a = b",
            "model.kind=plain",
        ],
    );
    assert_eq!(config.evaluation.k, [5, 20]);
    assert_eq!((config.training.patience, config.training.epochs), (None, 2));
    assert_eq!(config.output.note, "a = b");
    assert_eq!(config.model, AnyModel::Plain(Plain {}));
}

#[test]
fn every_alias_stands_for_its_key_in_files_and_sets() {
    // The small model lacks what these two stand for.
    let is_here = |alias: &&Alias| !["data.emb_dim", "data.neg_ratio"].contains(&alias.name);
    for alias in ALIASES.iter().filter(is_here) {
        let value = if alias.means == "data.name" { "films" } else { "7" };
        let (section, name) = alias.name.split_once('.').unwrap();
        let text = format!("model:\n  kind: small\n{section}:\n  {name}: {value}\n");
        let text = text.replace("  kind: small\nmodel:\n", "  kind: small\n");
        let canonical = loaded(SMALL, &[&format!("{}={value}", alias.means)]);
        assert_eq!(loaded(&text, &[]), canonical, "{alias:?}");
        assert_eq!(loaded(SMALL, &[&format!("{}={value}", alias.name)]), canonical, "{alias:?}");
        assert_ne!(canonical, defaults(), "{alias:?} changes nothing");
    }
}

#[test]
fn an_alias_in_a_set_goes_over_its_key_in_the_file_and_the_other_way_round() {
    let epochs = |text: &str, set| loaded(&format!("{SMALL}{text}"), &[set]).training.epochs;
    assert_eq!(epochs("training: {epochs: 5}", "training.num_epochs=9"), 9);
    assert_eq!(epochs("training: {num_epochs: 5}", "training.epochs=9"), 9);
}

#[test]
fn a_key_and_its_alias_in_one_place_are_refused_unless_they_agree() {
    assert_eq!(loaded(&format!("{SMALL}training: {{epochs: 3, num_epochs: 3}}"), &[]).training.epochs, 3);
    check(
        "training: {epochs: 3, num_epochs: 4}",
        "run.yaml: `training.num_epochs` is another name of `training.epochs`, which is given too; keep one of them",
    );
    check_set(
        "model={emb_dim: 1, embedding_dim: 2}",
        ": `model.emb_dim` is another name of `model.embedding_dim`, which is given too; keep one of them",
    );
}

#[test]
fn an_unknown_key_of_any_section_is_named_with_the_nearest_known_one() {
    check(
        "data: {valid_ration: 0.1}",
        "run.yaml: unknown key `data.valid_ration`, did you mean `valid_ratio`?",
    );
    check(
        "data: {synthetic: {n_user: 5}}",
        "run.yaml: unknown key `data.synthetic.n_user`, did you mean `n_users`?",
    );
    check("training: {epoch: 3}", "run.yaml: unknown key `training.epoch`, did you mean `epochs`?");
    check(
        "training: {learning_rat: 3}",
        "run.yaml: unknown key `training.learning_rat`, did you mean `learning_rate`?",
    );
    check(
        "training: {optimizer: {beta1: 3}}",
        "run.yaml: unknown key `training.optimizer.beta1`, did you mean `beta_1`?",
    );
    check(
        "evaluation: {relevant: 3}",
        "run.yaml: unknown key `evaluation.relevant`, did you mean `relevant_rating`?",
    );
    check("output: {plot: false}", "run.yaml: unknown key `output.plot`, did you mean `plots`?");
    check("trainig: {epochs: 3}", "run.yaml: unknown key `trainig`, did you mean `training`?");
    assert_eq!(
        failure("model: {kind: small, emb_din: 3}", &[]),
        "run.yaml: unknown key `model.emb_din`, did you mean `emb_dim`?"
    );
}

#[test]
fn a_key_in_the_wrong_section_is_named_with_the_right_one() {
    check("epochs: 3", "run.yaml: unknown key `epochs`, did you mean `training.epochs`?");
    check(
        "data: {learning_rate: 3}",
        "run.yaml: unknown key `data.learning_rate`, did you mean `training.learning_rate`?",
    );
    check("kind: small", "run.yaml: unknown key `kind`, did you mean `model.kind`?");
}

#[test]
fn an_unknown_key_that_is_like_no_other_is_to_be_removed() {
    check("output: {zzz: 1}", "run.yaml: unknown key `output.zzz`; remove it");
    check("7: 1", "run.yaml: unknown key `7`; remove it");
}

#[test]
fn a_key_of_another_kind_of_model_is_unknown() {
    assert_eq!(
        failure("model: {kind: plain, dropout: 0.5}", &[]),
        "run.yaml: unknown key `model.dropout`; remove it"
    );
}

#[test]
fn an_unknown_key_in_a_set_names_the_set() {
    check_set("training.epoch=3", ": unknown key `training.epoch`, did you mean `epochs`?");
    check_set(
        "training.epochs.more=3",
        ": `training.epochs` is a section: invalid type: map, expected u64; the default is `20`",
    );
}

#[test]
fn a_set_without_key_or_value_is_refused() {
    check_set("training.epochs", ": expected key=value, such as training.epochs=3");
    check_set("=3", ": expected key=value, such as training.epochs=3");
    check_set(
        "training.epochs=",
        ": `training.epochs` is empty: invalid type: unit value, expected u64; the default is `20`",
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_key_and_default() {
    check(
        "training: {epochs: many}",
        "run.yaml: `training.epochs` is `many`: invalid type: string \"many\", expected u64; the default is `20`",
    );
    check(
        "training: {batch_size: -3}",
        "run.yaml: `training.batch_size` is `-3`: invalid value: integer `-3`, expected usize; the default is `1024`",
    );
    check(
        "evaluation: {k: 10}",
        "run.yaml: `evaluation.k` is `10`: invalid type: integer `10`, expected a sequence; the default is a list",
    );
    check(
        "training: {optimizer: {kind: adm}}",
        "run.yaml: `training.optimizer.kind` is `adm`: unknown variant `adm`, expected one of `sgd`, `adagrad`, `rowwise_adagrad`, `adam`, \
         `adamw`; the default is `adam`",
    );
}

#[test]
fn a_value_of_the_wrong_type_in_the_model_is_named_with_its_key_too() {
    assert_eq!(
        failure("model: {kind: small, dropout: 0.5, embedding_dim: wide}", &[]),
        "run.yaml: `model.embedding_dim` is `wide`: invalid type: string \"wide\", expected usize; the default is `8`"
    );
}

#[test]
fn a_wrong_value_names_the_place_that_gave_it() {
    let text = format!("{SMALL}training: {{epochs: 5, batch_size: x}}");
    assert_eq!(
        failure(text, &["training.batch_size=8", "training.epochs=x"]),
        "--set training.epochs=x: `training.epochs` is `x`: invalid type: string \"x\", expected u64; the default is `20`"
    );
}

#[test]
fn null_is_taken_where_it_means_something_and_refused_elsewhere() {
    let config = loaded(&format!("{SMALL}training: {{patience: null}}\ndata: {{name: null}}"), &[]);
    assert_eq!((config.training.patience, config.data.name), (None, None));
    check(
        "training: {seed: null}",
        "run.yaml: `training.seed` is empty: invalid type: unit value, expected u64; the default is `42`",
    );
}

#[test]
fn a_value_out_of_range_is_named_with_its_range_and_the_place_that_gave_it() {
    check("training: {epochs: 0}", "run.yaml: training.epochs = 0, expected at least 1");
    check("training: {batch_size: 0}", "run.yaml: training.batch_size = 0, expected at least 1");
    check(
        "training: {learning_rate: .nan}",
        "run.yaml: training.learning_rate = NaN, expected a finite number above 0",
    );
    check(
        "training: {schedule: {kind: exponential, gamma: 1.5}}",
        "run.yaml: training.schedule.gamma = 1.5, expected above 0 and at most 1",
    );
    check(
        "training: {patience: 0}",
        "run.yaml: training.patience = 0, expected at least 1, or null to never stop early",
    );
    check(
        "training: {checkpoint: {every_steps: 0}}",
        "run.yaml: training.checkpoint.every_steps = 0, expected at least 1, or null for none within an epoch",
    );
    check(
        "training: {checkpoint: {every_epochs: 0}}",
        "run.yaml: training.checkpoint.every_epochs = 0, expected at least 1",
    );
    check(
        "training: {monitor: rsme}",
        "run.yaml: training.monitor = rsme, expected a metric, such as rmse or ndcg@10",
    );
    check(
        "training: {monitor: ndcg@5}",
        "run.yaml: training.monitor = ndcg@5, expected one that evaluation.metrics and evaluation.k name: rmse, mae, r2, \
         hit_rate@10, precision@10, recall@10, ndcg@10",
    );
    check(
        "training: {optimizer: {beta_1: 1}}",
        "run.yaml: training.optimizer.beta_1 = 1, expected at least 0 and below 1",
    );
    check(
        "evaluation: {k: []}",
        "run.yaml: evaluation.k = 0, expected one or more cut-offs, each at least 1",
    );
    check(
        "evaluation: {k: [10, 0]}",
        "run.yaml: evaluation.k = 0, expected one or more cut-offs, each at least 1",
    );
    check(
        "evaluation: {relevant_rating: .inf}",
        "run.yaml: evaluation.relevant_rating = inf, expected a rating",
    );
    check("data: {valid_ratio: 2}", "run.yaml: data.valid_ratio = 2: expected at least 0 and below 1");
    check_set("model.dropout=1", ": model.dropout = 1, expected at least 0 and below 1");
    check_set("data.test_ratio=0", ": data.test_ratio = 0: expected above 0 and below 1");
    check_set("data.synthetic.n_users=0", ": data.synthetic.n_users = 0: expected 1 to 100000000");
}

#[test]
fn groups_schedules_and_strategies_are_read_as_the_page_shows_them() {
    let text = "
training:
  groups: [{name: slow, parameters: [user_embedding, 'tower.*'], learning_rate: 0.0005}]
  schedule: {kind: cosine, epochs: 3, floor: 0.1, warmup_steps: 100}
  strategy:
    kind: stages
    stages:
      - {name: alone, learns: [slow], epochs: 2, patience: 1, losses: {ranking: 1}}
      - {name: both, epochs: 5, learning_rates: {slow: 0.001}, alternating: true}
    alternating:
      modules: [{group: slow, loss: ranking}, {group: rest, loss: contrastive}]
    curriculum: {contrastive: [[1, 0.0], [10, 1.0]]}
";
    let config = loaded(&format!("{SMALL}{text}"), &["training.strategy.alternating.min_steps=9"]);
    let training = &config.training;
    assert_eq!(training.groups[0].learning_rate, Some(0.0005));
    assert_eq!(training.schedule.epochs, Some(3));
    let strategy = &training.strategy;
    assert_eq!((strategy.stages[0].patience, strategy.stages[1].patience), (Some(1), None));
    assert_eq!(strategy.stages[1].learning_rates["slow"], 0.001);
    assert_eq!((strategy.alternating.min_steps, strategy.alternating.switch_threshold), (9, 0.01));
    assert_eq!(strategy.curriculum.as_ref().unwrap()["contrastive"].weight(10), 1.0);
    assert_eq!(loaded(&yaml_serde::to_string(&config).unwrap(), &[]), config);
}

#[test]
fn what_is_wrong_in_groups_schedules_and_strategies_is_named_with_its_key_and_what_would_be_right() {
    let check = |training: &str, expected: &str| {
        check(&format!("training: {{{training}}}"), &format!("run.yaml: training.{expected}"));
    };
    check("max_grad_norm: 0", "max_grad_norm = 0, expected above 0, or null to clip nothing");
    check("accumulate: 0", "accumulate = 0, expected at least 1");
    check("loss_scale: {initial: 0}", "loss_scale.initial = 0, expected 1 to 1e30");
    check("schedule: {kind: step, every: 0}", "schedule.every = 0, expected at least 1");
    check(
        "epochs: 5, schedule: {kind: cosine, epochs: 6}",
        "schedule.epochs = 6, expected at most the epochs that are trained, or null: it would never come down",
    );
    check(
        "groups: [{name: a, parameters: [x]}, {name: b, learning_rate: 0}]",
        "groups[1].learning_rate = 0, expected a finite number above 0, or null for training.learning_rate",
    );
    check("strategy: {kind: stages}", "strategy.stages = [], expected one or more stages");
    let stages = |stages: &str| format!("strategy: {{kind: stages, stages: [{stages}]}}");
    check(&stages("{name: a, epochs: 0}"), "strategy.stages[0].epochs = 0, expected at least 1");
    check(
        &stages("{name: a, epochs: 1}, {name: a, epochs: 1}"),
        "strategy.stages[1].name = a, expected a name that no stage before it has",
    );
    check(
        &stages("{name: 'a,b', epochs: 1}"),
        "strategy.stages[0].name = a,b, expected letters, digits, `-`, `_` and `.`",
    );
    check(
        &stages("{name: a, epochs: 1, learning_rates: {x: -1}}"),
        "strategy.stages[0].learning_rates.x = -1, expected a finite number above 0",
    );
    check(
        &stages("{name: a, epochs: 1, losses: {x: -1}}"),
        "strategy.stages[0].losses.x = -1, expected a finite number of at least 0",
    );
    check(
        &stages("{name: a, epochs: 1, patience: 0}"),
        "strategy.stages[0].patience = 0, expected at least 1, or null to train every epoch",
    );
    check(
        "strategy: {kind: alternating, alternating: {modules: [{group: a, loss: x}, {group: b, loss: x}]}}",
        "strategy.alternating.modules = [a: x, b: x], expected two modules with a group and a loss each, which differ",
    );
    check(
        "strategy: {alternating: {switch_threshold: 0}}",
        "strategy.alternating.switch_threshold = 0, expected a finite number above 0, such as 0.01",
    );
    check(
        "strategy: {curriculum: {x: [[3, 1], [2, 1]]}}",
        "strategy.curriculum.x[1] = [2, 1], expected epochs that rise, the first at least 1",
    );
}

#[test]
fn an_unknown_key_of_a_group_or_a_stage_is_refused_with_the_known_ones() {
    let message = failure(format!("{SMALL}training: {{groups: [{{nam: a}}]}}"), &[]);
    assert!(message.contains("`training.groups`") && message.contains("unknown field `nam`"), "{message}");
    let stage = "{name: a, epochs: 1, learn: [b]}";
    let message = failure(format!("{SMALL}training: {{strategy: {{kind: stages, stages: [{stage}]}}}}"), &[]);
    assert!(message.contains("`training.strategy.stages`") && message.contains("`learns`"), "{message}");
}

#[test]
fn an_unknown_or_missing_kind_of_model_is_told_the_kinds_there_are() {
    let missing = "run.yaml: `model.kind` is not set, expected one of small, plain";
    assert_eq!(failure("", &[]), missing);
    assert_eq!(failure("# nothing yet\n", &[]), missing);
    assert_eq!(failure("model: small\n", &[]), missing);
    assert_eq!(
        failure("model: {kind: sasrec}", &[]),
        "run.yaml: `model.kind` is `sasrec`, expected one of small, plain"
    );
    check_set("model.kind=3", ": `model.kind` is `3`, expected one of small, plain");
}

#[test]
fn a_section_that_is_none_is_refused() {
    check("training: 5", "run.yaml: `training` is `5`, expected a section with keys such as `seed`");
    check(
        "evaluation: [10]",
        "run.yaml: `evaluation` is a list, expected a section with keys such as `metrics`",
    );
}

#[test]
fn what_is_no_mapping_at_the_top_is_refused() {
    assert_eq!(
        failure("- model\n- data\n", &[]),
        "run.yaml holds a list, expected sections such as `model:`"
    );
    assert_eq!(failure("model\n", &[]), "run.yaml holds `model`, expected sections such as `model:`");
}

#[test]
fn what_is_no_yaml_is_refused_with_the_line() {
    let message = failure("model:\n  kind: [small\ntraining: 3\n", &[]);
    assert!(message.starts_with("run.yaml is not valid YAML (") && message.contains("line 3"), "{message}");
    let message = failure(b"model: {kind: \xff}\n", &[]);
    assert!(message.starts_with("run.yaml is not valid YAML ("), "{message}");
    let message = failure(SMALL, &["training.epochs=[3"]);
    assert!(message.starts_with("--set training.epochs=[3 is not valid YAML ("), "{message}");
}

#[test]
fn a_key_given_twice_is_refused_by_name() {
    let message = failure(format!("{SMALL}training:\n  epochs: 3\n  seed: 1\n  epochs: 4\n"), &[]);
    assert!(message.starts_with("run.yaml is not valid YAML ("), "{message}");
    assert!(message.contains("epochs"), "{message}");
    let message = failure(format!("{SMALL}training: {{epochs: 3}}\ntraining: {{seed: 4}}\n"), &[]);
    assert!(message.contains("training"), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let message = load::<AnyModel>("nowhere/run.yaml".as_ref(), &[]).unwrap_err().to_string();
    assert!(message.starts_with("cannot read nowhere/run.yaml ("), "{message}");
}

#[test]
fn the_effective_config_reads_back_as_itself() {
    let config = loaded(
        SMALL,
        &["training.learning_rate=0.1", "evaluation.relevant_rating=3.7", "training.patience=null"],
    );
    let text = yaml_serde::to_string(&config).unwrap();
    assert_eq!(loaded(&text, &[]), config);
}

#[test]
fn changed_keys_are_named_with_their_sections() {
    let before = defaults();
    assert_eq!(changed_keys(&before, &before), Vec::<String>::new());
    let now = loaded(
        SMALL,
        &["training.epochs=9", "training.optimizer.kind=sgd", "evaluation.k=[5]", "data.name=x"],
    );
    assert_eq!(
        changed_keys(&before, &now),
        ["data.name", "training.epochs", "training.optimizer.kind", "evaluation.k"]
    );
    let other = loaded("model: {kind: plain}", &[]);
    assert_eq!(changed_keys(&before, &other), ["model.kind", "model.embedding_dim", "model.dropout"]);
}

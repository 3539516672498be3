//! Other names that keys go by.

/// A key of the reference documents and the key it stands for here, both with their sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The other name.
    pub name: &'static str,
    /// Our name.
    pub means: &'static str,
}

impl Alias {
    const fn new(name: &'static str, means: &'static str) -> Self {
        Self { name, means }
    }

    /// The section of the other name, and the name in it.
    pub(super) fn section_and_key(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').expect("an alias is in a section")
    }
}

/// Every alias; `docs/config.md` prints the same table.
pub const ALIASES: &[Alias] = &[
    Alias::new("training.num_epochs", "training.epochs"),
    Alias::new("training.lr", "training.learning_rate"),
    Alias::new("training.weight_decay", "training.optimizer.weight_decay"),
    Alias::new("training.early_stopping_patience", "training.patience"),
    Alias::new("model.emb_dim", "model.embedding_dim"),
    Alias::new("data.emb_dim", "model.text_feature_dim"),
    Alias::new("data.neg_ratio", "model.negatives.n"),
    Alias::new("data.data_path", "data.name"),
    Alias::new("data.seed", "training.seed"),
];

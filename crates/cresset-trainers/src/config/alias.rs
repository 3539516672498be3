//! Other names that keys go by.

/// A key of the reference documents and the key it stands for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The section it appears in.
    pub section: &'static str,
    /// The other name.
    pub name: &'static str,
    /// Our name.
    pub means: &'static str,
}

/// Every alias; `docs/config.md` prints the same table.
pub const ALIASES: &[Alias] = &[
    Alias { section: "training", name: "num_epochs", means: "epochs" },
    Alias { section: "training", name: "lr", means: "learning_rate" },
    Alias { section: "training", name: "early_stopping_patience", means: "patience" },
    Alias { section: "model", name: "emb_dim", means: "embedding_dim" },
];

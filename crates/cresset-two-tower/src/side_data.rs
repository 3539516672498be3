//! What is known of users and items, for the towers to read.

use std::sync::Arc;

use cresset_data::features::{EncodedColumn, EncodedFeatures};
use cresset_data::{AlignedVectors, Ratings};

use crate::config::{CodeShape, SideConfig, SideShape, TwoTowerConfig};
use crate::error::TwoTowerError;

/// What is known of all users, or of all items.
#[derive(Debug, Clone, Default)]
pub struct SideData {
    /// How many there are.
    pub n_rows: usize,
    /// Their features, encoded as the config names them.
    pub features: EncodedFeatures,
    /// Their vectors, in the order in which the config names them.
    pub vectors: Vec<SideVectors>,
    /// Whether each has a training rating: `[n_rows]`; nothing where all have.
    pub is_known: Option<Arc<[bool]>>,
}

/// Vectors under a name.
#[derive(Debug, Clone)]
pub struct SideVectors {
    /// What they are called in the data.
    pub name: String,
    /// A row for each user or item, zero where there is none.
    pub rows: Arc<AlignedVectors>,
}

/// What is known of both sides.
#[derive(Debug, Clone, Default)]
pub struct TwoTowerData {
    /// Of users.
    pub users: SideData,
    /// Of items.
    pub items: SideData,
}

impl SideData {
    /// So many of whom nothing is known but which they are.
    pub fn of_ids(n_rows: usize) -> Self {
        Self { n_rows, ..Self::default() }
    }

    /// How large it is.
    pub fn shape(&self) -> SideShape {
        let mut shape = SideShape::of_ids(self.n_rows);
        for column in &self.features.columns {
            match column {
                EncodedColumn::Categorical { n_codes, .. } => shape.codes.push(CodeShape::One(*n_codes)),
                EncodedColumn::Multi { n_codes, .. } => shape.codes.push(CodeShape::Many(*n_codes)),
                EncodedColumn::Numeric { .. } => shape.n_numeric += 1,
            }
        }
        shape.vector_dims = self.vectors.iter().map(|vectors| vectors.rows.dim).collect();
        shape
    }

    /// Whether training has seen a row.
    pub(crate) fn is_known(&self, id: u32) -> bool {
        self.is_known.as_ref().is_none_or(|known| known.get(id as usize).copied().unwrap_or(false))
    }

    /// Checks that this is what a tower reads.
    pub(crate) fn check(&self, side: &SideConfig<'_>) -> Result<(), TwoTowerError> {
        let (name, n_rows) = (side.name, self.n_rows);
        let other_rows =
            |what: String, found| Err(TwoTowerError::OtherRows { what, side: name, found, n_rows });
        let found = self.features.columns.len();
        if found != side.n_features {
            return Err(TwoTowerError::OtherFeatures { side: name, expected: side.n_features, found });
        }
        for (column, at) in self.features.columns.iter().zip(1..) {
            if column.n_rows() != n_rows {
                return other_rows(format!("feature {at}"), column.n_rows());
            }
        }
        for asked in side.vectors {
            let Some(vectors) = self.vectors.iter().find(|vectors| vectors.name == *asked) else {
                let names: Vec<&str> = self.vectors.iter().map(|vectors| vectors.name.as_str()).collect();
                let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(TwoTowerError::NoVectors { side: name, name: asked.clone(), found });
            };
            if vectors.rows.present.len() != n_rows {
                return other_rows(format!("the file of {asked}"), vectors.rows.present.len());
            }
        }
        let reads = self.shape();
        if side.input_widths(&reads).is_empty() {
            return Err(TwoTowerError::Blind { side: name });
        }
        Ok(())
    }

    /// Checks that this is of the shape of what a model was made for; there may be more rows.
    pub(crate) fn check_for(&self, made_for: &SideShape, side: &SideConfig<'_>) -> Result<(), TwoTowerError> {
        self.check(side)?;
        let now = SideShape { n_rows: made_for.n_rows, ..self.shape() };
        if now == *made_for && self.n_rows >= made_for.n_rows {
            return Ok(());
        }
        let (made_for, found) = (Box::new(made_for.clone()), Box::new(self.shape()));
        Err(TwoTowerError::OtherShape { side: side.name, made_for, found })
    }
}

impl TwoTowerData {
    /// What is known of both.
    pub fn new(users: SideData, items: SideData) -> Self {
        Self { users, items }
    }

    /// The same, knowing who has a training rating: with [`OutOfRange::Unknown`](crate::OutOfRange::Unknown), all others are
    /// served by their features.
    #[must_use]
    pub fn known_from(mut self, train: &Ratings) -> Self {
        self.users.is_known = Some(seen(self.users.n_rows, &train.user_id));
        self.items.is_known = Some(seen(self.items.n_rows, &train.item_id));
        self
    }

    /// The vectors that a config names, in its order, of those that there are; others are dropped.
    #[must_use]
    pub fn with_vectors_of(mut self, config: &TwoTowerConfig) -> Self {
        let pick = |side: &mut SideData, names: &[String]| {
            let named = |name: &String| side.vectors.iter().find(|it| it.name == *name).cloned();
            side.vectors = names.iter().filter_map(named).collect();
        };
        pick(&mut self.users, &config.user_vectors);
        pick(&mut self.items, &config.item_vectors);
        self
    }
}

fn seen(n_rows: usize, ids: &[u32]) -> Arc<[bool]> {
    let mut seen = vec![false; n_rows];
    for &id in ids {
        if let Some(it) = seen.get_mut(id as usize) {
            *it = true;
        }
    }
    seen.into()
}

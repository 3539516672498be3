//! One tower: what it reads of a batch, and its output.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::UniqueRows;
use cresset_data::features::EncodedColumn;
use cresset_data::random::DrawKey;
use cresset_nn::{
    Activation, AutodiffRecommender, EmbeddingTable, GatheredRows, Linear, Pooling, RecommenderBackend,
    RowIndex, Selection, StepKey, Tower, TowerInput,
};
use rand::Rng;

use crate::config::{CodeShape, OutOfRange, SideConfig, SideShape};
use crate::error::TwoTowerError;
use crate::side_data::SideData;

/// What a tower reads of some distinct users or items, in plain arrays.
#[derive(Debug, Clone)]
pub(crate) struct SideBatch {
    /// Users, or items.
    pub(crate) n: usize,
    /// Rows of the table of ids.
    ids: Option<UniqueRows>,
    codes: Vec<Codes>,
    /// Each row's numbers side by side.
    numbers: Vec<f32>,
    /// Of each kind of vectors `[n, dim]`.
    vectors: Vec<Vec<f32>>,
}

/// A feature's rows of its table.
#[derive(Debug, Clone)]
enum Codes {
    One(UniqueRows),
    Many { offsets: Vec<u32>, rows: UniqueRows },
}

/// Which row of its table stands for an id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdRule {
    has_ids: bool,
    /// Those that have a row of their own.
    n_rows: usize,
    rule: OutOfRange,
    /// Share of ids taken for unknown.
    dropout: f64,
}

impl IdRule {
    /// The rule of a tower whose table has a row for each of `n_rows`.
    pub(crate) fn new(side: &SideConfig<'_>, n_rows: usize) -> Self {
        let rule = side.all.out_of_range;
        Self { has_ids: side.has_id, n_rows, rule, dropout: side.all.id_dropout }
    }

    /// The place whose features are read: none of somebody whom nobody has described.
    fn described(&self, id: u32, n_described: usize) -> Option<u32> {
        match self.rule {
            OutOfRange::Clamp => Some((id as usize).min(n_described.max(1) - 1) as u32),
            OutOfRange::Unknown | OutOfRange::Error => ((id as usize) < n_described).then_some(id),
        }
    }

    /// The row of the table of ids, of which the one behind the last is shared by the unknown.
    fn row(&self, id: u32, data: &SideData, is_dropped: bool) -> u32 {
        let has_row = (id as usize) < self.n_rows;
        let is_known = match self.rule {
            OutOfRange::Unknown => has_row && data.is_known(id) && !is_dropped,
            OutOfRange::Clamp | OutOfRange::Error => has_row,
        };
        match self.rule {
            _ if is_known => id,
            OutOfRange::Unknown => self.n_rows as u32,
            OutOfRange::Clamp | OutOfRange::Error => self.n_rows.max(1) as u32 - 1,
        }
    }

    /// Refuses an id without a row where the config says so.
    pub(crate) fn check(&self, side: &'static str, ids: &[u32]) -> Result<(), TwoTowerError> {
        let n_rows = self.n_rows;
        match ids.iter().find(|&&id| id as usize >= n_rows) {
            Some(&id) if self.rule == OutOfRange::Error => {
                Err(TwoTowerError::OutOfRange { side, id, n_rows })
            }
            _ => Ok(()),
        }
    }

    fn drops(&self, key: Option<DrawKey>, place: usize) -> bool {
        let Some(key) = key.filter(|_| self.rule == OutOfRange::Unknown && self.dropout > 0.0) else {
            return false;
        };
        let chance = key.at(place as u64).next_u64() >> 11;
        (chance as f64) < self.dropout * (1u64 << 53) as f64
    }
}

impl SideData {
    /// What a tower reads of `ids`; with a key some ids are taken for unknown.
    pub(crate) fn read(&self, ids: &[u32], rule: IdRule, key: Option<DrawKey>) -> SideBatch {
        let places: Vec<Option<u32>> = ids.iter().map(|&id| rule.described(id, self.n_rows)).collect();
        let rows = rule.has_ids.then(|| {
            let row = |(place, &id): (usize, &u32)| rule.row(id, self, rule.drops(key, place));
            UniqueRows::of(&ids.iter().enumerate().map(row).collect::<Vec<u32>>())
        });
        let has_unknown = rule.rule == OutOfRange::Unknown;
        let codes = self.features.columns.iter().filter_map(|column| codes_of(column, &places, has_unknown));
        SideBatch {
            n: ids.len(),
            ids: rows,
            codes: codes.collect(),
            numbers: self.numbers(&places),
            vectors: self
                .vectors
                .iter()
                .map(|vectors| rows_of(vectors.rows.dim, &vectors.rows.values, &places))
                .collect(),
        }
    }

    fn numbers(&self, places: &[Option<u32>]) -> Vec<f32> {
        let columns: Vec<&Vec<f32>> = self
            .features
            .columns
            .iter()
            .filter_map(|column| match column {
                EncodedColumn::Numeric { values, .. } => Some(values),
                _ => None,
            })
            .collect();
        let of = |place: &Option<u32>, values: &Vec<f32>| place.map_or(0.0, |place| values[place as usize]);
        places.iter().flat_map(|place| columns.iter().map(move |values| of(place, values))).collect()
    }
}

fn codes_of(column: &EncodedColumn, places: &[Option<u32>], has_unknown: bool) -> Option<Codes> {
    match column {
        EncodedColumn::Categorical { codes, .. } => {
            let code = |place: &Option<u32>| {
                let code = place.map_or(0, |place| codes[place as usize]);
                // Without a row for the unknown they are the first category.
                if has_unknown { code } else { code.saturating_sub(1) }
            };
            Some(Codes::One(UniqueRows::of(&places.iter().map(code).collect::<Vec<u32>>())))
        }
        EncodedColumn::Multi { lists, .. } => {
            let (mut offsets, mut entries) = (vec![0], Vec::new());
            for place in places {
                entries.extend(place.iter().flat_map(|&place| lists.of(place)));
                offsets.push(entries.len() as u32);
            }
            Some(Codes::Many { offsets, rows: UniqueRows::of(&entries) })
        }
        EncodedColumn::Numeric { .. } => None,
    }
}

fn rows_of(dim: usize, values: &[f32], places: &[Option<u32>]) -> Vec<f32> {
    let mut rows = vec![0.0; places.len() * dim];
    for (row, place) in rows.chunks_exact_mut(dim).zip(places) {
        if let Some(place) = place {
            row.copy_from_slice(&values[*place as usize * dim..][..dim]);
        }
    }
    rows
}

/// One tower and what it embeds by.
#[derive(Module, Debug)]
pub(crate) struct Side<B: Backend> {
    pub(crate) ids: Option<EmbeddingTable<B>>,
    pub(crate) codes: Vec<EmbeddingTable<B>>,
    vectors: Vec<Linear<B>>,
    tower: Tower<B>,
    /// How large what it reads was when it was made.
    #[module(skip)]
    pub(crate) shape: SideShape,
}

impl<B: Backend> Side<B> {
    pub(crate) fn new(
        config: &SideConfig<'_>,
        data: &SideData,
        seed: u64,
        device: &B::Device,
    ) -> Result<Self, TwoTowerError> {
        let (shape, side, all) = (data.shape(), config.name, config.all);
        let dim = all.embedding_dim;
        let table = |name: &str, n_rows| {
            let name = format!("{side}_{name}");
            EmbeddingTable::normal(&name, [n_rows, dim], all.init_std as f32, seed, device)
        };
        let codes =
            |(at, &shape): (usize, &CodeShape)| table(&format!("feature_{at}"), config.code_rows(shape));
        let project = |(at, &width): (usize, &usize)| {
            Linear::new(&format!("{side}_vectors_{at}"), [width, dim], seed, device)
        };
        let path = format!("{side}_tower");
        let tower = Tower::new(&path, &config.input_widths(&shape), &config.layer_widths(), seed, device)?;
        Ok(Self {
            ids: config.has_id.then(|| table("id", config.id_rows(shape.n_rows))),
            codes: shape.codes.iter().enumerate().map(codes).collect(),
            vectors: shape.vector_dims.iter().enumerate().map(project).collect(),
            tower: tower.with_dropout(all.dropout)?.normalized(),
            shape,
        })
    }
}

impl<B: RecommenderBackend> Side<B> {
    /// The tower's output for each of a batch's users or items, `[n, dim]`, without dropout or gradients.
    pub(crate) fn embed(&self, batch: &SideBatch, device: &B::Device) -> Tensor<B, 2> {
        let input = |table: &EmbeddingTable<B>, rows: &UniqueRows| TowerInput {
            rows: table.lookup(&rows.ids),
            selection: one_of(rows, device),
        };
        let ids = self.ids.iter().zip(&batch.ids).map(|(table, rows)| input(table, rows));
        let codes = self.codes.iter().zip(&batch.codes).map(|(table, codes)| match codes {
            Codes::One(rows) => input(table, rows),
            Codes::Many { offsets, rows } => {
                TowerInput { rows: table.lookup(&rows.ids), selection: Some(bags(offsets, rows, device)) }
            }
        });
        let embedded = ids.chain(codes).collect();
        self.tower.forward(self.inputs(embedded, batch, device), None)
    }

    /// What is looked up, then what is given.
    fn inputs(
        &self,
        mut embedded: Vec<TowerInput<B>>,
        batch: &SideBatch,
        device: &B::Device,
    ) -> Vec<TowerInput<B>> {
        let given = |values: &[f32], width: usize| {
            Tensor::<B, 2>::from_data(TensorData::new(values.to_vec(), [batch.n, width]), device)
        };
        for (layer, values) in self.vectors.iter().zip(&batch.vectors) {
            let [width, _] = layer.dims();
            embedded.push(layer.forward(given(values, width), Activation::None, None, None).into());
        }
        if self.shape.n_numeric > 0 {
            embedded.push(given(&batch.numbers, self.shape.n_numeric).into());
        }
        embedded
    }
}

impl<B: AutodiffRecommender> Side<B> {
    /// The tower's output for each of a batch's users or items, `[n, dim]`, and the rows it was computed from.
    pub(crate) fn forward(
        &self,
        batch: &SideBatch,
        key: StepKey,
        device: &B::Device,
    ) -> (Tensor<B, 2>, Vec<GatheredRows<B>>) {
        let (mut inputs, mut gathered) = (Vec::new(), Vec::new());
        let mut gather = |table: &EmbeddingTable<B>, rows: &UniqueRows, selection| {
            let rows = table.gather(&RowIndex::new(rows, device));
            inputs.push(TowerInput { rows: rows.leaf.clone(), selection });
            gathered.push(rows);
        };
        if let (Some(table), Some(rows)) = (&self.ids, &batch.ids) {
            gather(table, rows, one_of(rows, device));
        }
        for (table, codes) in self.codes.iter().zip(&batch.codes) {
            match codes {
                Codes::One(rows) => gather(table, rows, one_of(rows, device)),
                Codes::Many { offsets, rows } => gather(table, rows, Some(bags(offsets, rows, device))),
            }
        }
        let inputs = self.inputs(inputs, batch, device);
        (self.tower.forward(inputs, Some(key)), gathered)
    }
}

/// For each row of the tower its row of a table; nothing where they are one and the same.
fn one_of<B: Backend>(rows: &UniqueRows, device: &B::Device) -> Option<Selection<B>> {
    let is_same = rows.positions.iter().zip(0..).all(|(&position, at)| position == at);
    (!is_same).then(|| Selection::one_each(&rows.positions, rows.len(), device))
}

/// For each row of the tower the mean of its rows of a table.
fn bags<B: Backend>(offsets: &[u32], rows: &UniqueRows, device: &B::Device) -> Selection<B> {
    Selection::bags(offsets, &rows.positions, rows.len(), Pooling::Mean, device)
}

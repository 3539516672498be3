//! Ragged lists of rows, and the bags made of them: the neighbours of an item, its tags, the items of a user.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use cresset_data::UniqueRows;

use crate::id_tensor;
use crate::kernels::spec::{CsrMatrix, Selection};

/// How the rows of a list become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pooling<'a> {
    /// Their sum.
    Sum,
    /// Their mean; zero for an empty list.
    Mean,
    /// Their sum, each row multiplied by its weight: one for each entry of all lists.
    Weighted(&'a [f32]),
}

impl<B: Backend> Selection<B> {
    /// A bag for each list: the pooled rows that it names.
    ///
    /// The lists lie one after the other in `entries`; list `i` is `offsets[i]..offsets[i + 1]`. Entries are places in
    /// the gathered rows, of which there are `n_rows`.
    ///
    /// ```
    /// use burn::backend::{Autodiff, Flex};
    /// use cresset_data::UniqueRows;
    /// use cresset_nn::{EmbeddingTable, Pooling, RowIndex, Selection};
    ///
    /// // Film 0 has tags 7 and 9, film 1 has none, film 2 has tag 9.
    /// let (tags, offsets) = ([7, 9, 9], [0, 2, 2, 3]);
    /// let device = Default::default();
    /// let rows = UniqueRows::of(&tags);
    /// let table = EmbeddingTable::<Autodiff<Flex>>::normal("tags", [10, 4], 0.1, 42, &device);
    /// let gathered = table.gather(&RowIndex::new(&rows, &device));
    /// let films = Selection::bags(&offsets, &rows.positions, rows.len(), Pooling::Mean, &device);
    /// assert_eq!(gathered.select(&films).dims(), [3, 4]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the offsets do not ascend from 0 to the number of entries, an entry is `n_rows` or more, or there is not one
    /// weight for each entry.
    pub fn bags(
        offsets: &[u32],
        entries: &[u32],
        n_rows: usize,
        pooling: Pooling<'_>,
        device: &B::Device,
    ) -> Self {
        check_offsets(offsets, entries.len());
        let values = values(offsets, entries.len(), pooling);
        let list_of_entry = rows_of_entries(offsets);
        let matrix = csr(offsets, entries, values.as_deref(), &list_of_entry, device);
        let order = grouped(entries, n_rows);
        let pick = |from: &[u32]| -> Vec<u32> { order.entries.iter().map(|&at| from[at as usize]).collect() };
        let values: Option<Vec<f32>> =
            values.map(|values| order.entries.iter().map(|&at| values[at as usize]).collect());
        let transposed =
            csr(&order.offsets, &pick(&list_of_entry), values.as_deref(), &pick(entries), device);
        Self { matrix, transposed }
    }

    /// One row for each example: the rows at `positions`, of `n_rows` gathered ones.
    ///
    /// # Panics
    ///
    /// If a position is `n_rows` or more.
    pub fn one_each(positions: &[u32], n_rows: usize, device: &B::Device) -> Self {
        let Grouped { offsets, entries } = grouped(positions, n_rows);
        one_each(positions, &offsets, &entries, device)
    }

    /// The same selection of rows that are on a graph.
    pub(crate) fn lifted<A: AutodiffBackend<InnerBackend = B>>(self) -> Selection<A> {
        let lift = |matrix: CsrMatrix<B>| CsrMatrix {
            offsets: matrix.offsets.map(Tensor::from_inner),
            columns: Tensor::from_inner(matrix.columns),
            values: matrix.values.map(Tensor::from_inner),
            entry_rows: matrix.entry_rows.map(Tensor::from_inner),
            n_rows: matrix.n_rows,
        };
        Selection { matrix: lift(self.matrix), transposed: lift(self.transposed) }
    }
}

/// For each example the place of its id among the distinct ones; the loader has grouped the examples already.
pub(crate) fn selection_of_unique<B: Backend>(rows: &UniqueRows, device: &B::Device) -> Selection<B> {
    one_each(&rows.positions, &running_sum(&rows.counts), &rows.order, device)
}

fn one_each<B: Backend>(
    positions: &[u32],
    offsets: &[u32],
    order: &[u32],
    device: &B::Device,
) -> Selection<B> {
    let rows: Vec<u32> = order.iter().map(|&example| positions[example as usize]).collect();
    let matrix = CsrMatrix {
        offsets: None,
        columns: id_tensor(positions, device),
        values: None,
        entry_rows: None,
        n_rows: positions.len(),
    };
    Selection { matrix, transposed: csr(offsets, order, None, &rows, device) }
}

fn csr<B: Backend>(
    offsets: &[u32],
    columns: &[u32],
    values: Option<&[f32]>,
    rows: &[u32],
    device: &B::Device,
) -> CsrMatrix<B> {
    CsrMatrix {
        offsets: Some(id_tensor(offsets, device)),
        columns: id_tensor(columns, device),
        values: values
            .map(|values| Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)),
        entry_rows: Some(id_tensor(rows, device)),
        n_rows: offsets.len() - 1,
    }
}

fn values(offsets: &[u32], n_entries: usize, pooling: Pooling<'_>) -> Option<Vec<f32>> {
    match pooling {
        Pooling::Sum => None,
        Pooling::Weighted(weights) => {
            assert_eq!(weights.len(), n_entries, "one weight for each entry");
            Some(weights.to_vec())
        }
        Pooling::Mean => {
            let share = |list: &[u32]| {
                let n = list[1] - list[0];
                std::iter::repeat_n(1.0 / n as f32, n as usize)
            };
            Some(offsets.windows(2).flat_map(share).collect())
        }
    }
}

/// Panics unless the offsets ascend from 0 to the number of entries.
pub(crate) fn check_offsets(offsets: &[u32], n_entries: usize) {
    let ends = (offsets.first(), offsets.last());
    assert_eq!(ends, (Some(&0), Some(&(n_entries as u32))), "offsets lead from 0 to the end of the entries");
    assert!(offsets.is_sorted(), "offsets ascend");
}

/// The row of each entry, of offsets that ascend from 0.
pub(crate) fn rows_of_entries(offsets: &[u32]) -> Vec<u32> {
    let mut rows = Vec::with_capacity(offsets.last().map_or(0, |&end| end as usize));
    for (row, list) in (0u32..).zip(offsets.windows(2)) {
        rows.resize(list[1] as usize, row);
    }
    rows
}

/// Places by what stands in them: group `g` is `entries[offsets[g]..offsets[g + 1]]`.
#[derive(Debug)]
pub(crate) struct Grouped {
    pub(crate) offsets: Vec<u32>,
    pub(crate) entries: Vec<u32>,
}

pub(crate) fn grouped(ids: &[u32], n_groups: usize) -> Grouped {
    let mut counts = vec![0u32; n_groups];
    for &id in ids {
        assert!((id as usize) < n_groups, "entry {id} is beyond the {n_groups} gathered rows");
        counts[id as usize] += 1;
    }
    let offsets = running_sum(&counts);
    let mut next = offsets.clone();
    let mut entries = vec![0; ids.len()];
    for (place, &id) in (0u32..).zip(ids) {
        let at = &mut next[id as usize];
        entries[*at as usize] = place;
        *at += 1;
    }
    Grouped { offsets, entries }
}

fn running_sum(counts: &[u32]) -> Vec<u32> {
    let mut sum = 0;
    let sums = counts.iter().map(|&count| {
        sum += count;
        sum
    });
    std::iter::once(0).chain(sums).collect()
}

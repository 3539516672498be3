//! The pure-Rust CPU backend.

use burn::tensor::DType;
use burn_flex::{Flex, FlexTensor};

use crate::RecommenderBackend;

impl RecommenderBackend for Flex {
    fn write_rows(table: FlexTensor, ids: FlexTensor, rows: FlexTensor) -> FlexTensor {
        assert_eq!(table.dtype(), DType::F32, "tables are stored as f32");
        let mut table = if starts_at_zero(&table) { table } else { table.to_contiguous() };
        let dim = table.layout().shape()[1];
        let ids = row_numbers(&ids);
        let rows = rows.to_contiguous();
        let rows: &[f32] = rows.as_slice().expect("made contiguous above");
        assert_eq!(rows.len(), ids.len() * dim, "one row of the table's width for each id");
        // Copies the table once if somebody else still holds it, and never otherwise.
        let values: &mut [f32] = table.storage_mut();
        if dim == 0 {
            return table;
        }
        for (id, row) in ids.into_iter().zip(rows.chunks_exact(dim)) {
            values[id * dim..(id + 1) * dim].copy_from_slice(row);
        }
        table
    }
}

fn starts_at_zero(tensor: &FlexTensor) -> bool {
    tensor.is_contiguous() && tensor.layout().start_offset() == 0
}

fn row_numbers(ids: &FlexTensor) -> Vec<usize> {
    let ids = ids.to_contiguous();
    let number = |id: i64| usize::try_from(id).expect("row ids are not negative");
    match ids.dtype() {
        DType::I64 => ids.as_slice::<i64>().expect("contiguous").iter().map(|&id| number(id)).collect(),
        _ => ids.as_slice::<i32>().expect("contiguous").iter().map(|&id| number(i64::from(id))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Int, Tensor, TensorData, TensorPrimitive};
    use proptest::prelude::*;

    use super::*;
    use crate::backend::{write_rows, write_rows_by_addition};

    type Table = Tensor<Flex, 2>;

    fn address(table: &Table) -> usize {
        match table.clone().into_primitive() {
            TensorPrimitive::Float(inner) => inner.storage::<f32>().as_ptr() as usize,
            TensorPrimitive::QFloat(_) => unreachable!("tables are not quantised"),
        }
    }

    fn small() -> Table {
        Tensor::from_floats([[0., 1.], [2., 3.], [4., 5.], [6., 7.]], &Default::default())
    }

    fn ids(ids: &[i32]) -> Tensor<Flex, 1, Int> {
        Tensor::from_ints(ids, &Default::default())
    }

    #[test]
    fn named_rows_are_replaced_and_the_others_keep_their_bits() {
        let rows = Tensor::from_floats([[-1., -2.], [-3., -4.]], &Default::default());
        let written = write_rows(small(), ids(&[3, 1]), rows);
        let values: Vec<f32> = written.into_data().to_vec().unwrap();
        assert_eq!(values, [0., 1., -3., -4., 4., 5., -1., -2.]);
    }

    #[test]
    fn a_table_with_one_owner_is_written_where_it_lies() {
        let table = small();
        let before = address(&table);
        let written = write_rows(table, ids(&[0]), Tensor::ones([1, 2], &Default::default()));
        assert_eq!(address(&written), before);
    }

    #[test]
    fn a_table_with_another_owner_is_copied_and_that_owner_sees_no_change() {
        let table = small();
        let snapshot = table.clone();
        let written = write_rows(table, ids(&[0]), Tensor::ones([1, 2], &Default::default()));
        assert_ne!(address(&written), address(&snapshot));
        assert_eq!(snapshot.into_data(), small().into_data());
    }

    #[test]
    fn a_view_of_a_larger_tensor_is_written_as_if_it_were_a_table_of_its_own() {
        let view = small().narrow(0, 1, 2);
        let written = write_rows(view, ids(&[0]), Tensor::zeros([1, 2], &Default::default()));
        let values: Vec<f32> = written.into_data().to_vec().unwrap();
        assert_eq!(values, [0., 0., 4., 5.]);
    }

    #[test]
    fn no_rows_leave_the_table_as_it_was() {
        let written = write_rows(small(), ids(&[]), Tensor::zeros([0, 2], &Default::default()));
        assert_eq!(written.into_data(), small().into_data());
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn an_id_beyond_the_table_panics() {
        write_rows(small(), ids(&[4]), Tensor::zeros([1, 2], &Default::default()));
    }

    /// A table, distinct ids in any order, and a row for each, all of whole numbers.
    fn writes() -> impl Strategy<Value = (Table, Vec<i32>, Table)> {
        let shapes = (1usize..8, 1usize..5).prop_flat_map(|(n_rows, dim)| {
            let ids = Just((0..n_rows as i32).collect::<Vec<_>>()).prop_shuffle();
            (Just([n_rows, dim]), ids, 0..=n_rows)
        });
        shapes.prop_flat_map(|([n_rows, dim], mut ids, n_written)| {
            ids.truncate(n_written);
            (matrix(n_rows, dim), Just(ids), matrix(n_written, dim))
        })
    }

    fn matrix(n_rows: usize, dim: usize) -> impl Strategy<Value = Table> {
        prop::collection::vec((-1000..1000i32).prop_map(|value| value as f32), n_rows * dim).prop_map(
            move |values| Tensor::from_data(TensorData::new(values, [n_rows, dim]), &Default::default()),
        )
    }

    proptest! {
        // Whole numbers, so that the default body's addition does not round.
        #[test]
        fn the_default_body_and_the_fast_one_write_the_same_table((table, named, rows) in writes()) {
            let by_addition = write_rows_by_addition(table.clone(), ids(&named), rows.clone());
            prop_assert_eq!(write_rows(table, ids(&named), rows).into_data(), by_addition.into_data());
        }
    }
}

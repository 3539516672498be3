//! Reading a table: the rows of a batch, and rows for inference.

use burn::backend::Flex;
use cresset_data::UniqueRows;
use cresset_nn::{EmbeddingTable, RowIndex, id_tensor};

use crate::models::{Cpu, Rows, matrix};

fn films() -> EmbeddingTable<Flex> {
    EmbeddingTable::from_tensor("films", matrix(&[1., 2., 3., 4., 5., 6.], [3, 2], &Default::default()))
}

#[test]
fn a_batch_gathers_each_distinct_row_once_and_hands_every_example_its_own() {
    let model = Rows::new(&[1., 2., 3., 4., 5., 6.], [3, 2]);
    let index = RowIndex::new(&UniqueRows::of(&[2, 0, 2]), &Default::default());
    assert_eq!(index.counts.to_data().to_vec::<f32>().unwrap(), [1., 2.]);
    assert_eq!(index.positions().into_data().to_vec::<i32>().unwrap(), [1, 0, 1]);
    let rows = model.films.gather(&index);
    assert_eq!(rows.leaf.to_data().to_vec::<f32>().unwrap(), [1., 2., 5., 6.]);
    assert_eq!(rows.per_example().into_data().to_vec::<f32>().unwrap(), [5., 6., 1., 2., 5., 6.]);
}

#[test]
#[should_panic(expected = "id 3 is beyond the 3 rows of table films")]
fn an_id_beyond_the_table_is_not_gathered() {
    let index = RowIndex::new(&UniqueRows::of(&[1, 3]), &Default::default());
    EmbeddingTable::<Cpu>::zeros("films", [3, 2], &Default::default()).gather(&index);
}

#[test]
fn rows_for_inference_come_in_the_order_of_their_ids() {
    let rows = films().lookup(&[2, 0, 2]);
    assert_eq!(rows.into_data().to_vec::<f32>().unwrap(), [5., 6., 1., 2., 5., 6.]);
}

#[test]
#[should_panic(expected = "id 7 is beyond the 3 rows of table films")]
fn an_id_beyond_the_table_is_not_looked_up() {
    films().lookup(&[2, 7, 3]);
}

#[test]
#[should_panic(expected = "padding row 3 is beyond the 3 rows of table films")]
fn a_padding_row_beyond_the_table_panics() {
    drop(films().with_padding_row(3));
}

#[test]
fn rows_of_a_bf16_table_come_as_f32_rounded_to_eight_bits() {
    // 1 + 1/256 lies half-way between two values of bf16 and goes to the even one, 1; 257 likewise to 256.
    let values = matrix(&[1.0 + 1.0 / 256.0, 257.0, 0.5, -3.0], [2, 2], &Default::default());
    let table = EmbeddingTable::<Flex>::from_tensor("films", values).stored_as_bf16();
    assert_eq!(table.lookup(&[1, 0]).into_data().to_vec::<f32>().unwrap(), [0.5, -3.0, 1.0, 256.0]);
    assert_eq!(table.weight().into_data().to_vec::<f32>().unwrap(), [1.0, 256.0, 0.5, -3.0]);
    assert_eq!(table.lookup_or_zeros(&[9, 1]).into_data().to_vec::<f32>().unwrap(), [0., 0., 0.5, -3.0]);
}

#[test]
fn an_id_beyond_the_table_has_a_row_of_zeros_where_that_was_asked_for() {
    let check = |ids: &[u32], expected: &[f32]| {
        assert_eq!(films().lookup_or_zeros(ids).into_data().to_vec::<f32>().unwrap(), expected);
    };
    check(&[2, 0], &[5., 6., 1., 2.]);
    check(&[3, 1, u32::MAX], &[0., 0., 3., 4., 0., 0.]);
    check(&[9], &[0., 0.]);
}

#[test]
#[should_panic(expected = "a table has fewer than 2^31 rows")]
fn an_id_that_no_table_can_have_is_no_tensor() {
    id_tensor::<Flex>(&[1 << 31], &Default::default());
}

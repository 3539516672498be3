//! Weight files: bit-exact, byte-stable, and refused when anything about them is wrong.

use std::fs;
use std::path::PathBuf;

use burn::tensor::TensorData;
use cresset_nn::optim::Optimizer;
use cresset_nn::weights::{
    NamedTensors, Snapshot, WeightsError, load, load_with_note, named_tensors, parameters_by_part, restore,
    save, save_with_note,
};

use crate::models::{Cpu, Pulls, Tower, every_rule, train};

/// A folder and the name of a file in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    (folder, file)
}

fn bits(tensors: &NamedTensors) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    let bits = |data: &TensorData| data.to_vec::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
    tensors.iter().map(|(name, data)| (name.clone(), data.shape.to_vec(), bits(data))).collect()
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let (_folder, file) = place();
    let odd = vec![-0.0, f32::MIN_POSITIVE / 2.0, f32::NAN, f32::NEG_INFINITY, f32::MAX, 0.1];
    let mut tensors = named_tensors(&Tower::new(1));
    tensors.insert("odd".to_owned(), TensorData::new(odd, [2, 3]));
    tensors.insert("none".to_owned(), TensorData::new(Vec::<f32>::new(), [0, 3]));
    save(&tensors, &file).unwrap();
    assert_eq!(bits(&load(&file).unwrap()), bits(&tensors));
}

#[test]
fn equal_tensors_give_equal_bytes_with_a_note_or_without() {
    let (_folder, file) = place();
    let mut written = Vec::new();
    for _ in 0..2 {
        save(&named_tensors(&Tower::new(1)), &file).unwrap();
        written.push(fs::read(&file).unwrap());
        save_with_note(&named_tensors(&Tower::new(1)), "epoch 3", &file).unwrap();
        written.push(fs::read(&file).unwrap());
    }
    assert_eq!(written[..2], written[2..]);
    assert_ne!(written[0], written[1]);
}

#[test]
fn a_note_travels_with_the_tensors_and_none_is_an_empty_one() {
    let (_folder, file) = place();
    let tensors = named_tensors(&Tower::new(1));
    save_with_note(&tensors, "{\"epoch\": 3, \"name\": \"Amélie\"}", &file).unwrap();
    assert_eq!(
        load_with_note(&file).unwrap(),
        (tensors.clone(), "{\"epoch\": 3, \"name\": \"Amélie\"}".to_owned())
    );
    save(&tensors, &file).unwrap();
    assert_eq!(load_with_note(&file).unwrap().1, "");
}

#[test]
fn a_restored_model_has_the_saved_values_and_still_learns() {
    let restored = restore::<Cpu, _>(Tower::new(2), named_tensors(&Tower::new(1))).unwrap();
    assert_eq!(named_tensors(&restored), named_tensors(&Tower::new(1)));
    assert_ne!(named_tensors(&restored), named_tensors(&Tower::new(2)));
    let before = named_tensors(&restored);
    let batch = Pulls::new(&[0, 1, 2, 3, 4], &[1., 2., 3., 4., 5.]);
    let mut optimizer = Optimizer::new(every_rule().remove(0));
    let after = named_tensors(&train(&mut optimizer, restored, &[batch]));
    assert_ne!(after["layers.layers.0.weight"], before["layers.layers.0.weight"]);
    assert_ne!(after["films.weight"], before["films.weight"]);
}

#[test]
fn a_table_stored_as_bf16_still_is_when_values_are_restored() {
    let short = |seed| {
        let mut model = Tower::new(seed);
        model.films = model.films.stored_as_bf16();
        model
    };
    let restored = restore::<Cpu, _>(short(2), named_tensors(&Tower::new(1))).unwrap();
    assert_eq!(named_tensors(&restored), named_tensors(&short(1)));
    assert_ne!(named_tensors(&restored), named_tensors(&Tower::new(1)));
}

#[track_caller]
fn check_refused(tamper: impl Fn(&mut NamedTensors), expected: &str) {
    let mut tensors = named_tensors(&Tower::new(1));
    tamper(&mut tensors);
    assert_eq!(restore::<Cpu, _>(Tower::new(2), tensors).unwrap_err().to_string(), expected);
}

#[test]
fn a_missing_tensor_is_refused_by_name() {
    check_refused(
        |tensors| drop(tensors.remove("films.weight")),
        "the weights lack `films.weight`; they belong to another model or config",
    );
}

#[test]
fn a_surplus_tensor_is_refused_by_name() {
    check_refused(
        |tensors| drop(tensors.insert("people.weight".to_owned(), TensorData::from([1.0f32]))),
        "the weights hold `people.weight`, which this model does not have; they belong to another model or config",
    );
}

#[test]
fn a_tensor_of_another_shape_is_refused_with_both_shapes() {
    check_refused(
        |tensors| drop(tensors.insert("films.weight".to_owned(), TensorData::from([[1.0f32, 2.0]]))),
        "`films.weight` has shape [1, 2] in the weights and [5, 3] in the model; load it with the config it was \
         trained with",
    );
}

#[test]
fn a_file_that_is_not_there_is_refused_by_name() {
    let (_folder, file) = place();
    let error = load(&file).unwrap_err();
    assert!(matches!(error, WeightsError::File(_)), "{error:?}");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[test]
fn a_file_cut_short_anywhere_is_refused_by_name() {
    let (_folder, file) = place();
    save_with_note(&named_tensors(&Tower::new(1)), "epoch 3", &file).unwrap();
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let error = load(&file).unwrap_err();
        assert!(matches!(error, WeightsError::Format { .. }), "{length} bytes: {error:?}");
        assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    }
}

#[test]
fn a_bit_flipped_in_the_header_changes_no_weight_unnoticed() {
    let (_folder, file) = place();
    let original = named_tensors(&Tower::new(1));
    save(&original, &file).unwrap();
    let whole = fs::read(&file).unwrap();
    let header_length = usize::try_from(u64::from_le_bytes(whole[..8].try_into().unwrap())).unwrap();
    let (mut tried, mut refused) = (0, 0);
    // Three and eight have no divisor in common: every place in a byte has its turn.
    for bit in (0..(8 + header_length) * 8).step_by(3) {
        tried += 1;
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &flipped).unwrap();
        match load(&file).and_then(|tensors| restore::<Cpu, _>(Tower::new(2), tensors)) {
            Err(WeightsError::File(cause)) => panic!("bit {bit}: {cause}"),
            Err(_) => refused += 1,
            // A flip that means nothing, such as one of the spaces that fill the header up.
            Ok(model) => assert_eq!(named_tensors(&model), original, "bit {bit}"),
        }
    }
    assert!(refused * 8 > tried * 7, "{refused} of {tried} bits refused");
}

#[test]
fn a_bit_flipped_in_a_weight_is_refused_with_the_tensor_it_is_in() {
    let (_folder, file) = place();
    save_with_note(&named_tensors(&Tower::new(1)), "epoch 3", &file).unwrap();
    let whole = fs::read(&file).unwrap();
    let header_length = usize::try_from(u64::from_le_bytes(whole[..8].try_into().unwrap())).unwrap();
    // In the order of their names: 5 x 3 values of films, then those of the layers.
    for (at, name) in [(0, "films.weight"), (59, "films.weight"), (60, "layers.layers.0.bias")] {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[8 + header_length + at] ^= 1 << bit;
            fs::write(&file, &flipped).unwrap();
            let error = load(&file).unwrap_err();
            assert!(matches!(error, WeightsError::Damaged { .. }), "{error:?}");
            let message = error.to_string();
            assert!(message.contains(&format!("`{name}` has checksum ")), "{message}");
            assert!(message.starts_with(&format!("{} is damaged", file.display())), "{message}");
        }
    }
}

#[test]
fn a_bit_flipped_in_the_note_is_refused() {
    let (_folder, file) = place();
    save_with_note(&named_tensors(&Tower::new(1)), "epoch 3", &file).unwrap();
    let mut flipped = fs::read(&file).unwrap();
    let at = flipped.windows(7).position(|text| text == b"epoch 3").unwrap();
    flipped[at + 6] ^= 1;
    fs::write(&file, &flipped).unwrap();
    let message = load(&file).unwrap_err().to_string();
    assert!(message.contains("note has checksum"), "{message}");
}

#[test]
fn a_file_of_another_program_has_no_checksums_and_is_read() {
    let (_folder, file) = place();
    let header = br#"{"films.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}} "#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
    fs::write(&file, bytes).unwrap();
    assert_eq!(load(&file).unwrap()["films.weight"], TensorData::from([[0.0f32, 0.0]]));
}

/// A snapshot of a model under `model:`, with one tensor more.
fn snapshot_into(snapshot: &mut Snapshot, model: &Tower<Cpu>) {
    snapshot.clear();
    snapshot.push_module("model:", model);
    snapshot.push("extra".to_owned(), model.films.weight().slice([1..3, 0..3]));
}

#[test]
fn a_snapshot_writes_what_the_tensors_would_however_often_its_memory_is_used() {
    let (_folder, file) = place();
    let mut snapshot = Snapshot::with_room_for(7);
    for seed in [1, 2, 1] {
        let model = Tower::new(seed);
        snapshot_into(&mut snapshot, &model);
        let expected = named_tensors(&model);
        snapshot.save_part("model:", &file).unwrap();
        let of_snapshot = fs::read(&file).unwrap();
        save(&expected, &file).unwrap();
        assert_eq!(of_snapshot, fs::read(&file).unwrap());

        snapshot.save_with_note("epoch 3", &file).unwrap();
        let (tensors, note) = load_with_note(&file).unwrap();
        assert_eq!((tensors.len(), note.as_str()), (expected.len() + 1, "epoch 3"));
        assert_eq!(tensors["extra"].shape.to_vec(), [2, 3]);
        assert_eq!(tensors["model:films.weight"], expected["films.weight"]);
    }
}

#[test]
fn a_part_of_a_snapshot_stays_as_it_was_when_the_whole_is_filled_again() {
    let (_folder, file) = place();
    let mut snapshot = Snapshot::default();
    snapshot_into(&mut snapshot, &Tower::new(1));
    let part = snapshot.part("model:");
    snapshot_into(&mut snapshot, &Tower::new(2));
    part.save_part("", &file).unwrap();
    assert_eq!(load(&file).unwrap(), named_tensors(&Tower::new(1)));
    assert_eq!(part.n_values() + 6, snapshot.n_values());
}

#[test]
fn a_snapshot_of_a_table_in_bf16_holds_its_rows_as_f32() {
    let (_folder, file) = place();
    let mut model = Tower::<Cpu>::new(1);
    model.films = model.films.stored_as_bf16();
    let mut snapshot = Snapshot::default();
    snapshot.push_module("", &model);
    snapshot.save_part("", &file).unwrap();
    assert_eq!(load(&file).unwrap(), named_tensors(&model));
}

#[test]
fn tensors_of_another_type_are_refused_by_name_when_saved_and_when_loaded() {
    let (_folder, file) = place();
    let doubles = NamedTensors::from([("films.weight".to_owned(), TensorData::from([[1.0f64, 2.0]]))]);
    let error = save(&doubles, &file).unwrap_err();
    assert_eq!(error.to_string(), "`films.weight` is stored as F64, expected F32");
    assert!(!file.exists());

    let header = br#"{"films.weight":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]}} "#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
    fs::write(&file, bytes).unwrap();
    assert_eq!(load(&file).unwrap_err().to_string(), "`films.weight` is stored as F64, expected F32");
}

#[test]
fn parameters_are_counted_by_the_first_name_of_their_path() {
    // 5 x 3; 3 x 4 + 4 + 4 x 1 + 1; 2 x 1 + 1.
    let expected = [("films", 15), ("layers", 21), ("spare", 3)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!(parameters_by_part::<Cpu, _>(&Tower::new(1)), expected.into());
}

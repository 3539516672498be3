//! Features of made-up films and people, by hand first.

use proptest::prelude::*;

use super::*;
use crate::catalogue::{ItemInfo, UserInfo};
use crate::error::DataError;

fn person(age: &str) -> UserInfo {
    UserInfo::new("u".to_owned(), ["age"], [age.to_owned()])
}

fn people(ages: &[&str]) -> Vec<UserInfo> {
    ages.iter().map(|age| person(age)).collect()
}

fn film(title: &str, genres: &[&str], cast: &str) -> ItemInfo {
    ItemInfo {
        id: title.to_owned(),
        title: title.to_owned(),
        genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
        attributes: vec![("cast".to_owned(), cast.to_owned())],
    }
}

fn all<T>(rows: &[T]) -> Vec<u32> {
    (0..rows.len() as u32).collect()
}

fn fit_one<R: Described>(feature: FeatureConfig, rows: &[R], known: &[u32]) -> EncodedColumn {
    let encoder = FeatureEncoder::fit(&[feature], rows, known).unwrap();
    let [column] = encoder.encode(rows).columns.try_into().unwrap();
    column
}

fn codes(column: &EncodedColumn) -> &[u32] {
    let EncodedColumn::Categorical { codes, .. } = column else { panic!("codes: {column:?}") };
    codes
}

#[test]
fn categories_are_coded_in_order_and_what_is_rare_new_or_empty_is_unknown() {
    let rows = people(&["b", "a", "b", " a ", "c", "", "d", "d"]);
    let feature = FeatureConfig { min_count: 2, ..FeatureConfig::new("age", FeatureKind::Categorical) };
    // The last two rows are not known: d is new.
    let column = fit_one(feature, &rows, &[0, 1, 2, 3, 4, 5]);
    assert_eq!(column.n_codes(), Some(3));
    assert_eq!(codes(&column), [2, 1, 2, 1, 0, 0, 0, 0]);
}

#[test]
fn a_number_at_an_edge_is_in_the_range_that_begins_there() {
    let rows = people(&["17.9", "18", "34", "35", "", "NaN"]);
    let buckets = vec![18.0, 35.0];
    let column =
        fit_one(FeatureConfig { buckets, ..FeatureConfig::new("age", FeatureKind::Numeric) }, &rows, &[]);
    assert_eq!((codes(&column), column.n_codes()), ([1, 2, 2, 3, 0, 0].as_slice(), Some(4)));
}

#[test]
fn numbers_are_standardised_by_the_known_rows_and_a_missing_one_is_the_mean_and_known_to_be_missing() {
    let rows = people(&["1", "3", "", "5"]);
    let column = fit_one(FeatureConfig::new("age", FeatureKind::Numeric), &rows, &[0, 1, 2]);
    // Of 1 and 3: mean 2, standard deviation 1.
    let expected =
        EncodedColumn::Numeric { values: vec![-1.0, 1.0, 0.0, 3.0], is_known: vec![true, true, false, true] };
    assert_eq!(column, expected);
}

#[test]
fn several_values_are_a_list_of_codes_be_they_genres_or_an_attribute_that_is_divided() {
    let films = [
        film("Heat (1995)", &["Drama", "Action", "Drama"], "De Niro| Pacino |"),
        film("Up (2009)", &[], ""),
        film("Ran (1985)", &["Drama", "War"], "Nakadai"),
    ];
    let lists = |name: &str| match fit_one(FeatureConfig::new(name, FeatureKind::Multi), &films, &[0, 2]) {
        EncodedColumn::Multi { lists, n_codes } => {
            (n_codes, [lists.of(0).to_vec(), lists.of(1).to_vec(), lists.of(2).to_vec()])
        }
        other => panic!("lists: {other:?}"),
    };
    assert_eq!(lists("genres"), (3, [vec![0, 1], vec![], vec![1, 2]]));
    assert_eq!(lists("cast"), (3, [vec![0, 2], vec![], vec![1]]));
    let year = fit_one(FeatureConfig::new("year", FeatureKind::Numeric), &films, &all(&films));
    assert!(matches!(year, EncodedColumn::Numeric { is_known, .. } if is_known == [true; 3]));
    let first = fit_one(FeatureConfig::new("genres", FeatureKind::Categorical), &films, &all(&films));
    assert_eq!(codes(&first), [1, 0, 1]);
}

#[test]
fn an_item_that_comes_later_is_encoded_by_what_was_learnt() {
    let films = [film("Heat (1995)", &["Drama"], "Pacino"), film("Ran (1985)", &["War"], "Nakadai")];
    let features = [
        FeatureConfig::new("genres", FeatureKind::Multi),
        FeatureConfig::new("cast", FeatureKind::Categorical),
        FeatureConfig::new("year", FeatureKind::Numeric),
    ];
    let encoder = FeatureEncoder::fit(&features, &films, &all(&films)).unwrap();
    let later = encoder.encode_one(&film("Untitled (soon)", &["War", "Musical"], "Nobody"));
    assert_eq!(later.n_rows, 1);
    assert_eq!(later.columns[0], EncodedColumn::Multi { lists: Ragged::from_lists([[1]]), n_codes: 2 });
    assert_eq!(later.columns[1], EncodedColumn::Categorical { codes: vec![0], n_codes: 3 });
    assert_eq!(later.columns[2], EncodedColumn::Numeric { values: vec![0.0], is_known: vec![false] });
}

fn check(feature: FeatureConfig, rows: &[UserInfo], expected: &str) {
    let error = FeatureEncoder::fit(&[feature], rows, &all(rows)).unwrap_err();
    assert!(matches!(error, DataError::Feature(_)));
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_attribute_that_no_row_has_is_named_beside_those_that_there_are() {
    let remedy = "correct the name, or read a source or a file (data.items) that has it";
    let age = |it| FeatureConfig::new(it, FeatureKind::Categorical);
    check(
        age("agee"),
        &people(&["24", ""]),
        &format!("feature \"agee\": none of the users has it; they have age: {remedy}"),
    );
    check(
        age("genres"),
        &people(&[""]),
        &format!("feature \"genres\": none of the users has it; they have no attributes at all: {remedy}"),
    );
}

#[test]
fn the_first_value_that_is_no_number_is_named_with_its_row() {
    check(
        FeatureConfig::new("age", FeatureKind::Numeric),
        &people(&["24", "", "nan", "old", "older"]),
        "feature \"age\": \"old\" of \"u\" among the users is no finite number: correct it, or set kind: categorical",
    );
}

#[test]
fn an_encoder_survives_being_saved() {
    let films = [film("Heat (1995)", &["Drama"], "Pacino"), film("Ran (1985)", &["War"], "Nakadai")];
    let features = [
        FeatureConfig::new("genres", FeatureKind::Multi),
        FeatureConfig::new("cast", FeatureKind::Categorical),
        FeatureConfig::new("year", FeatureKind::Numeric),
    ];
    let encoder = FeatureEncoder::fit(&features, &films, &all(&films)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("item_features.json");
    encoder.save(&path).unwrap();
    assert_eq!(FeatureEncoder::load(&path).unwrap(), encoder);
}

fn check_load(json: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("item_features.json");
    std::fs::write(&path, json).unwrap();
    let message = FeatureEncoder::load(&path).unwrap_err().to_string();
    assert!(message.contains("item_features.json") && message.contains(expected), "{message}");
}

#[test]
fn a_saved_encoder_that_was_changed_is_refused() {
    let remedy = "restore the file that was saved with the model";
    check_load(
        r#"{"columns":[{"kind":"category","name":"job","values":["b","a"]}]}"#,
        &format!("feature \"job\" has categories that do not ascend: {remedy}"),
    );
    check_load(
        r#"{"columns":[{"kind":"numeric","name":"age","mean":1.0,"std":0.0}]}"#,
        "feature \"age\" has no mean, or no standard deviation above 0",
    );
    check_load(
        r#"{"columns":[{"kind":"buckets","name":"age","edges":[2.0,1.0]}]}"#,
        "feature \"age\" has ranges that do not ascend",
    );
    check_load(r#"{"columns":[{"kind":"category","name":"job"}]}"#, "missing field `values`");
}

proptest! {
    #[test]
    fn any_texts_are_encoded_below_n_codes_and_alike_one_by_one(
        texts in prop::collection::vec("[a-c| ]{0,5}", 1..12),
        min_count in 1_u32..3,
    ) {
        let mut rows: Vec<UserInfo> = texts.iter().map(|text| person(text)).collect();
        rows.push(person("a"));
        for kind in [FeatureKind::Categorical, FeatureKind::Multi] {
            let feature = FeatureConfig { min_count, ..FeatureConfig::new("age", kind) };
            let encoder = FeatureEncoder::fit(&[feature], &rows, &all(&rows)).unwrap();
            let [column] = encoder.encode(&rows).columns.try_into().unwrap();
            let n_codes = column.n_codes().unwrap() as u32;
            let of_row = |column: &EncodedColumn, row: usize| match column {
                EncodedColumn::Categorical { codes, .. } => vec![codes[row]],
                EncodedColumn::Multi { lists, .. } => lists.of(row as u32).to_vec(),
                EncodedColumn::Numeric { .. } => Vec::new(),
            };
            for (at, row) in rows.iter().enumerate() {
                let codes = of_row(&column, at);
                prop_assert!(codes.is_sorted_by(|a, b| a < b) && codes.iter().all(|&code| code < n_codes));
                prop_assert_eq!(codes, of_row(&encoder.encode_one(row).columns[0], 0));
            }
        }
    }
}

//! The published data sets, counted. Skipped where they are not: they may not be copied into the repository.

use std::path::PathBuf;
use std::time::Instant;

use cresset_data::processed::write_folder;
use cresset_data::{DataConfig, Dataset, Ratings, SourceKind, Split, SplitNote, TimeKind};

/// The data set, or nothing and a word where its folder is not there.
fn load(source: SourceKind) -> Option<Dataset> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data_dir = std::env::var_os("CRESSET_DATA").map_or(beside, PathBuf::from);
    let folder = data_dir.join(source.default_folder());
    if !folder.is_dir() {
        eprintln!("skipped: no folder {}", folder.display());
        return None;
    }
    let start = Instant::now();
    let data = Dataset::load(&DataConfig { source, ..DataConfig::default() }, &data_dir)
        .expect("the published files are whole");
    eprintln!("{}: {} in {:?}", source.name(), data.cleaning, start.elapsed());
    Some(data)
}

fn counts(data: &Dataset) -> (usize, usize, usize) {
    (data.ratings.len(), data.n_users(), data.n_items())
}

/// The number of rows with each of the ratings `step`, `2 * step` ... up to 5.
fn histogram(data: &Dataset, step: f32) -> Vec<usize> {
    let of = |rating: f32| data.ratings.rating.iter().filter(|&&it| it == rating).count();
    (1..=(5.0 / step) as usize).map(|n| of(n as f32 * step)).collect()
}

fn title_of<'d>(data: &'d Dataset, id: &str) -> &'d str {
    &data.titles[data.items.index_of(id).expect("the film is rated") as usize]
}

#[test]
fn movielens_100k_has_its_published_counts() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    assert_eq!(counts(&data), (100_000, 943, 1_682));
    assert_eq!(histogram(&data, 1.0), [6_110, 11_370, 27_145, 34_174, 21_201]);
    assert_eq!(data.ratings.time.iter().min(), Some(&874_724_710));
    assert_eq!(data.ratings.time.iter().max(), Some(&893_286_638));
    assert_eq!(title_of(&data, "1"), "Toy Story (1995)");
    // 2,893 flags, 2 of them of the genre "unknown".
    assert_eq!(data.catalogue.items.iter().map(|item| item.genres.len()).sum::<usize>(), 2_891);
    assert!(data.catalogue.users.iter().all(|user| user.attributes.len() == 4));
}

#[test]
fn movielens_1m_has_its_published_counts() {
    let Some(data) = load(SourceKind::MovieLens1m) else { return };
    assert_eq!(counts(&data), (1_000_209, 6_040, 3_706));
    assert_eq!(histogram(&data, 1.0), [56_174, 107_557, 261_197, 348_971, 226_310]);
    assert_eq!(title_of(&data, "1"), "Toy Story (1995)");
    assert!(data.catalogue.items.iter().all(|item| item.title != item.id && !item.genres.is_empty()));
    if data.ratings.time_kind == TimeKind::Ordinal {
        let split = Split::temporal(&data.ratings, 0.1, 0.1).unwrap();
        assert_eq!(split.note.rows_without_time, 598);
        assert_eq!(split.note.users_without_test, 0);
        assert_eq!(split.note.test_rows_tied_with_train, 0);
    }
}

#[test]
fn movielens_latest_small_has_its_published_counts() {
    let Some(data) = load(SourceKind::MovieLensCsv) else { return };
    if data.ratings.len() != 100_836 {
        return eprintln!("skipped: another edition of latest-small");
    }
    assert_eq!(counts(&data), (100_836, 610, 9_724));
    assert_eq!(histogram(&data, 0.5), [1370, 2811, 1791, 7551, 5550, 20047, 13136, 26818, 8551, 13211]);
    assert_eq!(title_of(&data, "11"), "American President, The (1995)");
}

/// The sizes of training, validation and test of ML-100K under a `data` section, and the note.
fn split_of(data: &Dataset, section: &str) -> ([usize; 3], SplitNote) {
    let config: DataConfig = serde_json::from_str(section).expect("a section of a config");
    let split = Split::of(&data.ratings, &config, 0).expect("ratings enough");
    eprintln!("{}", split.note);
    ([split.train.len(), split.valid.len(), split.test.len()], split.note)
}

// The numbers of the splits by time were counted apart, by a few lines of Python over u.data and ratings.csv.

#[test]
fn the_splits_of_movielens_100k_by_chance_have_the_sizes_asked_for() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    assert_eq!(split_of(&data, r#"{ "split": "random" }"#).0, [80_000, 10_000, 10_000]);
    assert_eq!(split_of(&data, r#"{ "split": "k_fold" }"#).0, [72_000, 8_000, 20_000]);
    let (sizes, note) = split_of(&data, r#"{ "split": "random", "per_user": true }"#);
    assert_eq!((sizes, note.test_rows_of_new_users), ([80_808, 9_596, 9_596], 0));
}

#[test]
fn the_splits_of_movielens_100k_within_users_put_ties_in_order_and_count_them() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    let (sizes, note) = split_of(&data, r#"{ "split": "temporal" }"#);
    assert_eq!(sizes, [80_808, 9_596, 9_596]);
    assert_eq!((note.test_rows_tied_with_train, note.test_rows_tied_with_valid), (141, 947));
    let (sizes, note) = split_of(&data, r#"{ "split": "leave_one_out" }"#);
    assert_eq!(sizes, [98_114, 943, 943]);
    assert_eq!((note.test_rows_tied_with_train, note.test_rows_tied_with_valid), (238, 415));
    assert_eq!((note.test_rows_before_train_ends, note.users_without_test), (Some(942), 0));
}

#[test]
fn a_cut_through_the_times_of_movielens_100k_leaves_mostly_new_users_to_test() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    let (sizes, note) = split_of(&data, r#"{ "split": "global_time" }"#);
    assert_eq!(sizes, [79_999, 10_001, 10_000]);
    assert_eq!(note.method, "global time, validation from 889237269, test from 891382309");
    assert_eq!((note.test_rows_of_new_users, note.test_rows_of_new_items), (8_582, 149));
    assert_eq!(note.test_rows_before_train_ends, Some(0));
    let dates = r#"{ "split": "global_time", "valid_from": "1998-02-01", "test_from": "1998-03-01" }"#;
    assert_eq!(split_of(&data, dates).0, [66_994, 10_991, 22_015]);
}

#[test]
fn leave_one_out_tests_everybody_in_movielens_latest_small_and_1m() {
    if let Some(data) = load(SourceKind::MovieLensCsv).filter(|data| data.ratings.len() == 100_836) {
        let (sizes, note) = split_of(&data, r#"{ "split": "leave_one_out" }"#);
        assert_eq!(sizes, [99_616, 610, 610]);
        assert_eq!((note.test_rows_tied_with_train, note.test_rows_tied_with_valid), (63, 94));
    }
    if let Some(data) = load(SourceKind::MovieLens1m) {
        let (sizes, note) = split_of(&data, r#"{ "split": "leave_one_out" }"#);
        assert_eq!(sizes, [988_129, 6_040, 6_040]);
        let is_ordinal = data.ratings.time_kind == TimeKind::Ordinal;
        assert_eq!(note.test_rows_before_train_ends.is_none(), is_ordinal);
    }
}

#[test]
fn movielens_100k_is_the_same_from_a_processed_folder() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    let data_dir = tempfile::tempdir().unwrap();
    let split = Split::random(&data.ratings, 0.1, 0.1, 42).unwrap();
    write_folder(&data_dir.path().join("processed"), &data, &split).unwrap();
    let config = DataConfig { source: SourceKind::TwoTowerFolder, ..DataConfig::default() };
    let again = Dataset::load(&config, data_dir.path()).unwrap();
    assert_eq!((&again.users, &again.items), (&data.users, &data.items));
    // The folder gives the split as well.
    assert_eq!(Split::given(&again.ratings).unwrap().test, split.test);
    assert_eq!(Ratings { parts: None, ..again.ratings }, data.ratings);
    assert_eq!(again.catalogue, data.catalogue);
}

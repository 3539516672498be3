//! The published data sets, counted. Skipped where they are not: they may not be copied into the repository.

use std::path::PathBuf;
use std::time::Instant;

use cresset_data::{DataConfig, Dataset, SourceKind, Split, SplitKind, TimeKind};

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

#[test]
fn the_splits_of_movielens_100k_have_the_sizes_asked_for() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    for split in [SplitKind::Random, SplitKind::Temporal, SplitKind::KFold] {
        let config = DataConfig { split, ..DataConfig::default() };
        let split = Split::of(&data.ratings, &config, 0).unwrap();
        eprintln!("{}", split.note);
        let sizes = (split.train.len(), split.valid.len(), split.test.len());
        match config.split {
            SplitKind::Random => assert_eq!(sizes, (80_000, 10_000, 10_000)),
            SplitKind::KFold => assert_eq!(sizes, (72_000, 8_000, 20_000)),
            SplitKind::Temporal => {
                // Counted apart by a few lines of Python over u.data.
                assert_eq!(sizes.2, 10_037);
                assert_eq!(
                    (split.note.test_rows_tied_with_train, split.note.test_rows_tied_with_valid),
                    (115, 999)
                );
            }
        }
    }
}

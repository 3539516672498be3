//! Sources of interactions: what they return is whole, the same each time, and becomes a data set.

use std::collections::HashSet;
use std::fmt::Debug;

use cresset_data::features::{Genome, UserTags};
use cresset_data::{
    DataConfig, DataError, Dataset, FileNames, FilesConfig, IdColumn, NO_TIME, OnBadRow, RawData, SourceKind,
    Split, SplitKind, TimeKind, Vocabulary,
};

use super::folder::{DataDir, SET};
use super::graphs;

pub(crate) fn movielens_100k(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["u.data", "u.item", "u.genre", "u.user"]);
    check(&dir, &of(SourceKind::MovieLens100k));
}

pub(crate) fn movielens_1m(bytes: &[u8]) {
    let names = ["ratings.dat", "movies.dat", "users.dat", "ratings_ordered.csv", "ratings_rare_items.csv"];
    check(&DataDir::of(bytes, &names), &of(SourceKind::MovieLens1m));
}

pub(crate) fn movielens_csv(bytes: &[u8]) {
    let names =
        ["ratings.csv", "movies.csv", "links.csv", "tags.csv", "genome-scores.csv", "genome-tags.csv"];
    let dir = DataDir::of(bytes, &names);
    check(&dir, &of(SourceKind::MovieLensCsv));
    let items = Vocabulary::from_ids(["1", "2", "30"]);
    for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
        if let Some(tags) = twice(|| UserTags::read(&dir.set(), on_bad_row)) {
            assert_eq!(
                [tags.users.codes().len(), tags.items.codes().len(), tags.tags.codes().len()],
                [tags.len(); 3]
            );
            let tags = tags.of_items(&items, &Default::default());
            assert!(tags.lists.codes().iter().all(|&tag| (tag as usize) < tags.names.len()));
        }
        if let Some(genome) = twice(|| Genome::read(&dir.set(), &items, on_bad_row)) {
            assert_eq!(genome.scores.values.len(), items.len() * genome.tags.len());
            assert!(genome.scores.values.iter().all(|score| (0.0..=1.0).contains(score)));
        }
    }
}

pub(crate) fn recbole(bytes: &[u8]) {
    let names = ["set.inter", "set.train.inter", "set.valid.inter", "set.test.inter", "set.item", "set.user"];
    check(&DataDir::of(bytes, &names), &of(SourceKind::RecBole));
}

/// Pairs and whole histories, in order of time without times.
pub(crate) fn histories(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["set.txt"]);
    for source in [SourceKind::SasRec, SourceKind::Sequences] {
        check(&dir, &of(source));
    }
}

pub(crate) fn kgat(bytes: &[u8]) {
    let names = [
        "train.txt",
        "valid.txt",
        "test.txt",
        "item_list.txt",
        "user_list.txt",
        "kg_final.txt",
        "entity_list.txt",
        "relation_list.txt",
    ];
    let dir = DataDir::of(bytes, &names);
    check(&dir, &of(SourceKind::Kgat));
    graphs::check(&dir, r#"{ "format": "kgat" }"#);
    graphs::check(&dir, r#"{ "format": "kgat", "item_ids": "original" }"#);
}

pub(crate) fn kgcn(bytes: &[u8]) {
    let names = ["ratings_final.txt", "item_index2entity_id.txt", "kg.txt", "kg_part1.txt", "kg_part2.txt"];
    let dir = DataDir::of(bytes, &names);
    check(&dir, &of(SourceKind::Kgcn));
    graphs::check(&dir, r#"{ "format": "kgcn" }"#);
    graphs::check(&dir, r#"{ "format": "kgcn", "item_ids": "remapped" }"#);
}

pub(crate) fn mmrec(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["set.inter", "i_id_mapping.csv", "u_id_mapping.csv"]);
    check(&dir, &of(SourceKind::MmRec));
}

/// Reviews and ratings, whichever are there, and metadata.
pub(crate) fn amazon(bytes: &[u8]) {
    let interactions = ["Beauty.jsonl", "Beauty.csv", "Beauty.train.csv", "Beauty.test.csv"];
    let dir = DataDir::of(bytes, &[&interactions[..], &["meta_Beauty.jsonl"]].concat());
    let there = interactions.into_iter().filter(|name| dir.has(name)).map(str::to_owned).collect();
    let files = FilesConfig { interactions: Some(FileNames::Several(there)), metadata: None };
    check(&dir, &DataConfig { files, ..json(r#"{ "source": "amazon", "id_order": "item_first" }"#) });
}

pub(crate) fn multimodal(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["ratings.dat", "movies.dat", "user.dat", "text.csv"]);
    check(&dir, &of(SourceKind::Multimodal));
}

/// One table in several dialects.
pub(crate) fn csv_columns(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["ratings.csv"]);
    for config in [
        r#"{ "source": "csv" }"#,
        r#"{ "source": "csv", "separator": ";", "columns": { "part": "part", "time": "when" } }"#,
        r#"{ "source": "csv", "separator": "\\t", "time_unit": "milliseconds", "columns": { "item": 0 } }"#,
        r#"{ "source": "csv", "separator": "::", "header": false, "time_unit": "position",
             "columns": { "user": 0, "item": 1, "rating": 2, "time": 3 } }"#,
    ] {
        check(&dir, &json(config));
    }
}

/// Descriptions of items in each format, over the same few ratings.
pub(crate) fn item_files(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["items.jsonl", "items.json", "items.dat", "items.csv"]);
    dir.write("ratings.csv", b"userId,movieId,rating\nann,1,3\nbob,2,4\nbob,x,5\n");
    for (name, format) in [
        ("items.jsonl", r#""format": "json_lines""#),
        ("items.json", r#""format": "json_object", "columns": ["plot"]"#),
        ("items.dat", r#""format": "delimited", "columns": ["id", "title", "genres", "plot"]"#),
        ("items.csv", r#""format": "csv", "separator": ";", "rename": { "name": "title" }"#),
    ] {
        if dir.has(name) {
            let item_file = format!(r#"{{ "file": "{name}", {format} }}"#);
            check(&dir, &json(&format!(r#"{{ "source": "movielens-csv", "items": [{item_file}] }}"#)));
        }
    }
}

fn of(source: SourceKind) -> DataConfig {
    DataConfig { source, ..DataConfig::default() }
}

fn json(config: &str) -> DataConfig {
    serde_json::from_str(config).unwrap()
}

/// Reads the data set both ways, and holds what comes out against what is promised.
pub(crate) fn check(dir: &DataDir, config: &DataConfig) {
    let config_of = |on_bad_row| DataConfig { on_bad_row, name: Some(SET.to_owned()), ..config.clone() };
    let (strict, lenient) = (config_of(OnBadRow::Error), config_of(OnBadRow::Skip));
    let read = |config: &DataConfig| twice(|| config.source.read(config, dir.path()));
    let (strictly, leniently) = (read(&strict), read(&lenient));
    if let Some(raw) = &strictly {
        assert_eq!(leniently.as_ref(), Some(raw), "where no row is bad none is left out");
        check_strict(raw);
    }
    for (raw, config) in [(strictly, strict), (leniently, lenient)] {
        let Some(raw) = raw else { continue };
        check_raw(&raw);
        check_dataset(raw, config);
    }
}

/// The result, which must be the same a second time; an error must say something.
pub(crate) fn twice<T: Debug>(read: impl Fn() -> Result<T, DataError>) -> Option<T> {
    let (first, second) = (read(), read());
    let shown = |result: &Result<T, DataError>| match result {
        Ok(found) => format!("{found:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown(&first), shown(&second), "two readings of a file are equal");
    assert!(!shown(&first).is_empty(), "an error says what is wrong");
    first.ok()
}

/// What holds of rows none of which was left out.
fn check_strict(raw: &RawData) {
    let rows = &raw.interactions;
    let (low, high) = raw.rating_range;
    assert!(rows.ratings.iter().all(|rating| (low..=high).contains(rating)), "{:?}", rows.ratings);
    for column in [&rows.users, &rows.items] {
        assert!((0..rows.len()).all(|row| !column.name_at(row).is_empty()), "every row has its ids");
    }
    assert_eq!((raw.unreadable.n_lines, &raw.unreadable.first), (0, &None));
}

/// What holds of all rows.
fn check_raw(raw: &RawData) {
    let rows = &raw.interactions;
    let lengths = [rows.times.len(), rows.users.codes().len(), rows.items.codes().len()];
    assert_eq!(lengths, [rows.len(); 3], "columns are of equal length");
    assert!(rows.parts.as_ref().is_none_or(|parts| parts.len() == rows.len()), "one part for each row");
    check_ids(&rows.users);
    check_ids(&rows.items);
    let (low, high) = raw.rating_range;
    assert!(low.is_finite() && high.is_finite() && low <= high, "{low} to {high} is a scale");
    assert_eq!(
        raw.unreadable.first.is_some(),
        raw.unreadable.n_lines > 0,
        "the first unreadable line is kept"
    );
    match rows.time_kind {
        TimeKind::Absent => assert!(rows.times.iter().all(|&time| time == NO_TIME)),
        TimeKind::Ordinal | TimeKind::Timestamp => {}
    }
}

fn check_ids(column: &IdColumn) {
    let names = column.names();
    assert!(column.codes().iter().all(|&code| (code as usize) < names.len()), "a code stands for a name");
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "no id has two codes");
}

/// Cleans, indexes and splits what was read.
fn check_dataset(raw: RawData, config: DataConfig) {
    let config = DataConfig { split: SplitKind::Random, valid_ratio: 0.2, test_ratio: 0.2, ..config };
    let Ok(data) = Dataset::from_raw(raw, &config) else { return };
    let left_out: u64 = data.cleaning.steps().iter().map(|(_, n_rows)| n_rows).sum();
    assert_eq!(data.cleaning.read, data.cleaning.kept + left_out, "{}", data.cleaning);
    assert_eq!(data.ratings.len() as u64, data.cleaning.kept);
    assert!(data.ratings.rating.iter().all(|rating| rating.is_finite()));
    assert!(data.ratings.user_id.iter().all(|&user| (user as usize) < data.n_users()));
    assert!(data.ratings.item_id.iter().all(|&item| (item as usize) < data.n_items()));
    assert_eq!([data.titles.len(), data.catalogue.items.len()], [data.n_items(); 2]);
    if let Ok(split) = Split::of(&data.ratings, &config, 0) {
        let mut rows = [split.train, split.valid, split.test].concat();
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..data.ratings.len() as u32), "each row is in one part");
    }
}

//! MovieLens 100K, where it is, in each format: the same rows come back. The tests skip where it is not.

use std::fmt::Write;
use std::path::PathBuf;

use cresset_data::{DataConfig, Dataset, Interactions, NO_TIME, Part, RawData, SourceKind, TimeKind};

use crate::support::{Files, load, read};
use crate::writers;

/// A folder of the published data, or nothing and a word where it is not there.
fn folder(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data_dir = std::env::var_os("CRESSET_DATA").map_or(beside, PathBuf::from);
    let folder = data_dir.join(name);
    let is_there = folder.is_dir();
    if !is_there {
        eprintln!("skipped: no folder {}", folder.display());
    }
    is_there.then_some(folder)
}

/// The data set as GroupLens published it.
fn published() -> Option<RawData> {
    let folder = folder("ml-100k")?;
    let source = SourceKind::MovieLens100k;
    let config = DataConfig { source, ..DataConfig::default() };
    Some(source.read(&config, folder.parent().unwrap()).unwrap())
}

/// The rows in the order of `key`.
fn sorted<K: Ord>(rows: &Interactions, key: impl Fn(usize) -> K) -> Interactions {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&row| key(row));
    let mut sorted = Interactions { time_kind: rows.time_kind, ..Interactions::default() };
    for row in order {
        let (user, item) = (rows.users.name_at(row), rows.items.name_at(row));
        let part = rows.parts.as_ref().map(|parts| parts[row]);
        sorted.push_in_part(user, item, rows.ratings[row], rows.times[row], part);
    }
    sorted
}

/// Every fifth row to test.
fn with_parts(rows: &Interactions) -> Interactions {
    let part = |row| if row % 5 == 4 { Part::Test } else { Part::Train };
    Interactions { parts: Some((0..rows.len()).map(part).collect()), ..rows.clone() }
}

/// The rows without ratings and times.
fn implicit(rows: &Interactions) -> Interactions {
    let (ratings, times) = (vec![1.0; rows.len()], vec![NO_TIME; rows.len()]);
    Interactions { ratings, times, time_kind: TimeKind::Absent, ..rows.clone() }
}

fn number(id: &str) -> u32 {
    id.parse().unwrap()
}

fn check(source: SourceKind, files: &Files, expected: &Interactions) -> Dataset {
    assert_eq!(&read(source, files).interactions, expected);
    let data = load(source, files);
    assert_eq!((data.ratings.len(), data.n_users(), data.n_items()), (100_000, 943, 1_682));
    data
}

#[test]
fn movielens_100k_survives_recbole_with_its_titles_genres_and_users() {
    let Some(published) = published() else { return };
    let mut files = writers::recbole(&published.interactions);
    let (mut items, mut users) = (
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\n".to_owned(),
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip:token\n".to_owned(),
    );
    for item in &published.catalogue.items {
        writeln!(items, "{}\t{}\t{}", item.id, item.title, item.genres.join(" ")).unwrap();
    }
    for user in &published.catalogue.users {
        let values: Vec<&str> = user.attributes.iter().map(|(_, value)| value.as_str()).collect();
        writeln!(users, "{}\t{}", user.id, values.join("\t")).unwrap();
    }
    files.extend([("set.item".to_owned(), items), ("set.user".to_owned(), users)]);
    let data = check(SourceKind::RecBole, &files, &published.interactions);
    let mut expected = Dataset::from_raw(published, &DataConfig::default()).unwrap();
    expected.rating_range = data.rating_range;
    assert_eq!(data, expected);
}

#[test]
fn movielens_100k_survives_the_pre_splits_of_recbole_and_mmrec() {
    let Some(published) = published() else { return };
    let rows = with_parts(&published.interactions);
    check(SourceKind::MmRec, &writers::mmrec(&rows), &rows);
    let rows = sorted(&rows, |row| rows.parts.as_ref().unwrap()[row]);
    check(SourceKind::RecBole, &writers::recbole(&rows), &rows);
}

#[test]
fn movielens_100k_survives_sasrec_and_sequence_lines_in_its_order_of_time() {
    let Some(published) = published() else { return };
    let rows = &published.interactions;
    let key = |row| (number(rows.users.name_at(row)), rows.times[row], number(rows.items.name_at(row)));
    let mut rows = implicit(&sorted(rows, key));
    rows.time_kind = TimeKind::Ordinal;
    let codes = rows.users.codes().to_vec();
    for row in 0..rows.len() {
        rows.times[row] = if row > 0 && codes[row] == codes[row - 1] { rows.times[row - 1] + 1 } else { 0 };
    }
    check(SourceKind::SasRec, &writers::sasrec(&rows), &rows);
    check(SourceKind::Sequences, &writers::sequences(&rows), &rows);
}

#[test]
fn movielens_100k_survives_kgat_and_kgcn() {
    let Some(published) = published() else { return };
    let rows = implicit(&published.interactions);
    let data = check(SourceKind::Kgcn, &writers::kgcn(&rows), &rows);
    assert_eq!(data.cleaning.sampled_negatives, 33_334);
    let rows = with_parts(&rows);
    let rows = sorted(&rows, |row| rows.parts.as_ref().unwrap()[row]);
    check(SourceKind::Kgat, &writers::kgat(&rows), &rows);
}

#[test]
fn the_items_of_a_published_kgcn_folder_have_their_ids_from_before() {
    let name = "item_index2entity_id.txt";
    let Some(folder) = folder("movielens-kg/ml-1m-mkr") else { return };
    let published = std::fs::read_to_string(folder.join(name)).unwrap();
    let files = [("ratings_final.txt".to_owned(), "0\t0\t1\n".to_owned()), (name.to_owned(), published)];
    let items = read(SourceKind::Kgcn, &files.to_vec()).catalogue.items;
    assert_eq!(items.len(), 2_347);
    let mut entities: Vec<u32> = items.iter().map(|item| number(&item.id)).collect();
    entities.sort_unstable();
    assert_eq!(entities, (0..2_347).collect::<Vec<_>>());
    assert_eq!(items[0].attribute("org_id"), Some(items[0].title.as_str()));
}

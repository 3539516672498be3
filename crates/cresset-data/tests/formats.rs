//! Each format of MovieLens in a few lines of our own.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;
use std::io::Write;
use std::path::Path;

use cresset_data::{DataConfig, Dataset, ItemInfo, NO_TIME, SourceKind, TimeKind};
use flate2::{Compression, write::GzEncoder};

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(content).unwrap();
    gz.finish().unwrap()
}

/// Loads the files of a data set, plain, and again with every file compressed, which must make no difference.
fn load(source: SourceKind, files: &[(&str, &[u8])]) -> Dataset {
    let data_dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(data_dir.path(), &format!("plain/{name}"), content);
        write(data_dir.path(), &format!("gz/{name}.gz"), &compressed(content));
    }
    let load = |name: &str| {
        let config = DataConfig { source, name: Some(name.to_owned()), ..DataConfig::default() };
        Dataset::load(&config, data_dir.path()).unwrap()
    };
    assert_eq!(load("gz"), load("plain"));
    load("plain")
}

fn write(data_dir: &Path, name: &str, content: &[u8]) {
    let path = data_dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn film(id: &str, title: &str, genres: &[&str]) -> ItemInfo {
    ItemInfo {
        id: id.to_owned(),
        title: title.to_owned(),
        genres: genres.iter().map(|&it| it.to_owned()).collect(),
        ..ItemInfo::default()
    }
}

#[test]
fn the_100k_format_is_read_with_titles_genres_and_users() {
    let data = load(
        SourceKind::MovieLens100k,
        &[
            ("u.data", b"196\t242\t3\t881250949\n22\t50\t1\t878887116\n"),
            (
                "u.item",
                b"50|Am\xe9lie (2001)|01-Jan-2001||http://x|0|1|1\n242|Kolya (1996)|||http://y|1|0|0\n",
            ),
            ("u.genre", b"unknown|0\nComedy|1\nRomance|2\n\n"),
            ("u.user", b"22|25|M|writer|40206\n196|49|M|writer|55105\n"),
        ],
    );
    assert_eq!(data.users.ids(), ["22", "196"]);
    assert_eq!(data.ratings.rating, [3.0, 1.0]);
    assert_eq!(data.ratings.time, [881_250_949, 878_887_116]);
    assert_eq!(data.ratings.time_kind, TimeKind::Timestamp);
    assert_eq!(data.rating_range, (1.0, 5.0));
    assert_eq!(
        data.catalogue.items,
        [film("50", "Amélie (2001)", &["Comedy", "Romance"]), film("242", "Kolya (1996)", &[])]
    );
    assert_eq!(data.catalogue.users[0].attributes[0], ("age".to_owned(), "25".to_owned()));
}

#[test]
fn the_1m_format_is_read_with_titles_genres_and_users() {
    let data = load(
        SourceKind::MovieLens1m,
        &[
            ("ratings.dat", b"1::1193::5::978300760\n2::661::3::978302109\n"),
            ("movies.dat", b"661::James: and the Giant Peach (1996)::Animation|Children's\n"),
            ("users.dat", b"1::F::1::10::48067\n"),
        ],
    );
    assert_eq!(data.titles, ["James: and the Giant Peach (1996)", "1193"]);
    assert_eq!(data.catalogue.items[0].genres, ["Animation", "Children's"]);
    assert_eq!(data.catalogue.users[0].attributes[0], ("gender".to_owned(), "F".to_owned()));
    assert_eq!(data.ratings.time, [978_300_760, 978_302_109]);
}

#[test]
fn the_1m_ratings_may_have_an_order_and_some_of_them_none() {
    let data = load(
        SourceKind::MovieLens1m,
        &[
            ("ratings_ordered.csv", b"userId,movieId,rating,seq\n1,3186,4,0\n1,1022,5,1\n"),
            ("ratings_rare_items.csv", b"userId,movieId,rating\n1,7,2\n"),
        ],
    );
    assert_eq!(data.ratings.time_kind, TimeKind::Ordinal);
    assert_eq!(data.ratings.time, [0, 1, NO_TIME]);
}

#[test]
fn the_csv_format_is_read_by_the_names_of_its_columns() {
    let data = load(
        SourceKind::MovieLensCsv,
        &[
            ("ratings.csv", b"rating,timestamp,userId,movieId\r\n4.5,964982703,1,11\r\n"),
            ("movies.csv", b"movieId,title,genres\r\n11,\"American President, The (1995)\",Comedy|Drama\r\n"),
            ("links.csv", b"movieId,imdbId,tmdbId\r\n11,0112346,9087\r\n12,0112896,\r\n"),
        ],
    );
    let links =
        [("imdb_id", "0112346"), ("tmdb_id", "9087")].map(|(name, id)| (name.to_owned(), id.to_owned()));
    let film = film("11", "American President, The (1995)", &["Comedy", "Drama"]);
    assert_eq!(data.catalogue.items, [ItemInfo { attributes: links.to_vec(), ..film }]);
    assert_eq!((data.ratings.rating[0], data.ratings.time[0]), (4.5, 964_982_703));
    assert_eq!(data.rating_range, (0.5, 5.0));
}

#[test]
fn the_other_spelling_of_the_csv_files_is_read_with_its_dates() {
    let data = load(
        SourceKind::MovieLensCsv,
        &[
            (
                "rating.csv",
                b"\xef\xbb\xbf\"userId\",\"movieId\",\"rating\",\"timestamp\"\n\
                  1,2,3.5,\"2005-04-02 23:53:47\"\n",
            ),
            ("movie.csv", b"\"movieId\",\"title\",\"genres\"\n2,\"Jumanji (1995)\",\"(no genres listed)\"\n"),
        ],
    );
    assert_eq!(data.ratings.time, [1_112_486_027]);
    assert_eq!(data.catalogue.items, [film("2", "Jumanji (1995)", &[])]);
}

#[test]
fn a_csv_without_times_has_none() {
    let data = load(SourceKind::MovieLensCsv, &[("ratings.csv", b"user_id,item_id,rating\nann,x,3\n")]);
    assert_eq!((data.ratings.time_kind, data.ratings.time[0]), (TimeKind::Absent, NO_TIME));
    assert_eq!((data.users.id_of(0), data.titles[0].as_str()), ("ann", "x"));
}

#[test]
fn the_built_in_world_needs_no_file() {
    let data = Dataset::load(&DataConfig::default(), Path::new("nowhere")).unwrap();
    assert_eq!(data.ratings.len(), DataConfig::default().synthetic.n_ratings);
    assert_eq!(data.cleaning.kept, data.cleaning.read);
    assert_eq!((data.ratings.time_kind, data.rating_range), (TimeKind::Timestamp, (0.5, 5.0)));
    assert!(data.catalogue.items.iter().all(|item| item.title != item.id));
}

//! Published files that describe films, counted. Skipped where they are not: they may not be copied into the repository.

use std::path::PathBuf;

use cresset_data::{DataConfig, Dataset, ItemFileReport};

/// The data directory, or nothing and a word where the folder is not there.
fn data_dir(folder: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data_dir = std::env::var_os("CRESSET_DATA").map_or(beside, PathBuf::from);
    if !data_dir.join(folder).is_dir() {
        eprintln!("skipped: no folder {}", data_dir.join(folder).display());
        return None;
    }
    Some(data_dir)
}

fn load(folder: &str, json: &str) -> Option<Dataset> {
    let config: DataConfig = serde_json::from_str(json).expect("a config of this test");
    let data_dir = data_dir(folder)?;
    Some(Dataset::load(&config, &data_dir).expect("the published files are whole"))
}

fn counts(report: &ItemFileReport, field: &str) -> (u64, u64) {
    (report.n_records, report.fields.get(field).copied().unwrap_or(0))
}

#[test]
fn the_descriptions_of_movielens_1m_have_their_published_counts() {
    let json = r#"{ "source": "movielens-1m", "items": [
        { "file": "omdb_metadata_ml1m.jsonl", "rename": { "imdb_id": "imdb" } },
        { "file": "movies_extrainfos.dat", "format": "delimited",
          "columns": ["id", "title", "year", "rated", "released", "genre", "director", "writer", "actors", "plot", "poster"] },
        { "file": "dbpedia_abstracts.json", "format": "json_object", "columns": ["abstract"] },
        { "file": "links_artificial.csv", "format": "csv", "id": "movie_id", "columns": ["imdbId", "tmdbId"] } ] }"#;
    let Some(data) = load("ml-1m", json) else { return };
    let [omdb, extra, dbpedia, links] = &data.item_files[..] else { panic!("a report for each file") };
    assert_eq!(counts(omdb, "plot"), (3_883, 3_856));
    assert_eq!(counts(extra, "plot"), (3_881, 3_845));
    assert_eq!(counts(dbpedia, "abstract"), (3_301, 3_301));
    assert_eq!(counts(links, "imdbId"), (3_883, 3_883));
    // 177 of the 3,883 films are not rated, and 3,228 of the abstracts are of films that are.
    assert_eq!((omdb.n_unrated, dbpedia.n_unrated), (177, 3_301 - 3_228));

    let toy_story = &data.catalogue.items[data.items.index_of("1").expect("the film is rated") as usize];
    // The titles and genres of movies.dat come first, the plot of the first file that has one.
    assert_eq!(toy_story.title, "Toy Story (1995)");
    assert_eq!(toy_story.genres, ["Animation", "Children's", "Comedy"]);
    assert!(toy_story.attribute("plot").is_some_and(|plot| plot.starts_with("A cowboy doll")));
    assert_eq!(toy_story.attribute("imdb"), Some("0114709"));
    // It is one of the films without an abstract.
    assert!(toy_story.attribute("poster").is_some() && toy_story.attribute("abstract").is_none());
    let abstracts = data.catalogue.items.iter().filter(|item| item.attribute("abstract").is_some());
    assert_eq!(abstracts.count(), 3_228);
}

#[test]
fn the_descriptions_of_movielens_100k_have_their_published_counts() {
    let json = r#"{ "source": "movielens-100k",
        "items": [{ "file": "../ml-100k-multimodal/omdb_metadata_ml100k.jsonl.gz", "columns": ["plot"] }] }"#;
    if data_dir("ml-100k-multimodal").is_none() {
        return;
    }
    let Some(data) = load("ml-100k", json) else { return };
    assert_eq!(counts(&data.item_files[0], "plot"), (1_682, 1_671));
    let plots = data.catalogue.items.iter().filter(|item| item.attribute("plot").is_some()).count();
    assert_eq!((plots, data.item_files[0].n_unrated), (1_671, 0));
    assert_eq!(data.item_files[0].fields.len(), 1);
}

#[test]
fn the_links_of_latest_small_become_attributes() {
    let Some(data) = load("ml-latest-small", r#"{ "source": "movielens-csv" }"#) else { return };
    let links = &data.item_files[0];
    // 9,742 films, of which 18 are not rated and 8 are not in the second catalogue.
    assert_eq!((counts(links, "imdb_id"), counts(links, "tmdb_id").1), ((9_742, 9_742), 9_734));
    assert_eq!(links.n_unrated, 18);
    let toy_story = &data.catalogue.items[data.items.index_of("1").expect("the film is rated") as usize];
    assert_eq!(
        (toy_story.attribute("imdb_id"), toy_story.attribute("tmdb_id")),
        (Some("0114709"), Some("862"))
    );
}

#[test]
fn ratings_of_4_and_up_by_users_with_5_of_them_have_the_published_counts() {
    let json = r#"{ "source": "movielens-100k", "min_rating": 4, "min_user_ratings": 5 }"#;
    let Some(data) = load("ml-100k", json) else { return };
    assert_eq!((data.n_users(), data.n_items(), data.ratings.len()), (938, 1_447, 55_361));
}

//! Vectors and features of the published data sets, counted. Skipped where the files are not: they may not be copied
//! into the repository.

#![expect(clippy::unwrap_used, reason = "the published files are whole")]

use std::path::PathBuf;

use cresset_data::features::{
    Calendar, EncodedColumn, FeatureConfig, FeatureKind, Features, Genome, Genres, IncompleteRow, TagsConfig,
    UserTags,
};
use cresset_data::vectors::{IdMap, IdMapConfig, Vectors, VectorsConfig};
use cresset_data::{DataConfig, Dataset, OnBadRow, Side, SourceKind, Vocabulary};

/// A file or folder of the data directory, or nothing and a word where it is not there.
fn find(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("CRESSET_DATA").map_or(beside, PathBuf::from).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no {}", path.display());
    None
}

fn read(name: &str) -> Option<Vectors> {
    Some(Vectors::read(&find(name)?, &VectorsConfig::default()).unwrap())
}

fn load(source: SourceKind) -> Option<Dataset> {
    let folder = find(source.default_folder())?;
    let config = DataConfig { source, ..DataConfig::default() };
    Some(Dataset::load(&config, folder.parent().unwrap()).unwrap())
}

#[test]
fn the_poster_features_join_both_movielens_editions() {
    let Some(posters) = read("ml-100k-multimodal/poster_features_ml1m.csv.gz") else { return };
    assert_eq!((posters.len(), posters.dim), (3_256, 112));
    assert_eq!(
        (posters.ids[0].as_str(), posters.row(0)[..3].to_vec()),
        ("1", vec![0.012858, 0.064616, 0.055176])
    );
    let Some(map) = find("ml-100k-multimodal/ml100k_to_ml1m.csv") else { return };
    let map = IdMap::read(&map, &IdMapConfig::default()).unwrap();
    assert_eq!(map.len(), 1_670);
    let Some(ml_100k) = load(SourceKind::MovieLens100k) else { return };
    assert_eq!(posters.align_mapped(&ml_100k.items, &map).n_present(), 1_445);
    let Some(ml_1m) = load(SourceKind::MovieLens1m) else { return };
    let aligned = posters.align(&ml_1m.items);
    assert_eq!((aligned.n_present(), aligned.n_unused), (3_256, 0));
    let with_poster = ml_1m.ratings.item_id.iter().filter(|&&item| aligned.present[item as usize]);
    assert_eq!(with_poster.count(), 998_108);
}

#[test]
fn the_trailer_features_join_by_movie_id() {
    let Some(trailers) = read("movielens-trailer-visual/LLVisualFeatures13K_Log.csv.gz") else { return };
    assert_eq!((trailers.len(), trailers.dim), (13_373, 7));
    assert!(trailers.values.iter().all(|value| (0.0..=1.0).contains(value)));
    let Some(ml_1m) = load(SourceKind::MovieLens1m) else { return };
    let aligned = trailers.align(&ml_1m.items);
    assert_eq!(aligned.n_present(), 2_422);
    let with_trailer = ml_1m.ratings.item_id.iter().filter(|&&item| aligned.present[item as usize]);
    assert_eq!(with_trailer.count(), 695_687);
}

#[test]
fn the_sentence_embeddings_have_their_ids_beside_them_and_length_1() {
    for (name, n_rows, source) in [
        ("text-embeddings/ml-100k.minilm-l6-v2.f16.npy", 1_682, SourceKind::MovieLens100k),
        ("text-embeddings/ml-1m.minilm-l6-v2.f16.npy", 3_883, SourceKind::MovieLens1m),
    ] {
        let Some(texts) = read(name) else { return };
        assert_eq!((texts.len(), texts.dim), (n_rows, 384));
        for row in 0..texts.len() {
            let length: f32 = texts.row(row).iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 0.01, "{name}, row {row}: {length}");
        }
        let Some(data) = load(source) else { return };
        let aligned = texts.align(&data.items);
        assert_eq!(aligned.n_present(), data.n_items());
        assert_eq!(aligned.n_unused, n_rows - data.n_items());
    }
}

#[test]
fn the_genome_has_146_complete_movies_and_one_that_is_cut() {
    let Some(folder) = find("ml-20m-genome") else { return };
    let all = Vocabulary::from_ids((1..=159).map(|id| id.to_string()));
    let genome = Genome::read(&folder, &all, OnBadRow::Error).unwrap();
    assert_eq!((genome.n_scores, genome.tags.len(), genome.scores.dim), (165_781, 1_128, 1_128));
    assert_eq!(genome.tags[0], "007");
    assert_eq!((genome.scores.n_present(), genome.scores.n_unused), (147, 0));
    assert_eq!(genome.incomplete, [IncompleteRow { item: "159".to_owned(), n_scores: 1_093 }]);
    assert_eq!(genome.scores.row(all.index_of("1").unwrap())[..2], [0.025, 0.025]);
    assert_eq!(genome.scores.row(all.index_of("159").unwrap())[1_093..], [0.0; 35]);

    let Some(ml_1m) = load(SourceKind::MovieLens1m) else { return };
    let genome = Genome::read(&folder, &ml_1m.items, OnBadRow::Error).unwrap();
    let complete = |item: &u32| {
        let id = ml_1m.items.id_of(*item);
        genome.scores.present[*item as usize] && genome.incomplete.iter().all(|row| row.item != id)
    };
    assert_eq!((0..ml_1m.n_items() as u32).filter(complete).count(), 146);
    assert_eq!(ml_1m.ratings.item_id.iter().copied().filter(complete).count(), 44_937);
}

#[test]
fn the_tags_of_latest_small_have_their_published_counts() {
    let Some(folder) = find("ml-latest-small") else { return };
    let tags = UserTags::read(&folder, OnBadRow::Error).unwrap();
    assert_eq!((tags.len(), tags.n_empty), (3_683, 0));
    assert_eq!((tags.users.names().len(), tags.tags.names().len()), (58, 1_589));
    let Some(data) = load(SourceKind::MovieLensCsv) else { return };
    let of_items = tags.of_items(&data.items, &TagsConfig::default());
    assert_eq!(of_items.lists.len(), data.n_items());
    // Counted apart by a few lines of Python: 18 tagged films are not rated, and 3 tags are theirs alone.
    assert_eq!((of_items.names.len(), of_items.n_unused_items), (1_472, 18));
    let often = tags.of_items(&data.items, &TagsConfig { min_uses: 5, ..TagsConfig::default() });
    assert_eq!(often.names.len(), 183);
}

#[test]
fn genres_attributes_and_times_of_movielens_100k_are_encoded() {
    let Some(data) = load(SourceKind::MovieLens100k) else { return };
    let genres = Genres::of(&data.catalogue);
    assert_eq!(genres.names.len(), 18);
    assert_eq!(genres.multi_hot().iter().sum::<f32>(), 2_891.0);

    let buckets = vec![18.0, 25.0, 35.0, 45.0, 50.0, 56.0];
    let age = FeatureConfig { buckets, ..FeatureConfig::new("age", FeatureKind::Numeric) };
    let category = |name| FeatureConfig::new(name, FeatureKind::Categorical);
    let all_users: Vec<u32> = (0..data.n_users() as u32).collect();
    let features = [age, category("gender"), category("occupation")];
    let users = Features::fit(&features, &data, Side::Users, &all_users).unwrap();
    let n_codes: Vec<_> = users.encoded.columns.iter().map(EncodedColumn::n_codes).collect();
    assert_eq!(n_codes, [Some(8), Some(3), Some(22)]);
    for column in &users.encoded.columns {
        let EncodedColumn::Categorical { codes, .. } = column else { panic!("codes: {column:?}") };
        assert!(codes.len() == 943 && codes.iter().all(|&code| code > 0));
    }

    let all_items: Vec<u32> = (0..data.n_items() as u32).collect();
    let features =
        [FeatureConfig::new("genres", FeatureKind::Multi), FeatureConfig::new("year", FeatureKind::Numeric)];
    let items = Features::fit(&features, &data, Side::Items, &all_items).unwrap();
    let EncodedColumn::Multi { lists, n_codes } = &items.encoded.columns[0] else { panic!("lists") };
    assert_eq!((lists, *n_codes), (&genres.lists, 18));
    let EncodedColumn::Numeric { is_known, .. } = &items.encoded.columns[1] else { panic!("numbers") };
    // The one film of an unknown title has no year.
    assert_eq!(is_known.iter().filter(|&&is_known| !is_known).count(), 1);

    // From 1997-09-20 to 1998-04-22.
    let moments = Calendar::of_rows(&data.ratings.time, data.ratings.time_kind);
    let mut months: Vec<u8> = moments.iter().map(|moment| moment.unwrap().month).collect();
    months.sort_unstable();
    months.dedup();
    assert_eq!(months, [1, 2, 3, 4, 9, 10, 11, 12]);
}

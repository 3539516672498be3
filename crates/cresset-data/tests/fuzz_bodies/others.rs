//! The `data` section of a configuration, and the two-tower folder.

use std::sync::OnceLock;

use cresset_data::negatives::CandidateSets;
use cresset_data::processed::{INTERACTIONS, ITEMS, NEGATIVES, ProcessedFolder, SPLITS, USERS, write_folder};
use cresset_data::{DataConfig, Dataset, FilesConfig, GraphConfig, SourceKind, Split, Vocabulary};

use super::folder::{DataDir, SET};
use super::sources::{check, twice};

/// A configuration as YAML, and a table that is read as it says.
pub(crate) fn data_config(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["data.yaml", "ratings.csv"]);
    let Ok(yaml) = std::fs::read_to_string(dir.file("data.yaml")) else { return };
    let Ok(config) = yaml_serde::from_str::<DataConfig>(&yaml) else { return };
    if let Err(error) = config.validate() {
        assert!(!error.to_string().is_empty());
        return;
    }
    let saved = yaml_serde::to_string(&config).unwrap();
    assert_eq!(
        yaml_serde::from_str::<DataConfig>(&saved).unwrap(),
        config,
        "a saved configuration is the same"
    );
    if dir.has("ratings.csv") {
        // The files are those of the target, whatever paths the configuration names.
        let (files, graph) = (FilesConfig::default(), GraphConfig::default());
        check(&dir, &DataConfig { source: SourceKind::Csv, files, graph, items: Vec::new(), ..config });
    }
}

/// The JSON files of a folder beside a table of three users, three items and five rows.
pub(crate) fn processed_folder(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &[SPLITS, NEGATIVES, USERS, ITEMS, "items.jsonl", "users.jsonl"]);
    for (name, content) in written() {
        if !dir.has(name) {
            dir.write(name, content);
        }
    }
    for name in [USERS, ITEMS] {
        twice(|| Vocabulary::load(&dir.file(name)).map(|ids| ids.ids().to_vec()));
    }
    let sets = || CandidateSets::load_json(&dir.file(NEGATIVES));
    if let Ok(sets) = sets() {
        assert_eq!(sets, sets_again(&sets, &dir));
    }
    let folder = ProcessedFolder::read(&dir.set());
    if let Ok(folder) = folder {
        assert_eq!(ProcessedFolder::read(&dir.set()).as_ref().ok(), Some(&folder));
        assert!(folder.ratings.user_id.iter().all(|&user| (user as usize) < folder.users.len()));
        assert!(folder.ratings.item_id.iter().all(|&item| (item as usize) < folder.items.len()));
        assert!(folder.parts.is_none_or(|parts| parts.len() == folder.ratings.len()));
    }
    check(&dir, &DataConfig { source: SourceKind::TwoTowerFolder, ..DataConfig::default() });
}

/// The sets once they were written and read back.
fn sets_again(sets: &CandidateSets, dir: &DataDir) -> CandidateSets {
    let path = dir.file("again.json");
    sets.save_json(&path).unwrap();
    CandidateSets::load_json(&path).unwrap()
}

/// The files that a folder must have.
fn written() -> &'static [(&'static str, Vec<u8>)] {
    static FILES: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let table = b"user,item,rating,time\n7,a,3,10\n7,b,4,20\n8,a,5,30\n9,c,1,40\n9,a,2,50\n";
        let dir = DataDir::of(table, &["ratings.csv"]);
        let config =
            DataConfig { source: SourceKind::Csv, name: Some(SET.to_owned()), ..DataConfig::default() };
        let data = Dataset::load(&config, dir.path()).unwrap();
        write_folder(&dir.set(), &data, &Split::of(&data.ratings, &config, 0).unwrap()).unwrap();
        [INTERACTIONS, USERS, ITEMS].map(|name| (name, std::fs::read(dir.file(name)).unwrap())).into()
    })
}

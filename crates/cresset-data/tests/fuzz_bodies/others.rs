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

/// What a folder's table is made of, where the bytes have their own.
const ROWS: &str = "ratings.csv";

/// The JSON files of a folder beside a table of the rows in `ratings.csv`, else of three users, three items and five rows.
pub(crate) fn processed_folder(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &[SPLITS, NEGATIVES, USERS, ITEMS, "items.jsonl", "users.jsonl", ROWS]);
    let own = dir.has(ROWS).then(|| written_of(&std::fs::read(dir.file(ROWS)).unwrap())).flatten();
    let files = match &own {
        Some(files) => files,
        None => written(),
    };
    for (name, content) in files {
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

/// Files of a folder.
type Files = [(&'static str, Vec<u8>); 3];

/// The files that a folder must have, of rows by hand.
fn written() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    let rows = b"user,item,rating,time\n7,a,3,10\n7,b,4,20\n8,a,5,30\n9,c,1,40\n9,a,2,50\n";
    FILES.get_or_init(|| written_of(rows).expect("rows by hand can be read and split"))
}

/// The same of the rows of a table, where they can be read and split; what is written must be what is read.
fn written_of(rows: &[u8]) -> Option<Files> {
    let dir = DataDir::of(rows, &[ROWS]);
    let config = DataConfig { source: SourceKind::Csv, name: Some(SET.to_owned()), ..DataConfig::default() };
    let data = Dataset::load(&config, dir.path()).ok()?;
    let split = Split::of(&data.ratings, &config, 0).ok()?;
    write_folder(&dir.set(), &data, &split).unwrap();
    let folder = ProcessedFolder::read(&dir.set()).unwrap();
    assert_eq!((&folder.users, &folder.items), (&data.users, &data.items));
    assert_eq!((&folder.ratings.user_id, &folder.ratings.time), (&data.ratings.user_id, &data.ratings.time));
    Some([INTERACTIONS, USERS, ITEMS].map(|name| (name, std::fs::read(dir.file(name)).unwrap())))
}

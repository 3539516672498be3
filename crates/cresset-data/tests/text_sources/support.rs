//! Folders made of text, read as a source.

use std::fs;
use std::path::Path;

use cresset_data::{DataConfig, DataError, Dataset, OnBadRow, RawData, SourceKind};

/// Names and contents of files.
pub(crate) type Files = Vec<(String, String)>;

/// The files of a folder called `set`.
pub(crate) fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|&(name, content)| (name.to_owned(), content.to_owned())).collect()
}

/// Reads files as a source, plain and compressed either way, which must make no difference.
pub(crate) fn read(source: SourceKind, files: &Files) -> RawData {
    let data_dir = tempfile::tempdir().unwrap();
    let read = |ending: &str, compress: fn(&[u8]) -> Vec<u8>| {
        let folder = data_dir.path().join(format!("folder{ending}")).join("set");
        fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            fs::write(folder.join(format!("{name}{ending}")), compress(content.as_bytes())).unwrap();
        }
        read_in(source, folder.parent().unwrap()).unwrap()
    };
    let plain = read("", <[u8]>::to_vec);
    assert_eq!(read(".gz", gzip), plain);
    assert_eq!(read(".zst", zstd), plain);
    plain
}

/// Reads the folder `set` below `data_dir`.
pub(crate) fn read_in(source: SourceKind, data_dir: &Path) -> Result<RawData, DataError> {
    source.read(&config(source), data_dir)
}

/// As [`read`], then cleaned and indexed.
pub(crate) fn load(source: SourceKind, files: &Files) -> Dataset {
    Dataset::from_raw(read(source, files), &config(source)).unwrap()
}

fn config(source: SourceKind) -> DataConfig {
    let on_bad_row = OnBadRow::Error;
    DataConfig { source, name: Some("set".to_owned()), on_bad_row, ..DataConfig::default() }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(content).unwrap();
    gz.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

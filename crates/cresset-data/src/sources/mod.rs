//! Files of other recommender libraries (RecBole, SASRec, sequence lines, KGAT, KGCN, MMRec), of publishers (Amazon, the
//! multimodal ML-100K folder), and tables whose columns the configuration names.
//!
//! Every file may be plain or compressed (`ml-100k.inter` or `ml-100k.inter.gz`). Interactions are required; tables
//! that describe items and users are read when they are there, and without them titles are ids. Columns that a
//! format does not name are ignored in interactions and kept as attributes in descriptions. Ids stay as their file
//! spells them, whether or not the library that wrote it had numbered them anew. Where a format gives a split, each
//! row has its [`Part`](crate::Part). The graphs that lie beside some of these files are read elsewhere.

mod amazon;
mod csv;
mod described;
mod error;
mod folder;
mod ids;
mod kgat;
mod kgcn;
mod listing;
mod mmrec;
mod multimodal;
mod parquet;
mod recbole;
mod sequences;

pub use amazon::read as read_amazon;
pub use csv::read as read_csv;
pub use error::SourceError;
pub use kgat::read as read_kgat;
pub use kgcn::read as read_kgcn;
pub use mmrec::read as read_mmrec;
pub use multimodal::read as read_multimodal;
pub use parquet::read as read_parquet_table;
pub use recbole::read as read_recbole;
pub use sequences::{read_sasrec, read_sequences};

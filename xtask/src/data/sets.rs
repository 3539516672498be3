//! The table of data sets: where each comes from and how it is recognised.
//!
//! GroupLens publishes an MD5 beside each zip file. The SHA-256 here are those that several independent projects pin for
//! the same files (TensorFlow Datasets among them); they hold even when a zip comes from elsewhere than its owner.

use super::pin::Pin;

/// A data set that can be fetched.
#[derive(Debug)]
pub(crate) struct DataSet {
    /// Its name: of the zip file, of the folder in it, and here.
    pub(crate) name: &'static str,
    /// The owner's zip file.
    pub(crate) zip: Pin,
    /// The files a folder must have; several layouts when the data goes round in several forms.
    pub(crate) layouts: &'static [&'static [KeyFile]],
}

/// A file that must be there.
#[derive(Debug)]
pub(crate) struct KeyFile {
    /// Its name in the data set's folder.
    pub(crate) name: &'static str,
    /// How the owner's file is recognised.
    pub(crate) known: Known,
}

/// What is known of an owner's file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// Its size and checksum.
    Exactly(Pin),
    /// Its bytes alone: of a large file that only ever comes in a zip that is known exactly.
    Bytes(u64),
    /// Nothing but its name.
    Name,
}

impl DataSet {
    /// Where its owner has it.
    pub(crate) fn url(&self) -> String {
        format!("https://files.grouplens.org/datasets/movielens/{}.zip", self.name)
    }
}

/// The names of all data sets, smallest first.
pub(crate) fn names() -> Vec<&'static str> {
    SETS.iter().map(|set| set.name).collect()
}

/// The data set of that name.
///
/// # Panics
///
/// If there is none: the command line offers only names from the table.
pub(crate) fn find(name: &str) -> &'static DataSet {
    SETS.iter().find(|set| set.name == name).expect("the command line offers names from the table")
}

const fn pin(bytes: u64, sha256: &'static str) -> Pin {
    Pin { bytes, sha256 }
}

const fn pinned(name: &'static str, bytes: u64, sha256: &'static str) -> KeyFile {
    KeyFile { name, known: Known::Exactly(pin(bytes, sha256)) }
}

const fn named(name: &'static str) -> KeyFile {
    KeyFile { name, known: Known::Name }
}

/// The tables of a large edition, which is told from the others by the size of its ratings.
const fn tables(ratings_bytes: u64) -> [KeyFile; 4] {
    let ratings = KeyFile { name: "ratings.csv", known: Known::Bytes(ratings_bytes) };
    [ratings, named("movies.csv"), named("tags.csv"), named("links.csv")]
}

const SETS: &[DataSet] = &[
    DataSet {
        name: "ml-latest-small",
        zip: pin(978_202, "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"),
        layouts: &[&[
            pinned(
                "ratings.csv",
                2_483_723,
                "aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
            ),
            pinned("movies.csv", 494_431, "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07"),
            pinned("tags.csv", 118_660, "92a9f8bb7916dceef6151209845788c3643f794dfa79d1feaec7121b5960399d"),
            pinned("links.csv", 197_979, "97ad18e4e56a09363c65676b6cb3482ce3e2cea2372a24620c1599c843325f31"),
        ]],
    },
    DataSet {
        name: "ml-100k",
        zip: pin(4_924_029, "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"),
        layouts: &[&[
            pinned("u.data", 1_979_173, "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"),
            pinned("u.item", 236_344, "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701"),
            pinned("u.user", 22_628, "f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c"),
            pinned("u.genre", 202, "9757e0d3e6b298159a80dd48eaf938114690e911e39af97a76949ef1663610bb"),
        ]],
    },
    DataSet {
        name: "ml-1m",
        zip: pin(5_917_549, "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"),
        layouts: &[
            &[pinned("ratings.dat", 24_594_131, ML_1M_RATINGS), ML_1M_MOVIES, ML_1M_USERS],
            // Reassembled from public derivatives: the order of each user's ratings, but not their timestamps.
            &[named("ratings_ordered.csv.gz"), named("ratings_rare_items.csv"), ML_1M_MOVIES, ML_1M_USERS],
        ],
    },
    DataSet {
        name: "ml-20m",
        zip: pin(198_702_078, "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3"),
        layouts: &[&tables(533_444_411)],
    },
    DataSet {
        name: "ml-32m",
        zip: pin(238_950_008, "e4a68655d7386b8f95f2f2424b2ff975dfdd15ffd59e0d864a14dca43e99d6ee"),
        layouts: &[&tables(877_076_222)],
    },
    DataSet {
        name: "ml-25m",
        zip: pin(261_978_986, "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa"),
        layouts: &[&tables(678_260_987)],
    },
];

const ML_1M_RATINGS: &str = "506d64ca44484487c11dc2d9a28de5c54948213e6b96285e298afe28d6ea4e0f";
const ML_1M_MOVIES: KeyFile =
    pinned("movies.dat", 171_308, "0140fc2356357c1a851d0f52e893a1e4d3696df632c4141cea8d5bc3d621f0b9");
const ML_1M_USERS: KeyFile =
    pinned("users.dat", 134_368, "1dc3a95300cb19f7c10e027daf29b8cdf1d908dab65b5edfb45950aa389a10a3");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checksum_is_64_lower_case_hexadecimal_digits() {
        let key_files = SETS.iter().flat_map(|set| set.layouts.iter().copied().flatten());
        let exactly = key_files.filter_map(|file| match file.known {
            Known::Exactly(pin) => Some(pin),
            Known::Bytes(_) | Known::Name => None,
        });
        let pins = SETS.iter().map(|set| set.zip).chain(exactly);
        for pin in pins {
            assert_eq!(pin.sha256.len(), 64, "{pin:?}");
            assert!(pin.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{pin:?}");
        }
    }

    #[test]
    fn names_come_smallest_first_and_each_is_found() {
        assert!(SETS.is_sorted_by_key(|set| set.zip.bytes));
        for name in names() {
            assert_eq!(
                find(name).url(),
                format!("https://files.grouplens.org/datasets/movielens/{name}.zip")
            );
        }
    }
}

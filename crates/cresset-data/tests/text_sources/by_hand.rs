//! Each format in a few lines of our own.

use cresset_data::Part::{Test, Train, Valid};
use cresset_data::{ItemInfo, NO_TIME, RawData, SourceKind, TimeKind, UserInfo};

use crate::support::{files, load, read};

/// The rows as (user, item, rating, time).
fn rows(raw: &RawData) -> Vec<(&str, &str, f32, i64)> {
    let rows = &raw.interactions;
    let row = |row| (rows.users.name_at(row), rows.items.name_at(row), rows.ratings[row], rows.times[row]);
    (0..rows.len()).map(row).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn item(id: &str, title: &str, genres: &[&str], attributes: Vec<(String, String)>) -> ItemInfo {
    let genres = genres.iter().map(|&genre| genre.to_owned()).collect();
    ItemInfo { id: id.to_owned(), title: title.to_owned(), genres, attributes }
}

#[test]
fn recbole_columns_come_in_any_order_and_unknown_ones_are_ignored() {
    let files = files(&[(
        "set.inter",
        "timestamp:float\tdevice:token_seq\titem_id:token\trating:float\tuser_id:token\r\n\
         8.7e8\ta b\tx\t4.5\tann\r\n\
         1112486027.9\t\ty\t3\tbob\r\n\
         \tc\tx\t1\tbob\r\n",
    )]);
    let raw = read(SourceKind::RecBole, &files);
    assert_eq!(
        rows(&raw),
        [("ann", "x", 4.5, 870_000_000), ("bob", "y", 3.0, 1_112_486_027), ("bob", "x", 1.0, NO_TIME)]
    );
    assert_eq!(raw.interactions.time_kind, TimeKind::Timestamp);
    assert_eq!((raw.interactions.parts, raw.rating_range), (None, (1.0, 4.5)));
}

#[test]
fn recbole_interactions_without_ratings_and_times_just_happened() {
    let raw = read(SourceKind::RecBole, &files(&[("b.inter", "user_id:token\titem_id:token\n1\t2\n")]));
    assert_eq!(rows(&raw), [("1", "2", 1.0, NO_TIME)]);
    assert_eq!((raw.interactions.time_kind, raw.rating_range), (TimeKind::Absent, (1.0, 1.0)));
}

#[test]
fn a_recbole_label_is_the_rating_where_there_is_no_other() {
    let label = "user_id:token\titem_id:token\tlabel:float\n1\t2\t0\n1\t3\t1\n";
    let raw = read(SourceKind::RecBole, &files(&[("set.inter", label)]));
    assert_eq!(raw.interactions.ratings, [0.0, 1.0]);
    let both = "label:float\tuser_id:token\titem_id:token\trating:float\n0\t1\t2\t4\n";
    assert_eq!(read(SourceKind::RecBole, &files(&[("set.inter", both)])).interactions.ratings, [4.0]);
}

#[test]
fn recbole_pre_splits_give_each_row_its_part_and_the_whole_file_is_left() {
    let header = "user_id:token\titem_id:token\n";
    let part = |rows: &str| format!("{header}{rows}");
    let files = files(&[
        ("set.inter", "user_id:token\titem_id:token\n9\t9\n"),
        ("set.train.inter", &part("1\ta\n2\ta\n")),
        ("set.valid.inter", &part("1\tb\n")),
        ("set.test.inter", &part("2\tb\n")),
    ]);
    let raw = read(SourceKind::RecBole, &files);
    assert_eq!(raw.interactions.parts, Some(vec![Train, Train, Valid, Test]));
    assert_eq!(raw.interactions.users.names().iter().collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn recbole_items_have_titles_genres_and_the_rest_as_attributes() {
    let data = load(
        SourceKind::RecBole,
        &files(&[
            ("set.inter", "user_id:token\titem_id:token\trating:float\n7\t1\t5\n7\t2\t4\n"),
            (
                "set.item",
                "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n\
                 1\tToy Story\t1995\tAnimation Comedy\n2\tGoldenEye\t\t\n",
            ),
            ("set.user", "user_id:token\tage:token\tgender:token\n7\t24\tM\n"),
        ]),
    );
    assert_eq!(
        data.catalogue.items,
        [
            item("1", "Toy Story", &["Animation", "Comedy"], pairs([("release_year", "1995")])),
            item("2", "GoldenEye", &[], vec![]),
        ]
    );
    let attributes = pairs([("age", "24"), ("gender", "M")]);
    assert_eq!(data.catalogue.users, [UserInfo { id: "7".to_owned(), attributes }]);
}

#[test]
fn a_single_genre_may_hold_a_space() {
    let data = load(
        SourceKind::RecBole,
        &files(&[
            ("set.inter", "user_id\titem_id\n7\t1\n"),
            (
                "set.item",
                "item_id:token\tgenre:token\tname:token\tclass:token_seq\n1\tFilm noir\tLaura\ta b\n",
            ),
        ]),
    );
    assert_eq!(data.catalogue.items, [item("1", "Laura", &["Film noir"], pairs([("class", "a b")]))]);
}

#[test]
fn a_sasrec_line_is_a_user_and_an_item_and_its_time_the_position_in_the_history() {
    let raw = read(SourceKind::SasRec, &files(&[("set.txt", "1 10\n1 11\n2\t10\n1 12\n")]));
    assert_eq!(
        rows(&raw),
        [("1", "10", 1.0, 0), ("1", "11", 1.0, 1), ("2", "10", 1.0, 0), ("1", "12", 1.0, 2)]
    );
    assert_eq!(raw.interactions.time_kind, TimeKind::Ordinal);
}

#[test]
fn a_sequence_line_is_a_history_and_a_second_one_goes_on() {
    let raw = read(SourceKind::Sequences, &files(&[("set.txt", "ann x  y\nbob\ty \nann z\n")]));
    assert_eq!(
        rows(&raw),
        [("ann", "x", 1.0, 0), ("ann", "y", 1.0, 1), ("bob", "y", 1.0, 0), ("ann", "z", 1.0, 2)]
    );
    assert_eq!(raw.interactions.time_kind, TimeKind::Ordinal);
}

#[test]
fn a_data_set_of_one_file_may_be_named_itself() {
    let data_dir = tempfile::tempdir().unwrap();
    std::fs::write(data_dir.path().join("set"), "1 2\n").unwrap();
    let raw = crate::support::read_in(SourceKind::SasRec, data_dir.path()).unwrap();
    assert_eq!(rows(&raw), [("1", "2", 1.0, 0)]);
}

#[test]
fn a_kgat_folder_has_lists_for_each_part_and_the_ids_from_before() {
    let files = files(&[
        ("train.txt", "0 0 1 \n1\n2 1\n"),
        ("test.txt", "0 2\n1 0\n"),
        ("item_list.txt", "org_id remap_id freebase_id\nB00A 0 m.0x\nB00B 1 m.0y\nB00C 2 m.0z\n"),
        ("user_list.txt", "org_id remap_id\nA1X 0\nA2X 1\nA3X 2\n"),
    ]);
    let raw = read(SourceKind::Kgat, &files);
    assert_eq!(
        rows(&raw),
        [("0", "0"), ("0", "1"), ("2", "1"), ("0", "2"), ("1", "0")].map(|(u, i)| (u, i, 1.0, NO_TIME))
    );
    assert_eq!(raw.interactions.parts, Some(vec![Train, Train, Train, Test, Test]));
    assert_eq!(raw.interactions.time_kind, TimeKind::Absent);
    let attributes = pairs([("org_id", "B00B"), ("freebase_id", "m.0y")]);
    assert_eq!(raw.catalogue.items[1], item("1", "B00B", &[], attributes));
    assert_eq!(raw.catalogue.users[2].attributes, pairs([("org_id", "A3X")]));
}

#[test]
fn sampled_negatives_of_kgcn_are_counted_and_are_no_rows() {
    let files = files(&[
        ("ratings_final.txt", "0\t5\t1\n0\t6\t0\n1\t6\t1\n1\t5\t0\n"),
        ("item_index2entity_id.txt", "1193\t5\n661\t6\n"),
    ]);
    let raw = read(SourceKind::Kgcn, &files);
    assert_eq!(rows(&raw), [("0", "5", 1.0, NO_TIME), ("1", "6", 1.0, NO_TIME)]);
    assert_eq!(raw.interactions.time_kind, TimeKind::Absent);
    let data = load(SourceKind::Kgcn, &files);
    assert_eq!(data.cleaning.to_string(), "2 of 4 rows kept; left out: 2 sampled negative");
    assert_eq!(data.catalogue.items[0], item("5", "1193", &[], pairs([("org_id", "1193")])));
}

#[test]
fn mmrec_rows_have_parts_and_ids_that_are_numbers_of_rows() {
    for header in [
        "userID\titemID\trating\ttimestamp\tx_label",
        "userID:token\titemID:token\trating:float\ttimestamp:float\tx_label:float",
    ] {
        let inter =
            format!("{header}\n0\t0\t5.0\t1360000000\t0\n0\t1\t4.0\t1370000000\t2\n1\t0\t3.0\t7\t1\n");
        let files = files(&[
            ("baby.inter", &inter),
            ("i_id_mapping.csv", "asin\titemID\nB00A\t0\nB00B\t1\n"),
            ("u_id_mapping.csv", "user_id\tuserID\nA1X\t0\nA2X\t1\n"),
        ]);
        let raw = read(SourceKind::MmRec, &files);
        assert_eq!(rows(&raw)[1], ("0", "1", 4.0, 1_370_000_000));
        assert_eq!(raw.interactions.parts, Some(vec![Train, Test, Valid]));
        assert_eq!(raw.catalogue.items[1], item("1", "B00B", &[], pairs([("asin", "B00B")])));
        assert_eq!(raw.catalogue.users[0].attributes, pairs([("user_id", "A1X")]));
    }
}

#[test]
fn an_mmrec_file_before_its_split_has_no_parts() {
    let raw = read(SourceKind::MmRec, &files(&[("set.inter", "userID\titemID\n3\t4\n")]));
    assert_eq!((rows(&raw), raw.interactions.parts.is_none()), (vec![("3", "4", 1.0, NO_TIME)], true));
}

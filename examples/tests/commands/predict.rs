//! `predict`: one rating.

use crate::desk::Desk;

#[test]
fn a_pair_is_told_with_its_title_and_a_known_rating_beside_it() {
    let desk = Desk::new();
    // User 3 and item 4 do not meet; every other pair of nine users and ten items does.
    let pairs = (0..90).map(|row| (row % 9, row / 9)).filter(|&pair| pair != (3, 4));
    let rows: String =
        pairs.map(|(user, item)| format!("{user}\t{item}\t{}\t5\n", 1 + (user + item) % 5)).collect();
    desk.write("data/mine/u.data", rows);
    desk.write(
        "data/mine/u.item",
        (0..10).map(|item| format!("{item}|Film {item}||||1\n")).collect::<String>(),
    );
    desk.write("data/mine/u.genre", "Drama|0\n");
    desk.write(
        "mine.yaml",
        "data: {source: movielens-100k, name: mine}\nmodel: {kind: kg-mf}\ntraining: {epochs: 2}\n",
    );
    desk.train(&["mine.yaml", "--output", "run"]).done();

    let check = |user: &str, item: &str, known: Option<&str>| {
        let printed = desk.predict(&["run", "--user", user, "--item", item]).done();
        let mut lines = printed.lines();
        let (rating, title) = lines.next().unwrap().split_once(' ').unwrap();
        assert!((1.0..=5.0).contains(&rating.parse::<f64>().unwrap()), "{printed}");
        assert_eq!(title.trim(), format!("Film {item}"));
        assert_eq!(lines.next().map(|line| line.split_whitespace().next().unwrap()), known, "{printed}");
        assert_eq!(lines.next(), None);
    };
    check("3", "5", Some("4.000"));
    check("0", "0", Some("1.000"));
    check("3", "4", None);
}

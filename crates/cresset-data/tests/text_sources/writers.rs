//! Interactions in each format, as plainly as it can be written.

use std::fmt::Write;

use cresset_data::{Interactions, NO_TIME, Part};

use crate::support::Files;

/// `NAME.inter`, or a file for each part where rows have one.
pub(crate) fn recbole(rows: &Interactions) -> Files {
    match &rows.parts {
        None => vec![("set.inter".to_owned(), inter(rows, |_| true))],
        Some(parts) => [("train", Part::Train), ("valid", Part::Valid), ("test", Part::Test)]
            .into_iter()
            .filter(|&(_, part)| parts.contains(&part))
            .map(|(name, part)| (format!("set.{name}.inter"), inter(rows, |row| parts[row] == part)))
            .collect(),
    }
}

fn inter(rows: &Interactions, is_in: impl Fn(usize) -> bool) -> String {
    let mut text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n".to_owned();
    for row in (0..rows.len()).filter(|&row| is_in(row)) {
        let (user, item) = (rows.users.name_at(row), rows.items.name_at(row));
        writeln!(text, "{user}\t{item}\t{}\t{}", rows.ratings[row], time(rows.times[row])).unwrap();
    }
    text
}

fn time(time: i64) -> String {
    if time == NO_TIME { String::new() } else { format!("{time}.0") }
}

/// `NAME.inter` with the part of each row.
pub(crate) fn mmrec(rows: &Interactions) -> Files {
    let mut text = "userID\titemID\trating\ttimestamp\tx_label\n".to_owned();
    for row in 0..rows.len() {
        let (user, item, time) = (rows.users.name_at(row), rows.items.name_at(row), time(rows.times[row]));
        let part = rows.parts.as_ref().unwrap()[row] as u8;
        writeln!(text, "{user}\t{item}\t{}\t{time}\t{part}", rows.ratings[row]).unwrap();
    }
    vec![("set.inter".to_owned(), text)]
}

/// One `user item` a line, in the order of the rows.
pub(crate) fn sasrec(rows: &Interactions) -> Files {
    let line = |row| format!("{} {}\n", rows.users.name_at(row), rows.items.name_at(row));
    vec![("set.txt".to_owned(), (0..rows.len()).map(line).collect())]
}

/// One `user item item ...` a line, a line for each run of rows of one user.
pub(crate) fn sequences(rows: &Interactions) -> Files {
    vec![("set.txt".to_owned(), lists(rows, |_| true))]
}

/// `train.txt` and `test.txt`.
pub(crate) fn kgat(rows: &Interactions) -> Files {
    let is_in = |part| move |row: usize| rows.parts.as_ref().unwrap()[row] == part;
    let file = |name: &str, part| (name.to_owned(), lists(rows, is_in(part)));
    vec![file("train.txt", Part::Train), file("test.txt", Part::Test)]
}

fn lists(rows: &Interactions, is_in: impl Fn(usize) -> bool) -> String {
    let mut text = String::new();
    let mut last = None;
    for row in (0..rows.len()).filter(|&row| is_in(row)) {
        let user = rows.users.name_at(row);
        if last != Some(user) {
            let end = if text.is_empty() { "" } else { "\n" };
            write!(text, "{end}{user}").unwrap();
            last = Some(user);
        }
        write!(text, " {}", rows.items.name_at(row)).unwrap();
    }
    text + "\n"
}

/// `ratings_final.txt`, with a sampled negative below every third row.
pub(crate) fn kgcn(rows: &Interactions) -> Files {
    let mut text = String::new();
    for row in 0..rows.len() {
        let (user, item) = (rows.users.name_at(row), rows.items.name_at(row));
        writeln!(text, "{user}\t{item}\t1").unwrap();
        if row % 3 == 0 {
            writeln!(text, "{user}\t1{item}\t0").unwrap();
        }
    }
    vec![("ratings_final.txt".to_owned(), text)]
}

/// `u.data`.
pub(crate) fn movielens_100k(rows: &Interactions) -> Files {
    vec![("u.data".to_owned(), lines(rows, "\t"))]
}

/// `ratings.dat`, of MovieLens 1M and of the multimodal folder.
pub(crate) fn ratings_dat(rows: &Interactions) -> Files {
    vec![("ratings.dat".to_owned(), lines(rows, "::"))]
}

/// `ratings.csv`, every field in quotes.
pub(crate) fn movielens_csv(rows: &Interactions) -> Files {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut text = "userId,movieId,rating,timestamp\r\n".to_owned();
    for row in 0..rows.len() {
        let fields = fields(rows, row).map(|field| quoted(&field));
        write!(text, "{}\r\n", fields.join(",")).unwrap();
    }
    vec![("ratings.csv".to_owned(), text)]
}

/// A file of ratings of 2023 for each part, times in milliseconds.
pub(crate) fn amazon_csv(rows: &Interactions) -> Files {
    // In the order in which they are read, that of their names.
    [("test", Part::Test), ("train", Part::Train), ("valid", Part::Valid)]
        .into_iter()
        .map(|(name, part)| {
            let mut text = "user_id,parent_asin,rating,timestamp\n".to_owned();
            for row in (0..rows.len()).filter(|&row| rows.parts.as_ref().unwrap()[row] == part) {
                let [user, item, rating, time] = fields(rows, row);
                let milliseconds = if time.is_empty() { "" } else { "999" };
                writeln!(text, "{user},{item},{rating},{time}{milliseconds}").unwrap();
            }
            (format!("Beauty.{name}.csv"), text)
        })
        .collect()
}

fn lines(rows: &Interactions, separator: &str) -> String {
    (0..rows.len()).map(|row| fields(rows, row).join(separator) + "\n").collect()
}

fn fields(rows: &Interactions, row: usize) -> [String; 4] {
    let (user, item, seconds) = (rows.users.name_at(row), rows.items.name_at(row), rows.times[row]);
    let time = if seconds == NO_TIME { String::new() } else { seconds.to_string() };
    [user.to_owned(), item.to_owned(), rows.ratings[row].to_string(), time]
}

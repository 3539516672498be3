//! `history.csv`, by hand.

use cresset_trainers::{EpochRecord, History};

fn epoch(epoch: u64, loss: f64, r2: Option<f64>) -> EpochRecord {
    EpochRecord {
        epoch,
        stage: None,
        losses: vec![("loss".to_owned(), loss), ("penalty".to_owned(), 0.25)],
        learning_rate: 0.005,
        seconds: 1.23456,
        examples_per_second: 81_000.4,
        valid: vec![("rmse".to_owned(), Some(0.93)), ("r2".to_owned(), r2)],
    }
}

#[test]
fn an_epoch_is_a_row_and_an_undefined_metric_an_empty_field() {
    let history = History { epochs: vec![epoch(1, 1.5, None), epoch(2, 0.1 + 0.2, Some(-0.5))] };
    assert_eq!(
        history.to_csv(),
        "epoch,train_loss,train_penalty,learning_rate,seconds,examples_per_second,valid_rmse,valid_r2\n\
         1,1.5,0.25,0.005,1.235,81000,0.93,\n\
         2,0.30000000000000004,0.25,0.005,1.235,81000,0.93,-0.5\n"
    );
}

#[test]
fn no_epoch_is_an_empty_file() {
    assert_eq!(History::default().to_csv(), "");
}

#[test]
fn a_metric_is_found_by_name_where_it_is_defined() {
    let epoch = epoch(1, 1.5, None);
    assert_eq!((epoch.valid("rmse"), epoch.valid("r2"), epoch.valid("mae")), (Some(0.93), None, None));
}

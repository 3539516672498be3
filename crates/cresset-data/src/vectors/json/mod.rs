//! JSON: an object of id and list, a list of objects with an id and a list each, or such objects line by line.
//!
//! A file of a gigabyte is never held: lists are cut out of the stream as text, and a few megabytes of them at a time
//! are turned into numbers by all cores.

mod batch;
mod numbers;
mod scanner;

use std::path::Path;

use super::Found;
use super::config::VectorsConfig;
use super::format::open;
use crate::error::DataError;
use batch::Batch;
pub(super) use numbers::{NumberFault, parse_numbers};
use scanner::Scanner;

/// The vectors of a file, in its order.
pub(super) fn read(path: &Path, config: &VectorsConfig) -> Result<Found, DataError> {
    let file = open(path)?;
    let mut reader =
        Reader { batch: Batch::new(&file.path), scanner: Scanner::new(file), config, form: None };
    reader.read()?;
    let Reader { mut batch, .. } = reader;
    batch.flush()?;
    Ok(Found { ids: Some(batch.ids), dim: batch.dim.unwrap_or_default(), values: batch.values })
}

/// What the objects of a file are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Each key is an id and its value a vector.
    Map,
    /// Each object is one vector with its id.
    Records,
}

struct Reader<'c> {
    scanner: Scanner,
    batch: Batch,
    config: &'c VectorsConfig,
    /// Told by the first key.
    form: Option<Form>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), DataError> {
        self.scanner.skip_mark()?;
        if self.scanner.take_if(b'[')? {
            self.form = Some(Form::Records);
            self.list_of_objects()?;
            return self.scanner.expect_end();
        }
        while self.scanner.peek()?.is_some() {
            self.object()?;
        }
        Ok(())
    }

    fn list_of_objects(&mut self) -> Result<(), DataError> {
        if self.scanner.take_if(b']')? {
            return Ok(());
        }
        loop {
            self.object()?;
            if !self.scanner.another(b']', "a comma or the end of the list")? {
                return Ok(());
            }
        }
    }

    /// One object, of whichever form.
    fn object(&mut self) -> Result<(), DataError> {
        self.scanner.expect(b'{', "an object, as {\"17\": [0.1, 0.2]}")?;
        let line = self.scanner.line();
        let mut record = Record::default();
        if !self.scanner.take_if(b'}')? {
            loop {
                let key = self.scanner.string("a key in quotes")?;
                self.scanner.expect(b':', "a colon")?;
                self.entry(key, &mut record)?;
                if !self.scanner.another(b'}', "a comma or the end of the object")? {
                    break;
                }
            }
        }
        if self.form == Some(Form::Records) { self.finish(record, line) } else { Ok(()) }
    }

    fn entry(&mut self, key: String, record: &mut Record) -> Result<(), DataError> {
        let form = self.form.map_or_else(|| self.form_of(&key), Ok)?;
        self.form = Some(form);
        let line = self.scanner.line();
        match form {
            Form::Map => {
                self.vector()?;
                self.batch.end_row(key, line)
            }
            Form::Records if record.id.is_none() && self.config.is_id(&key) => {
                record.id = Some(self.scanner.id()?);
                Ok(())
            }
            Form::Records if !record.has_vector && self.config.is_vector(&key) => {
                record.has_vector = true;
                self.vector()
            }
            Form::Records => self.scanner.skip_value(),
        }
    }

    /// Objects are records when the first key is a field's name or its value is no list.
    fn form_of(&mut self, key: &str) -> Result<Form, DataError> {
        let is_field = self.config.is_id(key) || self.config.is_vector(key);
        let is_list = self.scanner.peek()? == Some(b'[');
        Ok(if is_field || !is_list { Form::Records } else { Form::Map })
    }

    /// Appends the text of a list of numbers to the batch.
    fn vector(&mut self) -> Result<(), DataError> {
        self.scanner.expect(b'[', "a list of numbers")?;
        // A list in the list would end the text too early.
        self.scanner.refuse(b"[{\"", "a number")?;
        self.scanner.list(&mut self.batch.text)
    }

    fn finish(&mut self, record: Record, line: u64) -> Result<(), DataError> {
        let missing = |scanner: &Scanner, expected| scanner.fault_at(line, "an object".to_owned(), expected);
        if !record.has_vector {
            return Err(missing(
                &self.scanner,
                "an object with a field `embedding`, or the vector_column asked for,",
            ));
        }
        match record.id {
            Some(id) => self.batch.end_row(id, line),
            None => Err(missing(&self.scanner, "an object with a field `id`, or the id_column asked for,")),
        }
    }
}

/// What an object has shown so far.
#[derive(Default)]
struct Record {
    id: Option<String>,
    has_vector: bool,
}

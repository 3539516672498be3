//! NumPy's `.npy`: a magic word, a header that is a Python dictionary, and the values.
//!
//! # Source
//!
//! NumPy enhancement proposal 1, <https://numpy.org/neps/nep-0001-npy-format.html>.

use std::io::{self, Read, Write};
use std::path::Path;

use super::error::VectorsError;
use super::format::open;
use super::raw::{Matrix, Number};
use super::{Found, Vectors};
use crate::error::DataError;
use crate::files::TextFile;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Far above the header of any matrix; a damaged length is not taken for one.
const MAX_HEADER: u32 = 1 << 16;

/// The matrix of a file.
pub(super) fn read(path: &Path) -> Result<Found, DataError> {
    let mut file = open(path)?;
    let header = read_header(&mut file)?;
    let matrix = Header { file: &file.path, text: &header }.matrix()?;
    let values = matrix.read(&mut file, 0)?;
    Ok(Found { ids: None, dim: matrix.dim, values })
}

fn read_header(file: &mut TextFile) -> Result<String, VectorsError> {
    let fault = |fault: &str| VectorsError::NotOfFormat {
        file: file.path.clone(),
        format: ".npy",
        fault: fault.to_owned(),
    };
    let cut = |_: io::Error| fault("it ends within its header");
    let mut start = [0; 8];
    file.reader.read_exact(&mut start).map_err(cut)?;
    if &start[..6] != MAGIC {
        return Err(fault(&format!("it begins with \"{}\"", start[..6].escape_ascii())));
    }
    let length = match start[6] {
        1 => {
            let mut length = [0; 2];
            file.reader.read_exact(&mut length).map_err(cut)?;
            u32::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            file.reader.read_exact(&mut length).map_err(cut)?;
            u32::from_le_bytes(length)
        }
        version => return Err(fault(&format!("its version is {version}, and 1 to 3 are known"))),
    };
    if length > MAX_HEADER {
        return Err(fault(&format!("its header has {length} bytes")));
    }
    let mut header = vec![0; length as usize];
    file.reader.read_exact(&mut header).map_err(cut)?;
    String::from_utf8(header).map_err(|_| fault("its header is no text"))
}

/// The header's text, as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`.
struct Header<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Header<'_> {
    fn matrix(&self) -> Result<Matrix, VectorsError> {
        let number = self.number()?;
        if self.entry("fortran_order")?.starts_with("True") {
            return Err(self.layout(
                "Fortran order".to_owned(),
                "C order, row after row",
                "save it again as numpy.ascontiguousarray(array)",
            ));
        }
        let (n_rows, dim) = self.shape()?;
        Ok(Matrix { number, n_rows, dim })
    }

    /// The text behind a key.
    fn entry(&self, key: &str) -> Result<&str, VectorsError> {
        let (_, behind) =
            self.text.split_once(&format!("'{key}':")).ok_or_else(|| VectorsError::NotOfFormat {
                file: self.file.to_owned(),
                format: ".npy",
                fault: format!("its header has no '{key}'"),
            })?;
        Ok(behind.trim_start())
    }

    fn number(&self) -> Result<Number, VectorsError> {
        let entry = self.entry("descr")?;
        let name = entry.strip_prefix('\'').and_then(|text| text.split('\'').next());
        match name {
            Some("<f2") => Ok(Number::F16),
            Some("<f4") => Ok(Number::F32),
            Some("<f8") => Ok(Number::F64),
            _ => Err(self.layout(
                format!("values of type {}", name.unwrap_or("of several fields")),
                "<f2, <f4 or <f8",
                "save it again as array.astype('<f4')",
            )),
        }
    }

    fn shape(&self) -> Result<(usize, usize), VectorsError> {
        let entry = self.entry("shape")?;
        let shape = entry.split(')').next().unwrap_or_default().trim_start_matches('(');
        let axes: Option<Vec<usize>> = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(|axis| axis.parse().ok())
            .collect();
        let matrix = axes.and_then(|axes| <[usize; 2]>::try_from(axes).ok());
        match matrix {
            Some([n_rows, dim]) if n_rows.checked_mul(dim).is_some_and(|n| n < usize::MAX / 8) => {
                Ok((n_rows, dim))
            }
            _ => Err(self.layout(
                format!("shape ({shape})"),
                "two axes, rows and width",
                "save it again as array.reshape(n_rows, -1)",
            )),
        }
    }

    fn layout(&self, found: String, expected: &'static str, remedy: &'static str) -> VectorsError {
        VectorsError::Layout { file: self.file.to_owned(), found, expected, remedy }
    }
}

/// Writes a matrix of `<f4` in C order.
pub(super) fn write(out: &mut impl Write, vectors: &Vectors) -> io::Result<()> {
    let (n_rows, dim) = (vectors.len(), vectors.dim);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {dim}), }}");
    // The values begin at a multiple of 64 bytes, and the header ends its line.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    // A matrix' header is below 128 bytes.
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    super::write::values(out, &vectors.values)
}

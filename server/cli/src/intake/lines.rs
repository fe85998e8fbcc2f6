//! A file or standard input as lines, unpacked when its content is gzip.
//!
//! A line is bounded in length, and so is the memory that reading it takes.

use crate::progress::Progress;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use thiserror::Error;

/// Bytes of a line: more than any event can take, in base64 and with escapes.
const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
const BUFFER_BYTES: usize = 256 * 1024;

/// Why there is no next line.
#[derive(Debug, Error)]
pub(crate) enum LinesError {
    /// The line is too long; the next one can be read.
    #[error("longer than {max} bytes: store a reference to large content")]
    TooLong {
        /// How long a line may be.
        max: usize,
    },
    /// Reading failed; there is no going on.
    #[error("cannot be read: {0}: what stood before it is taken; mend the file and run this again")]
    Io(#[from] io::Error),
}

/// Lines of a file or of standard input.
pub(crate) struct LineSource {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
    line_bytes_max: usize,
    /// Whether the rest of a line that was too long is still to be passed over: only whoever goes on pays for it.
    is_amid_line: bool,
}

impl LineSource {
    /// Opens a file; its progress shows on the bar that comes back.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Progress)> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let progress = if metadata.is_file() { Progress::bytes(metadata.len()) } else { Progress::open_end() };
        Ok((Self::new(progress.reading(file), LINE_BYTES_MAX)?, progress))
    }

    /// Reads standard input.
    pub(crate) fn standard_input() -> io::Result<(Self, Progress)> {
        let progress = Progress::open_end();
        Ok((Self::new(progress.reading(io::stdin()), LINE_BYTES_MAX)?, progress))
    }

    fn new(mut input: impl Read + 'static, line_bytes_max: usize) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut head)?;
        let is_gzip = head == GZIP_MAGIC;
        let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(head).chain(input));
        let reader: Box<dyn BufRead> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        Ok(Self { reader, line: Vec::new(), number: 0, line_bytes_max, is_amid_line: false })
    }

    /// The number of the line read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not blank; `None` at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<&[u8]>, LinesError> {
        loop {
            self.number += 1;
            if !self.read_line()? {
                return Ok(None);
            }
            if self.line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(&self.line));
            }
        }
    }

    /// Reads one line into `self.line`; false at the end.
    fn read_line(&mut self) -> Result<bool, LinesError> {
        self.line.clear();
        if std::mem::take(&mut self.is_amid_line) {
            self.reader.skip_until(b'\n')?;
        }
        let bound = self.line_bytes_max as u64 + 1;
        let taken = self.reader.by_ref().take(bound).read_until(b'\n', &mut self.line)?;
        if self.line.len() > self.line_bytes_max && self.line.last() != Some(&b'\n') {
            self.line = Vec::new();
            self.is_amid_line = true;
            return Err(LinesError::TooLong { max: self.line_bytes_max });
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(taken > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn source(bytes: &[u8]) -> LineSource {
        LineSource::new(Cursor::new(bytes.to_vec()), 10).expect("memory can be read")
    }

    fn lines(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut source = source(bytes);
        let mut lines = Vec::new();
        while let Some(line) = source.next_line().expect("the lines are good") {
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            lines.push((source.number(), text));
        }
        lines
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    #[test]
    fn blank_lines_are_left_out_and_counted() {
        let expected = vec![(2, "a".to_owned()), (4, "b".to_owned())];
        assert_eq!(lines(b"\na\r\n \t\r\nb"), expected);
        assert_eq!(lines(&gzip(b"\na\n\nb\n")), expected);
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"a"), [(1, "a".to_owned())]);
        assert_eq!(lines("\u{feff}a".as_bytes()), [(1, "a".to_owned())]);
    }

    #[test]
    fn several_gzip_members_are_one_file() {
        let both = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(lines(&both), [(1, "a".to_owned()), (2, "b".to_owned())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut source = source(b"0123456789\n01234567890\nb\n");
        assert_eq!(source.next_line().expect("as long as allowed"), Some(&b"0123456789\n"[..]));
        assert!(matches!(source.next_line(), Err(LinesError::TooLong { max: 10 })));
        assert_eq!(source.next_line().expect("a good line"), Some(&b"b\n"[..]));
        assert_eq!(source.number(), 3);
    }

    #[test]
    fn a_cut_gzip_file_is_an_error_after_its_lines() {
        let packed = gzip(b"a\nb\nc\n");
        let mut source = source(&packed[..packed.len() - 4]);
        let mut error = None;
        while error.is_none() {
            match source.next_line() {
                Ok(line) => assert!(line.is_some(), "the end was taken for a good one"),
                Err(failure) => error = Some(failure),
            }
        }
        assert!(matches!(error, Some(LinesError::Io(_))));
    }
}

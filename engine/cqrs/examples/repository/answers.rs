//! What is asked of the read models, in plain SQL.

use super::outcome::Outcome;
use rusqlite::{Connection, OpenFlags, Row};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::path::Path;

/// Asks the database.
pub(crate) struct Answers {
    database: Connection,
}

/// How files that were folded stand beside those that git lists.
#[derive(Debug, PartialEq)]
pub(crate) struct Match {
    /// Lines that both have.
    pub(crate) same_count: usize,
    /// Lines of git.
    pub(crate) listed_count: usize,
    /// Lines that git does not have.
    pub(crate) foreign_count: usize,
}

impl Answers {
    /// Opens the database for queries alone.
    pub(crate) fn open(database: &Path) -> Outcome<Self> {
        Ok(Self { database: Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)? })
    }

    /// How many files there are, the folders with most churn and the most active authors.
    pub(crate) fn summary(&self) -> Outcome<String> {
        let mut text = String::new();
        for count in self.rows("SELECT count(*) FROM files", |row| row.get::<_, i64>(0))? {
            writeln!(text, "{count} files")?;
        }
        writeln!(text, "folders with most churn, in lines:")?;
        let folders = "SELECT folder, sum(lines) AS sum FROM churn GROUP BY folder ORDER BY sum DESC, folder LIMIT 5";
        for (folder, lines) in self.rows(folders, pair)? {
            writeln!(text, "{lines:>10}  {folder}")?;
        }
        writeln!(text, "most active authors, in commits:")?;
        let authors = "SELECT author, commits FROM authors ORDER BY commits DESC, author LIMIT 5";
        for (author, commits) in self.rows(authors, pair)? {
            writeln!(text, "{commits:>10}  {author}")?;
        }
        Ok(text)
    }

    /// The files, as git lists a tree: a line `blob TAB path` each, in the order of the paths' bytes.
    pub(crate) fn tree(&self) -> Outcome<String> {
        let lines =
            self.rows("SELECT blob || char(9) || path || char(10) FROM files ORDER BY path", |row| row.get(0))?;
        Ok(lines.into_iter().collect::<Vec<String>>().concat())
    }

    /// Compares the files with a tree that git has listed.
    pub(crate) fn compare(&self, listed: &str) -> Outcome<Match> {
        let tree = self.tree()?;
        let (ours, theirs): (BTreeSet<&str>, BTreeSet<&str>) = (tree.lines().collect(), listed.lines().collect());
        let same_count = ours.intersection(&theirs).count();
        Ok(Match { same_count, listed_count: theirs.len(), foreign_count: ours.len() - same_count })
    }

    /// Changed lines by month, in the months that have changes.
    pub(crate) fn churn_by_month(&self) -> Outcome<Vec<(String, i64)>> {
        self.rows("SELECT month, sum(lines) FROM churn GROUP BY month ORDER BY month", pair)
    }

    /// All rows of a query.
    pub(crate) fn rows<T>(&self, text: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Outcome<Vec<T>> {
        let mut statement = self.database.prepare(text)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A name and a count.
pub(crate) fn pair(row: &Row<'_>) -> rusqlite::Result<(String, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

impl fmt::Display for Match {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {} files match", self.same_count, self.listed_count)?;
        if self.foreign_count == 0 { Ok(()) } else { write!(formatter, ", and {} are not listed", self.foreign_count) }
    }
}

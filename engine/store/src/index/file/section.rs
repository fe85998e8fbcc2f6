//! The stretches that an index file consists of.

/// One section; the number is its place in the section table of the header page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionName {
    Rows = 0,
    Buckets = 1,
    Filter = 2,
    Postings = 3,
    Offsets = 4,
    Batches = 5,
    Checks = 6,
}

/// How many sections there are.
pub(super) const SECTION_COUNT: usize = SectionName::Checks as usize + 1;

/// Where a section lies, in bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Where all of them lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sections([Section; SECTION_COUNT]);

impl Sections {
    pub(super) fn new(sections: [Section; SECTION_COUNT]) -> Self {
        Self(sections)
    }

    pub(super) fn of(&self, name: SectionName) -> Section {
        self.0[name as usize]
    }

    /// All sections in the order of the table; the checks come last.
    pub(super) fn all(&self) -> &[Section; SECTION_COUNT] {
        &self.0
    }
}

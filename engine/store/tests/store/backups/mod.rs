//! Backups: made beside a writer, added to, named when they are partial or damaged, and restored.

mod broken;
mod ground;
mod made;
mod restored;
mod swept;

//! Rows measured one after another, each printed as soon as it is there.

use crate::comparison::Comparison;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::report::{self, Measured};
use crate::rows::Row;
use crate::workload::Settings;

/// Measures rows and prints them as a table, or as JSON at the end.
pub fn compare(rows: &[Row<Settings>], settings: &Settings, is_json: bool) -> Outcome<()> {
    let machine = Machine::here(&settings.directory);
    machine.warn(&settings.directory);
    if !is_json {
        println!("{}", report::head(&machine));
    }
    let mut measured = Vec::new();
    let mut warnings = Vec::new();
    for row in rows {
        let comparison = Comparison::measure(row, settings, settings.round_count)?;
        let row = Measured { title: row.title, scale: None, comparison };
        warnings.extend(report::warnings(&row));
        if !is_json {
            println!("{}", report::line(&row));
        }
        measured.push(row);
    }
    if is_json {
        println!("{}", report::json(&machine, &measured, &[])?);
    } else {
        println!("\n{}", report::legend(measured.iter().map(|row| row.title)));
    }
    for warning in warnings {
        eprintln!("{warning}");
    }
    Ok(())
}

/// Does only gesta's side of rows, for a profiler to look at.
pub fn profile(rows: &[Row<Settings>], settings: &Settings) -> Outcome<()> {
    for row in rows {
        let mut workload = (row.workload)(settings)?;
        for _ in 0..settings.round_count {
            println!("{}: {:.0} events/s", row.title.name, workload.gesta()?.rate());
        }
    }
    Ok(())
}

/// The rows with these names, or all.
pub fn chosen<const COUNT: usize>(rows: [Row<Settings>; COUNT], names: &[String]) -> Outcome<Vec<Row<Settings>>> {
    if let Some(unknown) = names.iter().find(|name| rows.iter().all(|row| row.title.name != name.as_str())) {
        let known: Vec<&str> = rows.iter().map(|row| row.title.name).collect();
        return Err(format!("no row is called {unknown}: choose among {}", known.join(", ")).into());
    }
    Ok(rows.into_iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.title.name)).collect())
}

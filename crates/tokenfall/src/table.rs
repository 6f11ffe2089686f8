//! Rows for people and for spreadsheets.

/// Longest cell for people, in characters.
const CELL_MAX: usize = 60;

/// Columns and rows; each row has a cell for each column.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// For people: aligned, numbers to the right.
    pub(crate) fn aligned(&self) -> String {
        if self.rows.is_empty() {
            return "(nothing)".to_owned();
        }
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(|cell| cut(cell)).collect()).collect();
        let is_number = |i: usize| rows.iter().all(|row| row[i].is_empty() || row[i].parse::<f64>().is_ok());
        let widths: Vec<(usize, bool)> = (0..self.columns.len())
            .map(|i| {
                let longest = rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
                (longest.max(self.columns[i].chars().count()), is_number(i))
            })
            .collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).map(|(cell, (width, right))| {
                if *right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        std::iter::once(line(&self.columns)).chain(rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
    }

    /// RFC 4180, without the carriage return.
    pub(crate) fn csv(&self) -> String {
        let line = |cells: &Vec<String>| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
        std::iter::once(line(&self.columns)).chain(self.rows.iter().map(line)).collect::<Vec<_>>().join("\n")
    }
}

fn cut(cell: &str) -> String {
    let line = cell.replace(['\n', '\r', '\t'], " ");
    if line.chars().count() > CELL_MAX { line.chars().take(CELL_MAX - 1).chain(['…']).collect() } else { line }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

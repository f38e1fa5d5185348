//! Rows go in, aligned lines come out.

/// Columns under headings; each is as wide as its longest cell.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|word| (*word).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, two spaces between columns.
    pub(crate) fn lines(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns).map(|at| self.width(at)).collect();
        let lines = self.rows.iter().map(|row| line(row, &widths));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// One `name  value` a line, values aligned; pairs without a value are left out.
pub(crate) fn pairs(pairs: &[(&str, Option<String>)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let shown = pairs.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    shown.map(|(name, value)| format!("{name:<width$}  {value}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_end_where_their_text_ends() {
        let mut table = Table::new(&["job", "state", "error"]);
        table.row(vec!["a".into(), "leased".into(), String::new()]);
        table.row(vec!["long-id".into(), "done".into(), "é".into()]);
        assert_eq!(table.lines(), "job      state   error\na        leased\nlong-id  done    é");
    }

    #[test]
    fn pairs_without_a_value_are_left_out() {
        let text =
            pairs(&[("id", Some("a".into())), ("artifact", None), ("state", Some("x".into()))]);
        assert_eq!(text, "id        a\nstate     x");
    }
}

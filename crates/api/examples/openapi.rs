//! Prints the description of the API: `just openapi` keeps it in the repository.

use std::io::Write;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{}", api::document())
}

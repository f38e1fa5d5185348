//! The name of a part that a build leaves out goes in; the sentence about a setting that needs it comes
//! out.

/// What is wrong with a setting that names the part `part`, and which build has it.
pub fn left_out(part: &str) -> String {
    format!(
        "needs the part `{part}`, which this build leaves out; \
         `cargo build --release --package ops --package worker` makes one with all parts"
    )
}

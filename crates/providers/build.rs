//! A new file in `migrations/` must be compiled in.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}

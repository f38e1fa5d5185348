//! Settings go in; pages, sentences and exit codes come out.

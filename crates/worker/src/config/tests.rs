//! Settings go in, typed values or the sentences of all faults come out.

//! Who reports: the first line of every request.

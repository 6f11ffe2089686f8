//! Names of spans from SQL statements.

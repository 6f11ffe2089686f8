//! Options: from code, environment and the server's central configuration.

//! HTTP requests to the server.

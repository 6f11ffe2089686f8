//! HTTP: names, results and outcomes of requests; layers for servers and clients.

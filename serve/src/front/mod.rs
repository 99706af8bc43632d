//! From a socket to a request, within limits.

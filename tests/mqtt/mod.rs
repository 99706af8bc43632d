//! A device on a real broker, behind a front that looks at certificate and ALPN as AWS does. The front's ledger is the
//! judge of what was sent.

mod publishing;

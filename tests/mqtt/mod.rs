//! A device on a real broker, behind a front that looks at certificate and ALPN as AWS does. The front's ledger is the
//! judge of what was sent.

mod aliyun;
mod authorizer;
mod judge;
mod lifetime;
mod losses;
mod properties;
mod publishing;
mod refusals;
mod retained;
mod secrets;
mod sessions;
mod will;

//! The end of a connection that its guest has let go of.
//!
//! A socket that is closed with bytes unread, or with bytes still coming, resets the connection, and the reset overtakes
//! what the server has not read: the guest's own goodbye, without which a broker publishes the will of a device that left
//! in good order. A device that is subscribed to a busy topic always has something coming. So the connection says all
//! that is left to say and then listens for a moment to a server that is closing too, which takes one way there and back.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::connection::{StreamConnection, now};
use super::lock;

/// The time for goodbyes. A server that does not close by then, or does not take what is left, is not waited for.
const CLOSING: Duration = Duration::from_secs(1);

/// Closes the connection, without keeping anybody waiting.
pub(super) fn close(connection: &Arc<Mutex<StreamConnection>>) {
    // The goodbye leaves at once if it can: a process may end here.
    if lock(connection).poll_closed(&mut now()).is_ready() {
        return;
    }
    // A store may be dropped where there is no runtime.
    if let Ok(runtime) = Handle::try_current() {
        let connection = Arc::clone(connection);
        runtime.spawn(timeout(CLOSING, poll_fn(move |cx| lock(&connection).poll_closed(cx))));
    }
}

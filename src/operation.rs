//! Platforms have more than topics: a shadow to read, a message for one client. The exchange carries such an operation out as it
//! publishes a message, and only its platform knows what it asks and what comes back.

use alloc::sync::Arc;
use core::any::Any;
use core::fmt;

use crate::error::Error;
use crate::http::{Request, Response};
use crate::message::{Qos, RequestError};
use crate::outcome::Receipt;
use crate::platform::Platform;

/// Something other than a publication.
pub trait Operation: Any + Send + Sync {
    /// [`Qos::AtLeastOnce`] if it may be carried out twice where it is not known whether it was carried out once.
    fn qos(&self) -> Qos;

    /// The request without what shows who the device is.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unsupported`] where the platform does not have the operation, and whatever else is known to be refused.
    fn request(&self, platform: &dyn Platform) -> Result<Request, RequestError>;

    /// What the answer gives.
    ///
    /// # Errors
    ///
    /// What the platform answers in place of a reply.
    fn read_reply(&self, platform: &dyn Platform, response: &Response) -> Result<Reply, Error>;
}

/// Shows nothing, as a platform does.
impl fmt::Debug for dyn Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operation(..)")
    }
}

impl dyn Operation {
    /// The operation as its platform knows it, if it is of that platform.
    pub fn downcast_ref<T: Operation>(&self) -> Option<&T> {
        let operation: &dyn Any = self;
        operation.downcast_ref()
    }
}

/// What an operation has given.
#[derive(Clone)]
pub struct Reply {
    /// How it came. The exchange counts the attempts.
    pub receipt: Receipt,
    value: Arc<dyn Any + Send + Sync>,
}

impl Reply {
    /// A reply with what its platform makes of it.
    pub fn new(receipt: Receipt, value: impl Any + Send + Sync) -> Self {
        Self { receipt, value: Arc::new(value) }
    }

    /// The reply as its platform knows it, if it is of that platform.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }
}

/// Shows the receipt alone: what came may be anything.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("receipt", &self.receipt).finish_non_exhaustive()
    }
}

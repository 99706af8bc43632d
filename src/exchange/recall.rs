//! Several instances of one device, where each authentication ends the token before it: the second to authenticate takes the
//! first one's away, the first takes it back, and so on. So whatever drives an exchange can look, just before an
//! authentication is sent, whether another instance has left a credential where both can reach it.

use super::{Exchange, RequestId, RequestKind};
use crate::credential::Credential;
use crate::moment::Moment;

impl Exchange {
    /// Whether this request under way is an authentication, which [`recall`](Self::recall) can make needless.
    pub fn is_authentication(&self, id: RequestId) -> bool {
        self.under_way.iter().any(|request| request.id == id && matches!(request.kind, RequestKind::Authentication))
    }

    /// Takes a credential that another instance of the same device has obtained, in place of an authentication that was
    /// not sent yet. `false` if this one is of no use, because it was rejected here or is near its end: the request is
    /// to be sent then.
    #[must_use = "an authentication that is not made needless must be sent"]
    pub fn recall(&mut self, now: Moment, id: RequestId, credential: Credential) -> bool {
        let is_authentication = self.is_authentication(id);
        let taken = is_authentication
            && self.authentication.as_mut().is_some_and(|authentication| authentication.recall(now, credential));
        if taken {
            self.under_way.retain(|request| request.id != id);
            self.outage.withdrawn(id);
        }
        taken
    }
}

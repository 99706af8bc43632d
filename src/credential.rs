//! A token, a temporary key: what a device obtains by authenticating is different on each platform, and its life is the same. The
//! exchange obtains, keeps, renews and replaces it, and looks inside nowhere.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use crate::moment::Moment;

/// What one platform gives for an authentication.
pub trait CredentialKind: PartialEq + Send + Sync + 'static {
    /// Whether it should be renewed.
    fn is_near_its_end(&self, now: Moment) -> bool;

    /// What an answer must not give away when it quotes the request.
    fn secrets(&self) -> Vec<&str>;
}

/// What a device has obtained by authenticating, for as long as it is good. A secret.
#[derive(Clone)]
pub struct Credential(Arc<dyn Erased>);

/// A [`CredentialKind`] that has forgotten which.
trait Erased: Any + Send + Sync {
    fn is_near_its_end(&self, now: Moment) -> bool;
    fn secrets(&self) -> Vec<&str>;
    fn equals(&self, other: &dyn Any) -> bool;
}

impl<T: CredentialKind> Erased for T {
    fn is_near_its_end(&self, now: Moment) -> bool {
        CredentialKind::is_near_its_end(self, now)
    }

    fn secrets(&self) -> Vec<&str> {
        CredentialKind::secrets(self)
    }

    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>() == Some(self)
    }
}

impl Credential {
    /// A credential of a platform.
    pub fn new(kind: impl CredentialKind) -> Self {
        Self(Arc::new(kind))
    }

    /// The credential as its platform knows it, if it is of that platform.
    pub fn downcast_ref<T: CredentialKind>(&self) -> Option<&T> {
        let kind: &dyn Any = &*self.0;
        kind.downcast_ref()
    }

    pub(crate) fn is_near_its_end(&self, now: Moment) -> bool {
        self.0.is_near_its_end(now)
    }

    pub(crate) fn secrets(&self) -> Vec<&str> {
        self.0.secrets()
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

impl Eq for Credential {}

/// Shows nothing.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

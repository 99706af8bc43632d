//! A code is all that a client has to decide by, and the two services number theirs apart: one succeeds with 0, the
//! other with 200. Both tables stand here, so that what an answer says and what a client must do can be looked up.

/// The codes of `/auth` and `/topic/…` that the emulator finds by itself. Tests can ask for any other.
pub(super) const SUCCESS: u32 = 0;
pub(super) const PARAM_ERROR: u32 = 10001;
pub(super) const AUTH_CHECK_ERROR: u32 = 20000;
pub(super) const TOKEN_EXPIRED: u32 = 20001;
pub(super) const TOKEN_NULL: u32 = 20002;
pub(super) const CHECK_TOKEN_ERROR: u32 = 20003;
pub(super) const PUBLISH_ERROR: u32 = 30001;
pub(super) const REQUEST_TOO_MANY: u32 = 40000;

/// What the documentation says a code of `/auth` or `/topic/…` means.
pub(super) fn message(code: u32) -> &'static str {
    match code {
        SUCCESS => "success",
        PARAM_ERROR => "param error",
        AUTH_CHECK_ERROR => "auth check error",
        TOKEN_EXPIRED => "token is expired",
        TOKEN_NULL => "token is null",
        CHECK_TOKEN_ERROR => "check token error",
        20004 => "update session error",
        PUBLISH_ERROR => "publish message error",
        REQUEST_TOO_MANY => "request too many",
        // 10000, and whatever a test makes up.
        _ => "common error",
    }
}

/// The codes of the service that registers devices. The names of the constants are what the documentation explains
/// them as.
pub(super) mod iot_auth {
    pub(in super::super) const SUCCESS: u32 = 200;
    pub(in super::super) const AUTH_ERROR: u32 = 401;
    pub(in super::super) const PARAM_ERROR: u32 = 460;
    pub(in super::super) const META_DEVICE_NOT_FOUND: u32 = 5001;
    pub(in super::super) const DEVICE_NOT_FOUND: u32 = 6100;
    pub(in super::super) const PRODUCT_NOT_FOUND: u32 = 6250;
    pub(in super::super) const REGISTRATION_OFF: u32 = 6288;
    pub(in super::super) const ALREADY_ACTIVE: u32 = 6289;
    pub(in super::super) const UNKNOWN_SIGN_METHOD: u32 = 6292;
    pub(in super::super) const WRONG_SIGNATURE: u32 = 6600;

    /// Documented or captured for 200, 401, 460, 5001, 6200 and 6289. For the others only their meaning is
    /// documented, and the words are ours.
    pub(in super::super) fn message(code: u32) -> &'static str {
        match code {
            SUCCESS => "success",
            AUTH_ERROR => "request auth error",
            PARAM_ERROR => "param error",
            META_DEVICE_NOT_FOUND => "meta device not found",
            DEVICE_NOT_FOUND => "device not found",
            6200 => "auth type mismatch",
            PRODUCT_NOT_FOUND => "product not found",
            REGISTRATION_OFF => "dynamic registration is off",
            ALREADY_ACTIVE => "device is already active",
            UNKNOWN_SIGN_METHOD => "sign method is not supported",
            WRONG_SIGNATURE => "sign check error",
            // 500, and whatever a test makes up.
            _ => "system error",
        }
    }
}

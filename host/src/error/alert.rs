//! What a TLS alert says about the request.
//!
//! In TLS 1.3 the client is done with the handshake before the server has looked at its certificate. So the request is
//! already on its way when the refusal comes, as an alert where the answer should be. If the alert can only mean that
//! the handshake was refused, the request has not been read, and the message is *not sent* rather than *unknown*: it may
//! be sent again without fear of doubling it.
//!
//! In TLS 1.2 the server has looked at the certificate before the handshake is over. What comes after it is no verdict on
//! that, whatever it is called: a proxy that has passed the request on, and then cannot go on, says `access_denied` too.

use rustls::AlertDescription;

/// The name of the alert as RFC 8446 writes it, or its number.
pub(crate) fn name(alert: AlertDescription) -> String {
    use AlertDescription as A;
    match alert {
        A::HandshakeFailure => "handshake_failure",
        A::NoCertificate => "no_certificate",
        A::BadCertificate => "bad_certificate",
        A::UnsupportedCertificate => "unsupported_certificate",
        A::CertificateRevoked => "certificate_revoked",
        A::CertificateExpired => "certificate_expired",
        A::CertificateUnknown => "certificate_unknown",
        A::IllegalParameter => "illegal_parameter",
        A::UnknownCA => "unknown_ca",
        A::AccessDenied => "access_denied",
        A::DecryptError => "decrypt_error",
        A::ProtocolVersion => "protocol_version",
        A::InsufficientSecurity => "insufficient_security",
        A::InternalError => "internal_error",
        A::UnrecognisedName => "unrecognized_name",
        A::CertificateRequired => "certificate_required",
        A::NoApplicationProtocol => "no_application_protocol",
        other => return format!("alert {}", u8::from(other)),
    }
    .to_owned()
}

/// Whether the alert can only mean that the handshake was refused, as long as that may come yet. Alerts that may also be raised in mid-connection
/// (`internal_error`, `bad_record_mac`, `unexpected_message`, `user_canceled`, ...) prove nothing about the request.
pub(crate) fn refuses_handshake(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::HandshakeFailure
            | A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError
            | A::ProtocolVersion
            | A::InsufficientSecurity
            | A::MissingExtension
            | A::UnsupportedExtension
            | A::UnrecognisedName
            | A::BadCertificateStatusResponse
            | A::UnknownPSKIdentity
            | A::CertificateRequired
            | A::NoApplicationProtocol
    )
}

/// What to do about it, where that can be said.
pub(crate) fn hint(alert: AlertDescription) -> &'static str {
    use AlertDescription as A;
    match alert {
        A::NoCertificate | A::CertificateRequired => "add an identity to the route",
        A::CertificateExpired => "renew the device certificate, and check this machine's clock",
        A::CertificateRevoked => "the device certificate was revoked; provision a new one",
        A::UnknownCA | A::CertificateUnknown | A::BadCertificate | A::AccessDenied => {
            "the server does not accept the device certificate; check that it is registered and active there"
        }
        A::UnsupportedCertificate | A::DecryptError => {
            "the server cannot use the device certificate; check its kind and its chain"
        }
        A::NoApplicationProtocol => "the server does not know the ALPN of the route; check the port",
        A::UnrecognisedName => "the server does not serve this name; check the host",
        A::ProtocolVersion | A::InsufficientSecurity | A::HandshakeFailure => {
            "no common TLS version, cipher suite or kind of key (that of a server may be ECDSA P-521, which is not supported), or a \
             client certificate is missing: check the route"
        }
        _ => "see the server's log",
    }
}

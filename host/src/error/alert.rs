//! What a TLS alert says about the request.
//!
//! In TLS 1.3 the client is done with the handshake before the server has looked at its certificate. So the request is
//! already on its way when the refusal comes, as an alert where the answer should be. If the alert can only mean that
//! the client's half of the handshake was refused, the request has not been read, and the message is *not sent* rather than
//! *unknown*: it may be sent again without fear of doubling it.
//!
//! By then the server has taken the client's hello and has said its own Finished. What is left for it to refuse is the certificate
//! of the client, the signature that goes with it, and the client's Finished, and so alone the alerts that
//! [RFC 8446, section 6.2](https://www.rfc-editor.org/rfc/rfc8446#section-6.2) has for these prove anything. Those about a hello
//! (`unrecognized_name`, `protocol_version`, ..) come too late to be about one. `handshake_failure` and `access_denied` name nothing
//! that was looked at: some servers refuse a certificate with them, and a proxy that has passed the request on, and
//! then cannot go on, says them too. They leave the outcome *unknown*, which doubles nothing, and the hint about the certificate is
//! given all the same.
//!
//! In TLS 1.2 the server has looked at the certificate before the handshake is over. What comes after it is no verdict on
//! that, whatever it is called.

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

/// Whether the alert can only mean that the server refused the client's certificate or what proves it, where it comes in TLS 1.3
/// before anything else. Alerts that may also be raised in mid-connection prove nothing about the request.
pub(crate) fn refuses_client(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        // mbedTLS says the first of them where others say the last.
        A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::DecryptError
            | A::CertificateRequired
    )
}

/// Whether the alert may be about the client's certificate, and mean something else as well.
pub(crate) fn may_refuse_client(alert: AlertDescription) -> bool {
    refuses_client(alert) || matches!(alert, AlertDescription::AccessDenied | AlertDescription::HandshakeFailure)
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

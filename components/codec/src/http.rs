//! Requests and answers at the border. Only this component has them there.

use thingpost::http::{Failure, NoAnswer, Request, Response};

use crate::bindings::exports::thingpost::iot::types as wit;

pub(crate) fn request(request: Request) -> wit::HttpRequest {
    wit::HttpRequest {
        method: request.method.to_owned(),
        authority: request.authority,
        path_with_query: request.path_with_query,
        headers: request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: request.body.into(),
    }
}

pub(crate) fn response(response: wit::HttpResponse) -> Response {
    Response { status: response.status, headers: response.headers, body: response.body }
}

pub(crate) fn no_answer(no_answer: wit::NoAnswer) -> NoAnswer {
    let failure = match no_answer.failure {
        wit::Failure::Denied => Failure::Denied,
        wit::Failure::NameResolution => Failure::NameResolution,
        wit::Failure::ConnectionRefused => Failure::ConnectionRefused,
        wit::Failure::Unreachable => Failure::Unreachable,
        wit::Failure::ConnectTimeout => Failure::ConnectTimeout,
        wit::Failure::ConnectionLimit => Failure::ConnectionLimit,
        wit::Failure::TlsCertificate => Failure::TlsCertificate,
        wit::Failure::TlsAlert => Failure::TlsAlert,
        wit::Failure::TlsProtocol => Failure::TlsProtocol,
        wit::Failure::RequestRejected => Failure::RequestRejected,
        wit::Failure::ConnectionClosed => Failure::ConnectionClosed,
        wit::Failure::AnswerTimeout => Failure::AnswerTimeout,
        wit::Failure::AnswerIncomplete => Failure::AnswerIncomplete,
        wit::Failure::AnswerTooLarge => Failure::AnswerTooLarge,
        wit::Failure::Protocol => Failure::Protocol,
        wit::Failure::Other => Failure::Other,
    };
    NoAnswer { failure, detail: no_answer.detail }
}

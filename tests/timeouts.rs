//! Timeouts are a wish that a host may ignore. The component has a deadline of its own, or one silent server would hold
//! a batch for ever.

use std::time::Duration;

use http::uri::Scheme;
use thingpost_emulator::{Break, Fault};
use thingpost_host::{Timeouts, TransportHooks};
use wasmtime_wasi_http::{Error as WasiError, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use crate::bindings::publish::exports::thingpost::iot::types::{
    Cause, Delivery, Message, Options, Qos, TransportErrorKind,
};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::stock_host::{StockPublisher, defaults};

/// Our hooks, but deaf to what the guest says about time, and without any of their own.
struct DeafHooks(TransportHooks);

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), WasiError>> + Send>), WasiError>;

impl WasiHttpHooks for DeafHooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        self.0.forbidden_header_filter()
    }

    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        self.0.is_supported_scheme(scheme)
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        processed: Box<dyn Future<Output = Result<(), WasiError>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        self.0.send_request(request, None, processed)
    }
}

#[tokio::test]
async fn a_host_that_knows_no_timeouts_does_not_hold_a_batch() {
    within(async {
        let cloud = AwsCloud::start().await;
        let patient = Timeouts::default().first_byte(Duration::MAX).between_bytes(Duration::MAX);
        let hooks = DeafHooks(TransportHooks::new(cloud.transport(cloud.route()).timeouts(patient)));
        let options = Options { timeout_ms: Some(5_000), max_in_flight: Some(4), ..defaults() };
        let mut publisher = StockPublisher::open(hooks, options).await;
        cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
        cloud.emulator.faults().push(Fault::BeforeAcceptance(Break::Stall), 1);
        let message = |index: u8| Message::new("a", [index], Qos::AtLeastOnce);
        let messages: Vec<Message> = (0..20).map(message).collect();

        let outcomes = publisher.publish_all(&messages).await;
        let errors: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(errors.len(), 2);
        for error in errors {
            assert_eq!(error.cause, Cause::Transport(TransportErrorKind::AnswerTimeout));
            assert_eq!((error.delivery, error.attempts), (Delivery::Unknown, 1));
        }
        assert_eq!(cloud.emulator.ledger().accepted().len(), 19);
    })
    .await;
}

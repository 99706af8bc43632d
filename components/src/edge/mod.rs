//! The edge function: plain HTTP in, a message to the platform out. What a request means and what its answer looks like is
//! in the core (`thingpost::edge`); here it meets `wasi:http/incoming-handler`.

#[cfg(feature = "edge-stores")]
mod config;
mod devices;
#[cfg(feature = "edge-min")]
mod header;
mod instance;
#[cfg(feature = "edge-stores")]
mod keyvalue;
#[cfg(feature = "edge-min")]
mod no_store;
mod publish;

use thingpost::edge::{Refusal, SettingsError, Task, answer, read};
use thingpost::http::Response;
use thingpost::wasi::incoming::Incoming;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

// Where the settings are.
#[cfg(feature = "edge-stores")]
use self::config as source;
use self::devices::Devices;
#[cfg(feature = "edge-min")]
use self::header as source;
// Where credentials are kept beyond the life of an instance.
#[cfg(feature = "edge-stores")]
use self::keyvalue as keeping;
#[cfg(feature = "edge-min")]
use self::no_store as keeping;
use crate::Component;
use crate::bindings::exports::wasi::http::incoming_handler::Guest;

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let mut request = Incoming::new(request);
        let mut kept = instance::take();
        let answered = respond(&mut request, &mut kept).unwrap_or_else(|refusal| answer::refused(&refusal));
        instance::put(kept);
        request.answer(out, answered);
    }
}

/// What can be judged without settings is judged first, so that a function that is not configured yet answers a wrong
/// path as what it is.
fn respond(request: &mut Incoming, kept: &mut Option<Devices>) -> Result<Response, Refusal> {
    match read(&request.head())? {
        Task::Liveness => Ok(answer::well()),
        Task::Readiness => match devices(request, kept) {
            Ok(_) => Ok(answer::well()),
            Err(problem) => Err(Refusal::NotReady(problem)),
        },
        Task::Publish(publication) => {
            let devices = devices(request, kept).map_err(|_| Refusal::NotConfigured)?;
            let device = devices.find(&publication, &request.head())?;
            let payload = request.payload()?;
            publish::publish(device, publication.into_message(payload))
        }
    }
}

/// The devices of the settings as they are now: those of the request before this one, where nothing has changed.
fn devices<'a>(request: &Incoming, kept: &'a mut Option<Devices>) -> Result<&'a mut Devices, SettingsError> {
    let given = source::given(&request.head())?;
    let devices = match kept.take() {
        Some(devices) if devices.are_of(&given) => devices,
        _ => Devices::new(given)?,
    };
    Ok(kept.insert(devices))
}

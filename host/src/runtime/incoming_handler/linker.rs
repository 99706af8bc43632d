//! What a component that serves HTTP may import.
//!
//! Components that are made with a standard library import what that library could need: files, arguments, sockets, random
//! numbers. If one of these were missing, hardly a component of anybody's would load; if they did what they do for a program, a
//! component could reach the network past the routes. So they are there and empty.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result};
use wasmtime_wasi_http::p2::bindings::{LinkOptions, ProxyPre, http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use super::error::LoadHandlerError;
use super::state::HandlerState;
use super::version::InterfaceName;
use crate::limits::GuestLimits;
use crate::runtime::outgoing_handler;

/// What is exported by a component that serves HTTP.
const HANDLER: &str = "wasi:http/incoming-handler@0.2.0";

/// What is linked in any case. Versions of one track stand for each other, and wasmtime knows the functions of the newest.
const WASI: [&str; 29] = [
    "wasi:cli/environment@0.2.12",
    "wasi:cli/exit@0.2.12",
    "wasi:cli/stderr@0.2.12",
    "wasi:cli/stdin@0.2.12",
    "wasi:cli/stdout@0.2.12",
    "wasi:cli/terminal-input@0.2.12",
    "wasi:cli/terminal-output@0.2.12",
    "wasi:cli/terminal-stderr@0.2.12",
    "wasi:cli/terminal-stdin@0.2.12",
    "wasi:cli/terminal-stdout@0.2.12",
    "wasi:clocks/monotonic-clock@0.2.12",
    "wasi:clocks/wall-clock@0.2.12",
    "wasi:filesystem/preopens@0.2.12",
    "wasi:filesystem/types@0.2.12",
    "wasi:http/outgoing-handler@0.2.12",
    "wasi:http/types@0.2.12",
    "wasi:io/error@0.2.12",
    "wasi:io/poll@0.2.12",
    "wasi:io/streams@0.2.12",
    "wasi:random/insecure-seed@0.2.12",
    "wasi:random/insecure@0.2.12",
    "wasi:random/random@0.2.12",
    "wasi:sockets/instance-network@0.2.12",
    "wasi:sockets/ip-name-lookup@0.2.12",
    "wasi:sockets/network@0.2.12",
    "wasi:sockets/tcp-create-socket@0.2.12",
    "wasi:sockets/tcp@0.2.12",
    "wasi:sockets/udp-create-socket@0.2.12",
    "wasi:sockets/udp@0.2.12",
];

/// The interfaces that components which serve HTTP may import.
///
/// | interfaces | what a component gets |
/// |---|---|
/// | `wasi:http/outgoing-handler` and `types` | requests, through the [`Transport`](crate::Transport) of its instance and by its routes |
/// | `wasi:io`, `wasi:clocks` | streams, waiting, the time of this machine |
/// | `wasi:random` | random numbers |
/// | `wasi:cli/stdout` and `stderr` | lines in the log, within bounds |
/// | `wasi:cli/stdin` | an end of input |
/// | `wasi:cli/environment` | no variable, no argument, no folder |
/// | `wasi:cli/exit` | ends the instance, as a trap |
/// | `wasi:cli/terminal-..` | no terminal |
/// | `wasi:filesystem` | no folder to begin with, and so no file |
/// | `wasi:sockets` | `access-denied` for each socket, `permanent-resolver-failure` for each name |
///
/// What an embedder [offers](Self::offer) comes on top of that. A component that imports anything else is refused when it is loaded.
pub struct HandlerLinker<X: Send + 'static> {
    linker: Linker<HandlerState<X>>,
    offered: Vec<String>,
}

impl<X: Send + 'static> HandlerLinker<X> {
    pub(in crate::runtime) fn new(engine: &Engine) -> Result<Self> {
        let mut linker = Linker::<HandlerState<X>>::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        let options = LinkOptions::default();
        http::types::add_to_linker::<_, WasiHttp>(&mut linker, &(&options).into(), HandlerState::http)?;
        GuestLimits::bound_request_lines(&mut linker)?;
        outgoing_handler::add_to_linker(&mut linker)?;
        Ok(Self { linker, offered: WASI.map(str::to_owned).to_vec() })
    }

    /// Offers one interface more, by its name with its version: `add` puts it into the linker. What its functions need is in
    /// the [`HandlerState`] of each store.
    ///
    /// # Errors
    ///
    /// `add` fails, or the interface is there already.
    pub fn offer(
        &mut self,
        interface: impl Into<String>,
        add: impl FnOnce(&mut Linker<HandlerState<X>>) -> Result<()>,
    ) -> Result<()> {
        add(&mut self.linker)?;
        self.offered.push(interface.into());
        Ok(())
    }

    /// Finds all that this component imports, or says what is missing.
    pub(super) fn link(&self, component: &Component) -> Result<ProxyPre<HandlerState<X>>, LoadHandlerError> {
        let (engine, shape) = (self.linker.engine(), component.component_type());
        let handler = InterfaceName::new(HANDLER);
        if !shape.exports(engine).any(|(name, _)| handler.is_compatible_with(&InterfaceName::new(name))) {
            let exports = shape.exports(engine).map(|(name, _)| name.to_owned()).collect();
            return Err(LoadHandlerError::NoHandler { exports });
        }
        for (import, _) in shape.imports(engine) {
            self.find(import)?;
        }
        let pre = self.linker.instantiate_pre(component).map_err(LoadHandlerError::Shape)?;
        ProxyPre::new(pre).map_err(LoadHandlerError::Shape)
    }

    fn find(&self, import: &str) -> Result<(), LoadHandlerError> {
        let wanted = InterfaceName::new(import);
        let offered = || self.offered.iter().map(|offered| InterfaceName::new(offered));
        if offered().any(|offered| wanted.is_compatible_with(&offered)) {
            return Ok(());
        }
        let same = self.offered.iter().filter(|offered| InterfaceName::new(offered).path == wanted.path);
        Err(LoadHandlerError::NotOffered { interface: import.to_owned(), offered: same.cloned().collect() })
    }
}

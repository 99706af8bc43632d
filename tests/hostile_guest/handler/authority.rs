//! What a handler can reach beside HTTP, as it finds it.

use wasip2::cli::{environment, stderr, stdin, stdout, terminal_stdout};
use wasip2::filesystem::preopens;
use wasip2::random::random;
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};

use crate::answers::write;

/// All of it, a word for each.
pub fn report() -> String {
    let network = instance_network::instance_network();
    let tcp = tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4).err();
    let udp = udp_create_socket::create_udp_socket(IpAddressFamily::Ipv4).err();
    let name = ip_name_lookup::resolve_addresses(&network, "localhost").err();
    let [tcp, udp, name] =
        [tcp, udp, name].map(|error| error.map_or("granted".to_owned(), |error| error.name().to_owned()));
    format!(
        "variables={} arguments={} folder={} folders={} input={} terminal={} random={} tcp={tcp} udp={udp} name={name}",
        environment::get_environment().len(),
        environment::get_arguments().len(),
        environment::initial_cwd().is_some(),
        preopens::get_directories().len(),
        stdin::get_stdin().blocking_read(1).is_ok(),
        terminal_stdout::get_terminal_stdout().is_some(),
        random::get_random_bytes(16).len(),
    )
}

/// To both outputs.
pub fn print(text: &str) {
    write(&stdout::get_stdout(), format!("{text} out\n").as_bytes());
    write(&stderr::get_stderr(), format!("{text}\x1b[31m err").as_bytes());
}

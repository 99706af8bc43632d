#!/bin/sh
# The edge function in `wasmtime serve` (48 or later), with its settings out of the list of processes.
#
#   wasmtime-serve.sh edge-min.wasm settings.json [OPTION OF wasmtime serve]..
#   curl -d 'celsius=21.5' 'http://127.0.0.1:8080/topics/sensors/kitchen?qos=1'
#
# settings.json is one object, with the names in docs/edge.md. Set `token` in it before you listen on anything but loopback
# (ADDRESS=0.0.0.0:8080).
#
# What this host cannot do:
# - show a client certificate, or ask for AWS's protocol on port 443: on AWS use `sigv4` or `authorizer`;
# - trust an authority that is not public: behind a proxy that opens TLS every message ends with transport/tls-certificate;
# - keep what is in its key-value store. An instance has its token as long as it is kept: for a minute after its last request here;
# - end in order on SIGTERM: what is under way is lost. SIGINT waits for it, and for instances that are kept.
set -eu
component=$1
settings=$2
shift 2

# The host replaces whatever a client sends in a header of this name. A header is one line: the line breaks of a JSON document stand
# between its texts and mean nothing.
exec "${WASMTIME:-wasmtime}" serve --addr "${ADDRESS:-127.0.0.1:8080}" --header @/dev/fd/3 \
    --max-instance-reuse-count 1000 --idle-instance-timeout 60s "$@" "$component" 3<<EOF
thingpost-settings: $(tr -d '\r\n' <"$settings")
EOF

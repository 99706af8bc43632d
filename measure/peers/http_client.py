"""A connection for each message, by http.client with ALPN, as scripts for port 443 do it."""
import http.client
import ssl
import sys
import time

port, ca, certificate, key, payload, count = sys.argv[1:]
body = open(payload, "rb").read()


def publish():
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["x-amzn-http-ca"])
    connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context)
    connection.request("POST", "/topics/plant/4/thermometer-7?qos=1", body)
    assert connection.getresponse().status == 200
    connection.close()


publish()
begin = time.perf_counter()
for _ in range(int(count)):
    publish()
print(time.perf_counter() - begin)

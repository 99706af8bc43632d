"""One connection for all messages, by http.client: the best that the standard library of Python can do."""
import http.client
import ssl
import sys
import time

port, ca, certificate, key, payload, count = sys.argv[1:]
body = open(payload, "rb").read()
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(certificate, key)
connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context)


def publish():
    connection.request("POST", "/topics/plant/4/thermometer-7?qos=1", body)
    answer = connection.getresponse()
    assert answer.status == 200
    answer.read()


publish()
begin = time.perf_counter()
for _ in range(int(count)):
    publish()
print(time.perf_counter() - begin)

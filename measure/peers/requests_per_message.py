"""A call of requests for each message, the way the AWS documentation shows for HTTPS."""
import sys
import time

import requests

port, ca, certificate, key, payload, count = sys.argv[1:]
body = open(payload, "rb").read()


def publish():
    url = f"https://127.0.0.1:{port}/topics/plant/4/thermometer-7?qos=1"
    assert requests.post(url, data=body, cert=(certificate, key), verify=ca).status_code == 200


publish()
begin = time.perf_counter()
for _ in range(int(count)):
    publish()
print(time.perf_counter() - begin)

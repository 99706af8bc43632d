"""One connection for all messages, by paho-mqtt and the thread that it starts, as its documentation recommends."""
import os
import sys
import threading
import time

import paho.mqtt.client as mqtt

port, ca, certificate, key, payload, batches, messages, qos = sys.argv[1:]
body = open(payload, "rb").read()
connected = threading.Event()

# Version 2 wants to be told which signatures callbacks have; version 1 has only one.
api = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*api, client_id=f"paho-{os.getpid()}", protocol=mqtt.MQTTv311)
client.tls_set(ca, certificate, key)
client.max_inflight_messages_set(20)
client.on_connect = lambda *_: connected.set()
client.connect("localhost", int(port), keepalive=1200)
client.loop_start()
assert connected.wait(30), "the broker has not answered"


def publish():
    sent = [client.publish("plant/4/thermometer-7/celsius", body, int(qos)) for _ in range(int(messages) - 1)]
    # The broker takes them in their order, so when it has acknowledged the last it has all of them.
    sent.append(client.publish("plant/4/thermometer-7/celsius", body, 1))
    sent[-1].wait_for_publish(60)
    assert all(message.is_published() for message in sent), "an acknowledgement is missing"


publish()
begin = time.perf_counter()
for _ in range(int(batches)):
    publish()
print(time.perf_counter() - begin)
client.disconnect()
client.loop_stop()

"""Prints the values of a topic up to a moment, one a line; NULL for a record without one.

usage: consume.py BOOTSTRAP_SERVERS TOPIC UNTIL_MS
"""

import sys
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TIMEOUT_S = 30

servers, topic, until_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer(
    {
        "bootstrap.servers": servers,
        "group.id": str(uuid.uuid4()),
        "enable.auto.commit": False,
    }
)
partitions = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
ends = {}
for found in consumer.offsets_for_times(
    [TopicPartition(topic, p, until_ms) for p in partitions], timeout=TIMEOUT_S
):
    low, high = consumer.get_watermark_offsets(
        TopicPartition(topic, found.partition), timeout=TIMEOUT_S
    )
    end = found.offset if found.offset >= 0 else high
    if end > low:
        ends[found.partition] = end
consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in ends])
while ends:
    message = consumer.poll(TIMEOUT_S)
    if message is None:
        sys.exit(f"{topic}: nothing came for {TIMEOUT_S} s, though there is more: {ends}")
    if message.error():
        sys.exit(f"{topic}: {message.error()}")
    end = ends.get(message.partition())
    if end is None or message.offset() >= end:
        continue
    value = message.value()
    print("NULL" if value is None else value.decode("utf-8"))
    if message.offset() + 1 >= end:
        del ends[message.partition()]
consumer.close()

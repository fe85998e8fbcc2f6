"""A line between two machines: packets that one TUN device takes come out of the other one, later, or not at all.

    relay.py SEED DEVICE DEVICE

Makes both devices and says "ready". Then it obeys orders on standard input, a line each:

    DELAY LOSS-THERE LOSS-BACK      milliseconds one way, percent from the first to the second device and back

Each order is answered, once it holds, by how many packets were carried and lost so far. It ends with standard input.
"""

import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
PACKET_BYTES_MAX = 65536
# Packets that wait on the line, one way; what comes on top is lost, as in any router.
QUEUE_MAX = 1000


def make_device(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def main():
    dice = random.Random(int(sys.argv[1]))
    devices = [make_device(name) for name in sys.argv[2:4]]
    other = dict(zip(devices, reversed(devices)))
    loss = dict.fromkeys(devices, 0.0)
    queues = {device: collections.deque() for device in devices}
    delay = 0.0
    carried = lost = 0
    print("ready", flush=True)
    poll = select.poll()
    for source in [0, *devices]:
        poll.register(source, select.POLLIN)
    while True:
        due = [queue[0][0] for queue in queues.values() if queue]
        wait = max(0.0, min(due) - time.monotonic()) * 1000 if due else None
        for source, _ in poll.poll(wait):
            if source == 0:
                order = sys.stdin.buffer.raw.readline()
                if not order:
                    return
                milliseconds, there, back = map(float, order.split())
                delay = milliseconds / 1000
                loss.update(zip(devices, [there, back]))
                print(carried, lost, flush=True)
                continue
            try:
                packet = os.read(source, PACKET_BYTES_MAX)
            except OSError:
                continue
            if dice.uniform(0, 100) < loss[source] or len(queues[source]) >= QUEUE_MAX:
                lost += 1
            else:
                queues[source].append((time.monotonic() + delay, packet))
        now = time.monotonic()
        for source, queue in queues.items():
            while queue and queue[0][0] <= now:
                _, packet = queue.popleft()
                try:
                    os.write(other[source], packet)
                    carried += 1
                except OSError:
                    # The device is down: nobody is there to take it.
                    lost += 1


main()

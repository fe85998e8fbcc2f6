#!/usr/bin/env python3
"""A client of the gesta protocol, written from docs/PROTOCOL.md alone: appends three events and reads everything back.

    client.py HOST APPEND_PORT READ_PORT [--store NAME] [--token TOKEN]
    client.py --self-test          asks the golden frames instead of a server
"""
import argparse, collections, pathlib, socket, struct, sys, uuid
from typing import Iterator
from zlib import crc32

HELLO, PING, PONG, CREDIT, APPEND, READ, WELCOME, REFUSED, CLOSING = 0x01, 0x02, 0x03, 0x04, 0x10, 0x20, 0x81, 0x82, 0x83
RECEIPT, CONFLICT, BEGUN, EVENTS, BATCHES, ENDED = 0x90, 0x91, 0xA0, 0xA1, 0xA2, 0xA8
ALL_ONES, NEVER, CREDIT_BYTES, ANSWER_BYTES_MAX = 2**64 - 1, 2**32 - 1, 1 << 20, 128 << 20
RECORD = "<IIQIHH16sqHHI"  # crc, place_crc, revision, len, flags, tags_len, id, time, stream_len, type_len, metadata_len
Event = collections.namedtuple("Event", "position revision id stream type tags metadata data")

def must(holds: bool, reason: str) -> None:
    if not holds: sys.exit(f"client.py: {reason}")

def text16(text: str) -> bytes:
    return struct.pack("<H", len(text.encode())) + text.encode()

def frame(kind: int, id: int, body: bytes) -> bytes:
    return struct.pack("<IB3xQ", len(body), kind, id) + body

def hello(plane: int, store: str, token: str, agent: str) -> bytes:
    return struct.pack("<5sBHHQ", b"gesta", plane, 1, 1, 0) + text16(store) + text16(token) + text16(agent)

def record(type: str, data=b"", stream="", tags=(), metadata=b"", id=None, time=None, is_json=False) -> bytes:
    """An event as it is sent: without a place, its first checksum made."""
    names = [stream.encode(), type.encode(), "\n".join(tags).encode()]
    stream_len, type_len, tags_len = map(len, names)
    parts = b"".join(names) + metadata + data
    flags, id = (time is not None) | 2 * is_json, id or uuid.uuid4()
    lengths = (stream_len, type_len, len(metadata))
    whole = struct.pack(RECORD, 0, 0, 0, 56 + len(parts), flags, tags_len, id.bytes, time or 0, *lengths) + parts
    return struct.pack("<I", crc32(whole[16:])) + whole[4:] + bytes(-len(whole) % 8)

def read_record(at: bytes, position: int) -> tuple[Event, bytes]:
    """The record at the head of some bytes, both its checksums asked, and what follows it."""
    crc, place_crc, revision, length, _, tags_len, id, _, stream_len, type_len, metadata_len = struct.unpack_from(RECORD, at)
    must(crc == crc32(at[16:length]), f"the checksum of the event at {position} is wrong")
    must(place_crc == crc32(struct.pack("<QQ", revision, position), crc), f"the event at {position} belongs elsewhere")
    parts = struct.unpack_from(f"{stream_len}s{type_len}s{tags_len}s{metadata_len}s", at, 56)
    (stream, type, tags), data = (part.decode() for part in parts[:3]), at[56 + sum(map(len, parts)) : length]
    event = Event(position, revision, uuid.UUID(bytes=id), stream, type, tags.split("\n") if tags else [], parts[3], data)
    return event, at[length + -length % 8 :]

def events_of(body: bytes) -> Iterator[Event]:
    while body:
        event, body = read_record(body[16:], struct.unpack_from("<Q", body)[0])
        yield event

def batches_of(body: bytes) -> Iterator[Event]:
    while body:
        position, _, _, _, _, body_bytes, body_crc, kind = struct.unpack_from("<QQQqIIIB", body)
        requests, body = body[48 : 48 + body_bytes], body[48 + body_bytes :]
        must(body_crc == crc32(requests), f"the checksum of the batch at {position} is wrong")
        while kind == 1 and requests:
            (record_count,), requests = struct.unpack_from("<I", requests), requests[32:]
            for _ in range(record_count):
                event, requests = read_record(requests, position)
                position += 1
                yield event

class Connection:
    def __init__(self, host: str, port: int, plane: int, store: str, token: str):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.incoming = self.socket.makefile("rb")
        self.send(HELLO, 0, hello(plane, store, token, "client.py"))
        must(self.receive()[0] == WELCOME, "a hello was not answered by a welcome")

    def send(self, kind: int, id: int, body: bytes) -> None:
        self.socket.sendall(frame(kind, id, body))

    def receive(self) -> tuple[int, int, bytes]:
        """The next frame that is part of an answer."""
        while True:
            header = self.incoming.read(16)
            must(len(header) == 16, "the server closed the connection")
            length, kind, zeros, id = struct.unpack("<IB3sQ", header)
            must(not any(zeros) and length <= ANSWER_BYTES_MAX, "what came is no frame")
            body = self.incoming.read(length)
            if kind == REFUSED:
                code, _flags, message_len = struct.unpack_from("<HBH", body)
                must(False, f"refused ({code}): {body[5 : 5 + message_len].decode()}")
            if kind == PING:
                self.send(PONG, id, b"")
            elif kind not in (PONG, CLOSING):
                return kind, id, body

    def append(self, id: int, records: list, checks: list, request_id=uuid.UUID(int=0), missed_max=0) -> tuple[int, bytes]:
        head = struct.pack("<BI16sQH", 3, missed_max, request_id.bytes, 0, len(checks)) + b"".join(checks)
        self.send(APPEND, id, head + struct.pack("<I", len(records)) + b"".join(records))
        kind, answered, body = self.receive()
        must(answered == id and kind in (RECEIPT, CONFLICT), f"append {id} was answered by {kind:#x} for {answered}")
        return kind, body

    def read_all(self, id: int, flags: int) -> list[Event]:
        self.send(READ, id, struct.pack("<BHQQqQQIIQII", 0, flags, 0, 0, 0, 0, ALL_ONES, 0, NEVER, 0, CREDIT_BYTES, 0))
        events: list[Event] = []
        while (answer := self.receive())[0] != ENDED:
            kind, answered, body = answer
            must(answered == id and kind in (BEGUN, EVENTS, BATCHES), f"a read was answered by {kind:#x} for {answered}")
            if kind != BEGUN:
                events += events_of(body) if kind == EVENTS else batches_of(body)
                self.send(CREDIT, id, struct.pack("<I", len(body)))
        return events

def talk(host: str, append_port: int, read_port: int, store: str, token: str) -> None:
    commands, queries = Connection(host, append_port, 1, store, token), Connection(host, read_port, 2, store, token)
    stream, request_id = f"example-{uuid.uuid4()}", uuid.uuid4()
    is_new = b"\1" + text16(stream) + struct.pack("<BQ", 1, 0)
    records = [record("OrderPlaced", b'{"total":12}', stream, ["customer:4", "country:nl"], b"\1\2\3", is_json=True),
               record("OrderPaid", b"", stream), record("Counted", bytes(range(256)))]
    tries = [commands.append(id, records, [is_new], request_id) for id in (1, 2)]
    must([kind for kind, _ in tries] == [RECEIPT, RECEIPT], "the append or its retry was a conflict")
    first, end = struct.unpack_from("<QQ", tries[0][1])
    must(tries[1][1][:16] == tries[0][1][:16] and end == first + 3, "a retry got another receipt")
    kind, body = commands.append(3, [record("OrderPlaced", b"", stream)], [is_new], missed_max=10)
    must(kind == CONFLICT and body[8:10] == b"\1\0", "a check that cannot hold did not fail")
    actual, missed = struct.unpack_from("<Q", body, 10 + len(is_new))[0], events_of(body[18 + len(is_new) :])
    types = ", ".join(event.type for event in missed)
    print(f"conflict: {stream} was to be new, but its last revision is {actual}; missed: {types}")
    by_event, by_batch = queries.read_all(1, 0), queries.read_all(2, 8)
    must(by_event == by_batch, "events and batches tell different things")
    must([event.data for event in by_event[first:end]] == [b'{"total":12}', b"", bytes(range(256))], "other data came back")
    must(by_event[first][3:7] == (stream, "OrderPlaced", ["customer:4", "country:nl"], b"\1\2\3"), "another event came back")
    print(f"appended {end - first}, read back {len(by_event)}, checksums ok")

def self_test() -> None:
    text = (pathlib.Path(__file__).parents[1] / "tests/protocol/golden_frames.txt").read_text()
    golden = {name: bytes.fromhex(dump) for name, dump in (block.split("\n", 1) for block in text.split("\n\n")[1:])}
    must(frame(HELLO, 7, hello(2, "orders", "", "")) == golden["client Hello without a token"], "the hello is another one")
    order_placed = record("OrderPlaced", b'{"total":12}', "order-17", ["customer:4", "country:nl"], b"\1\2\3",
                          uuid.UUID("01020304-0506-0708-090a-0b0c0d0e0f10"), 1700000000123456789, True)
    records = order_placed + record("Counted", id=uuid.UUID(int=2))
    must(golden["client Append"].endswith(records), "the records are other ones")
    events, batches = list(events_of(golden["server Events"][16:])), list(batches_of(golden["server Batches"][16:]))
    must(events == batches and [event[:2] for event in events] == [(41, 3), (42, ALL_ONES)], "the events are other ones")
    print(f"{len(golden)} golden frames, checksums ok")

if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("host", None), ("append_port", 0), ("read_port", 0), ("--store", "default"), ("--token", "")):
        parser.add_argument(name, type=int if default == 0 else str, default=default)
    talk(**vars(parser.parse_args()))

#!/usr/bin/python3
"""Reads proto/vectors.txt with the codec of tests/support/peer, and refuses by the tables of proto/PROTOCOL.md.
usage: check_vectors.py SOURCE_ROOT; prints what is wrong, exit code 1 then."""
import json, pathlib, re, sys
import msgpack, numpy as np

root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root / "tests/support/peer"))
import wire

wrong = 0

def expect(seen, wanted, what):
    global wrong
    if repr(seen) != repr(wanted):  # repr tells -0.0 from 0.0, and NaN is itself
        print(f"{what}: {seen!r} is not {wanted!r}")
        wrong += 1

TABLES = {int(n): (kind, re.findall(r"^\| \d+ \| (\w+) \| (\S+) ?(\d*) \|", body, re.M)) for n, kind, body in
          re.findall(r"^### (\d+) (\w+)\n(.*?)(?=^##|\Z)", (root / "proto/PROTOCOL.md").read_text(), re.M | re.S)}

def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)

def fits(value, kind, limit):
    if kind == "str":
        return isinstance(value, str) and len(value.encode()) <= int(limit) and not re.search(r"[\0-\x1f\x7f]", value)
    if kind == "f64[]":
        return isinstance(value, list) and len(value) <= int(limit) and all(fits(v, "f64", "") for v in value)
    if kind == "bool":
        return isinstance(value, bool)
    number = isinstance(value, int) and not isinstance(value, bool)
    return number and value >= 0 if kind == "u64" else number or isinstance(value, float)

def refused(header):
    """The number of the error that a header is refused with by sections 1 and 10; 0: it is fine."""
    try:
        array = msgpack.unpackb(header, strict_map_key=False)
    except (ValueError, msgpack.UnpackException):
        return 1
    if not (isinstance(array, list) and len(array) > 1 and all(fits(v, "u64", "") for v in array[:2])):
        return 1
    if depth(array) > 4:
        return 1
    if array[0] != 1 and array[1] not in (1, 19):
        return 20
    if array[1] not in TABLES:
        return 2
    fields = TABLES[array[1]][1]
    needed = [f for f in fields if f[1] != "f64?"]
    fine = len(array) - 2 >= len(needed) and all(fits(v, *f[1:]) for v, f in zip(array[2:], fields))
    return 0 if fine else 1

expect(wire.FIELDS, {kind: [f[0] for f in fields] for kind, fields in TABLES.values()}, "fields of the page")
blocks = re.sub(r"^#.*\n", "", (root / "proto/vectors.txt").read_text(), flags=re.M).strip().split("\n\n")
for block in blocks:
    head, *lines = block.strip().splitlines()
    what, name = (head + " ").split(" ")[:2]
    text = {key: value for key, value in ((line + " ").split(" ", 1) for line in lines)}
    payload = bytes.fromhex(text.get("payload", ""))
    if what in ("message", "accept"):
        header = bytes.fromhex(text.pop("header"))
        text.pop("why", None)
        values = {key: json.loads(value) for key, value in text.items()}
        seen = vars(wire.unpack(header))
        expect({key: seen.get(key) for key in values} | {"kind": seen["kind"]}, values | {"kind": name}
               if what == "message" else {k: type(seen[k])(v) for k, v in values.items()} | {"kind": name}, head)
        expect(refused(header), 0, head)
        if what == "message":
            expect(wire.pack(name, **values).hex(), header.hex(), head)
    elif what == "refuse":
        expect(refused(bytes.fromhex(text["header"])), int(name), text["why"])
    elif what == "crc32c":
        expect(wire.crc32c(bytes.fromhex(text["bytes"])), int(text["crc"]), block)
    elif what == "encode":
        values = json.loads(text["values"])
        if name == "blocks":
            encoded = wire.encode_blocks(values, int(text["block"]), json.loads(text["blocks"]))
        else:
            encoded = wire.encode(values, name)
        if name == "q8":  # rounded at random: neighbours of what was meant, and right in the mean
            seen = [wire.decode(wire.encode(values, name), name) for _ in range(2000)]
            step = np.linalg.norm(values) / 127
            expect(len(encoded), len(payload), block)
            expect(np.abs(np.array(seen) - values).max() <= 1.001 * step, True, block)
            expect(np.abs(np.mean(seen, axis=0) - values).max() <= 0.1 * step, True, block)
        else:
            expect(encoded.hex(), payload.hex(), block)
        decoded = wire.decode(payload, name, len(values))
        if name == "scaled":
            decoded = decoded[0] * np.array(json.loads(text["reference"]))
        expect(decoded.tolist(), json.loads(text["decoded"]), block)
    elif what == "digest":
        vector = np.arange(int(text["length"])) / 8 - 100
        expect(wire.digest(wire.encode(vector, name), name), int(text["digest"]), block)
    else:
        expect(what, "a block", block)
print(f"{len(blocks)} blocks")
sys.exit(wrong > 0)

"""What travels, as proto/PROTOCOL.md says: headers (sections 1 and 10), checksums, encodings (section 7)."""
import re, struct
from types import SimpleNamespace as Record
import msgpack, numpy as np

FIELDS = {kind: fields for kind, *fields in map(str.split, """
hello version_min version_max name host instance cores role shard shards
welcome run run_name server incarnation token shard shards heartbeat_ms patience_ms chunk_bytes window bulk
loaded rows features labels
shape features labels rows
ready dimension smoothness
announce run round attempt version iteration local_steps solver plan evaluate check_every monitor smoothness
offer run round attempt exchange version transfer encoding length bytes crc reference samples steps scalars
credit transfer attempt next limit rewind
chunk transfer attempt index crc
settled run round attempt exchange contributors transfer encoding length bytes digest scalars again
commit run round version iteration contributors counted transfer encoding length bytes digest width
beat run version round attempt exchange state steps_per_second
report run version metric value rows unknown
leave reason
rejoin server
replaced host
finish run version exit reason next
attach token
error code fatal round text
command id command argument
reply id code text type""".strip().splitlines())}
KINDS = ["", *FIELDS]
OPTIONAL = {"smoothness"}  # f64?: last, and 0 where it is left out
DTYPES = {"f64": np.dtype("<f8"), "f32": np.dtype("<f4"), "scaled": np.dtype("<f8")}
TABLE = list(range(256))
for _ in range(8):
    TABLE = [value >> 1 ^ 0x82F63B78 * (value & 1) for value in TABLE]

def pack(kind, protocol=1, **values):
    return msgpack.packb([protocol, KINDS.index(kind)] +
                         [values[field] for field in FIELDS[kind] if field in values or field not in OPTIONAL])

def unpack(header, payload=None):
    """A message as a record of its fields, with its kind and payload; kind "" if it cannot be read."""
    try:
        version, number, *values = msgpack.unpackb(header, strict_map_key=False)
        fields = FIELDS[KINDS[number]]
        values += [0.0 for field in fields[len(values):] if field in OPTIONAL]
        fields = dict(zip(fields, values[:len(fields)], strict=True))
        return Record(protocol=version, kind=KINDS[number], payload=payload, **fields)
    except (ValueError, TypeError, LookupError):
        return Record(kind="")

def crc32c(data):
    """10 MB a second: for many millions of coordinates use a package that has it in C."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF

def digest(payload, encoding):
    step = 65536 * DTYPES[encoding].itemsize
    return crc32c(b"".join(struct.pack("<I", crc32c(payload[i:i + step])) for i in range(0, len(payload), step)))

BUCKET, RANDOM = 512, np.random.default_rng()  # of q8

def encode(vector, encoding):
    if encoding == "blocks":  # a single one
        return encode_blocks(vector, len(vector), [0])
    if encoding == "q8":
        return b"".join(encode_bucket(vector[i:i + BUCKET]) for i in range(0, len(vector), BUCKET))
    if encoding == "bf16":
        return encode_halves(np.asarray(vector, float))
    return np.asarray(vector, DTYPES[encoding]).tobytes()

def encode_halves(vector):
    unit = np.ldexp(1.0, np.maximum(np.frexp(vector)[1], -125) - 8)  # of the last of 8 bits
    rounded = np.copysign(np.rint(vector / unit) * unit, vector)
    return (rounded.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()

def encode_blocks(vector, block, numbers):
    head = np.array([block, len(numbers), *numbers], "<u4").tobytes()
    return head + b"".join(np.asarray(vector[i * block:(i + 1) * block], "<f8").tobytes() for i in numbers)

def encode_bucket(vector):
    exact = np.linalg.norm(vector)
    norm = np.float32(exact)
    norm = np.nextafter(norm, np.float32(np.inf)) if norm < exact else norm
    levels = 127 * np.asarray(vector) / float(norm) if norm > 0 else np.zeros(len(vector))
    return norm.tobytes() + np.floor(levels + RANDOM.random(len(vector))).astype("i1").tobytes()

def decode(payload, encoding, length=None):
    """length: of the vector, where the encoding is none of DTYPES."""
    if encoding == "blocks":
        block, count = map(int, np.frombuffer(payload, "<u4", 2))
        values, vector = np.frombuffer(payload, "<f8", offset=8 + 4 * count), np.zeros(length)
        for i in np.frombuffer(payload, "<u4", count, 8).astype(int):
            part = vector[i * block:(i + 1) * block]
            part[:], values = values[:len(part)], values[len(part):]
        return vector
    if encoding == "q8":
        buckets = [payload[i:i + 4 + BUCKET] for i in range(0, len(payload), 4 + BUCKET)]
        parts = [float(np.frombuffer(b, "<f4", 1)[0]) * np.frombuffer(b, "i1", offset=4) / 127 for b in buckets]
        return np.concatenate(parts)
    if encoding == "bf16":
        return (np.frombuffer(payload, "<u2").astype("<u4") << 16).view("<f4").astype(float)
    return np.frombuffer(payload, DTYPES[encoding]).astype(float)

class Download:
    """The chunks of the vector that a settled or commit told of without its payload (section 5)."""

    def __init__(self, message, chunk_bytes):
        self.message, self.size, self.moved = message, chunk_bytes, True
        self.buffer, self.count = bytearray(message.bytes), -(-message.bytes // chunk_bytes)
        self.missing = set(range(self.count))

    def next(self):
        return min(self.missing, default=self.count)

    def add(self, chunk):
        """True if it was wanted and right."""
        start = chunk.index * self.size
        wanted = chunk.transfer == self.message.transfer and chunk.index in self.missing
        part = self.buffer[start:start + self.size]
        if wanted and len(chunk.payload) == len(part) and crc32c(chunk.payload) == chunk.crc:
            self.buffer[start:start + self.size] = chunk.payload
            self.missing.remove(chunk.index)
            self.moved = True
            return True

def read_join(path):
    """Name, endpoint and CURVE options of the join file that "convene keygen --agent" wrote."""
    with open(path) as file:
        server, agent = (dict(re.findall(r'^ +(\S+) = "(.*)"', part, re.M)) for part in file.read().split("agent\n"))
    keys = dict(CURVE_SERVERKEY=server["public-key"].encode(), CURVE_PUBLICKEY=agent["public-key"].encode(),
                CURVE_SECRETKEY=agent["secret-key"].encode())
    return agent["name"], server["endpoint"], keys

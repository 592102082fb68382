"""A client of the convene protocol, for models of up to 8192 coordinates: section 11 of proto/PROTOCOL.md."""
import os, re, secrets, socket, struct, threading, time
from types import SimpleNamespace as Record
import msgpack, numpy as np, zmq

FIELDS = {"": [], **{kind: fields for kind, *fields in map(str.split, """
hello version_min version_max name host instance cores role shard shards
welcome run run_name server incarnation token shard shards heartbeat_ms patience_ms
loaded rows features labels; shape features labels rows; ready dimension
announce run round attempt version iteration local_steps solver plan evaluate
offer run round attempt exchange version transfer encoding length bytes crc reference samples steps scalars
credit; chunk; settled run round
commit run round version iteration contributors counted transfer encoding length bytes digest width
beat run version round attempt exchange state steps_per_second; report; leave reason; rejoin; replaced host
finish run version exit reason next; attach; error code fatal round text""".replace("\n", ";").split(";")[1:])}}
KINDS = list(FIELDS)  # section 10: a kind's number is its place
DTYPES = {"f64": np.dtype("<f8"), "f32": np.dtype("<f4")}

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF

class Client:
    """A worker calls join, begin and average; a follower begin alone. The network has a thread of its own, so that
    you may compute for as long as you like: it alone touches the socket, and the lock guards what both use."""

    def __init__(self, server, name, role="worker", shard=0, shards=0):
        self.server, self.keys, self.lock, self.transfer = server, {}, threading.Condition(), 0
        if os.path.exists(server):  # a join file: address, name, keys
            found = re.findall(r'^ +(\S+) = "(.*)"', open(server).read(), re.M)  # the server's lines, then our own
            self.server, name = dict(found)["endpoint"], dict(found)["name"]
            theirs, ours, secret = [value.encode() for key, value in found if key.endswith("key")]
            self.keys = dict(curve_serverkey=theirs, curve_publickey=ours, curve_secretkey=secret)
        self.hello = dict(version_min=1, version_max=1, name=name, role=role, shard=shard, shards=shards,
                          host=socket.gethostname()[:64], instance=secrets.randbits(64), cores=os.cpu_count())
        self.heard = self.socket = self.welcome = self.loaded = self.joined = self.end = self.goodbye = None
        self.forget()
        threading.Thread(target=self.network, daemon=True).start()

    def forget(self):
        self.shape = self.dimension = self.model = self.announce = self.task = self.work = self.up = None
        self.version, self.newest, self.plans = 0, (0, 0), ("model", "loss")

    def join(self, rows, features, labels):
        """Tells what you have loaded, gives the shape of the whole run; None: all is over, end says why."""
        with self.lock:
            self.loaded = dict(rows=rows, features=features, labels=len(labels), payload=labels.astype("<f8").tobytes())
            self.due = 0
            self.joined = self.lock.wait_for(lambda: self.end or self.shape) and self.shape
            return None if self.end else self.shape

    def begin(self, dimension=0):
        """The next round: model, local_steps, plan, evaluate; to a follower the newest model. None: join again."""
        with self.lock:
            if dimension and self.shape is self.joined and not self.dimension:
                self.dimension, self.due = dimension, 0
            self.lock.wait_for(lambda: self.end or self.task or self.shape is not self.joined)
            self.work, self.task = self.task, None
            return self.work

    def average(self, update, samples, loss=None):
        """Offers the change that local_steps led to (plan "loss": None) and, to evaluate, the loss before it."""
        with self.lock:
            if self.work:  # else the round went on without us
                encoding = "" if update is None else self.settings["encoding/up"]
                payload = np.asarray(update, DTYPES[encoding]).tobytes() if encoding else b""
                self.transfer, self.due = self.transfer + 1, 0
                self.up = dict(vars(self.work), transfer=self.transfer, exchange=0, reference=0, encoding=encoding,
                               length=len(update) if encoding else 0, bytes=len(payload), crc=crc32c(payload),
                               payload=payload, samples=samples, steps=self.work.local_steps,
                               scalars=[] if loss is None else [float(loss)])
                self.work = None

    def network(self):
        while not self.end:
            with self.lock:
                now = time.monotonic()
                if not self.socket or self.is_joined and now - self.heard > self.welcome.patience_ms / 1000:
                    self.socket and self.socket.close(0)  # its server is silent
                    self.socket, self.is_joined, self.due = zmq.Context.instance().socket(zmq.DEALER), False, 0
                    for option, value in dict(self.keys, immediate=1).items():
                        setattr(self.socket, option, value)
                    self.socket.connect(self.server)
                if now >= self.due:
                    self.due = now + (self.welcome.heartbeat_ms / 1000 if self.is_joined else 1)
                    self.beat()
                if self.goodbye:
                    self.end = 1, self.goodbye
                    self.send("leave", reason=self.goodbye)
            if self.socket.poll(5):  # ms until an average is noticed
                header, *payload = self.socket.recv_multipart()
                _, number, *values = msgpack.unpackb(header)
                self.heard, kind = time.monotonic(), KINDS[number] if number < len(KINDS) else ""
                with self.lock:
                    self.take(kind, Record(payload=b"".join(payload), **dict(zip(FIELDS[kind], values))))
            with self.lock:
                self.lock.notify_all()
        self.socket.close(500)

    def send(self, kind, payload=b"", **values):
        if self.socket.events & zmq.POLLOUT:  # else it is lost, as on the way; beats repair it
            header = msgpack.packb([1, KINDS.index(kind)] + [values[field] for field in FIELDS[kind]])
            self.socket.send_multipart([header, payload] if payload else [header])

    def beat(self):
        """Hello until welcomed; then where we are, and again what has no answer yet (section 6)."""
        if not self.is_joined:
            return self.send("hello", **self.hello)
        state = "offered" if self.up else "working" if self.work else "idle" if self.dimension else "loading"
        self.send("beat", run=self.welcome.run, version=self.version, round=self.newest[0], attempt=self.newest[1],
                  exchange=0, state=state, steps_per_second=0.0)
        if self.loaded and not self.is_heard:
            self.send("loaded", **self.loaded)
            if self.dimension:
                self.send("ready", dimension=self.dimension)
        if self.up:
            self.send("offer", **dict(self.up, attempt=self.newest[1]))

    def take(self, kind, m):
        if kind == "welcome":
            if not self.welcome or m.run != self.welcome.run:
                self.forget()  # what belongs to another run
            self.settings = dict(line.split("=", 1) for line in m.payload.decode().splitlines())
            self.welcome, self.is_joined, self.is_heard, self.due = m, True, False, 0
            for key in ("encoding/down", "encoding/up")[:1 + (self.hello["role"] == "worker")]:
                if self.settings[key] not in DTYPES:
                    self.goodbye = f"cannot serve {key}={self.settings[key]}: known are {' and '.join(DTYPES)}"
        elif kind == "rejoin":
            self.is_joined, self.due = False, 0
        elif kind == "shape": self.shape = self.shape or m
        elif kind == "announce" and (m.round, m.attempt) > self.newest and m.version >= self.version:
            self.newest, self.announce, self.task, self.work, self.up = (m.round, m.attempt), m, None, None, None
            self.goodbye = self.goodbye if m.plan in self.plans else f"cannot serve the plan {m.plan}"
        elif kind == "commit" and (self.model is None or m.version > self.version):
            if crc32c(struct.pack("<I", crc32c(m.payload))) == m.digest:  # one slice
                m.model = self.model = np.frombuffer(m.payload, DTYPES[m.encoding])[::m.width].astype(float)
                self.version, self.work, self.up = m.version, None, None
                self.task = m if self.hello["role"] == "follower" else None
                self.plans = ("model", "loss") if m.width == 1 else ()  # we offer nothing beside our update
        elif kind in ("finish", "replaced", "error") and getattr(m, "fatal", True) and not getattr(m, "next", False):
            self.end = getattr(m, "exit", 3), getattr(m, "reason", getattr(m, "text", "replaced"))
        elif kind in ("settled", "error") and m.round == self.newest[0]:
            self.up = None  # a plan that we serve has one exchange; or we are left out of this round
        self.is_heard = self.is_heard or kind in ("announce", "commit")
        if self.announce and self.model is not None and self.announce.version == self.version:
            self.announce.model, self.task, self.announce = self.model, self.announce, None

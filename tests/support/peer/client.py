"""A client of the convene protocol, written from proto/PROTOCOL.md alone: worker or follower."""
import os, re, secrets, socket, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np, zmq
from wire import Download, Record, pack, unpack, crc32c, digest, encode, decode

class Client:
    """The learner (None: follow) has `samples`, `loaded` (what that message says), shaped(settings, shape) ->
    dimension, and work(exchange, announce, model, settled) -> vector, scalars; the vector is an array, None, or a
    number: that factor of the newest in settled. committed(commit, model) is told of each model."""

    def __init__(self, server, keys, learner, committed, **hello):
        self.server, self.keys, self.learner, self.committed = server, keys, learner, committed
        self.hello = dict(hello, version_min=1, version_max=1, host=socket.gethostname()[:64],
                          instance=secrets.randbits(64), cores=os.cpu_count())
        self.context, self.poller, self.pool = zmq.Context(), zmq.Poller(), ThreadPoolExecutor(1)
        self.data = self.bulk = self.welcome = self.future = self.down = self.last = self.end = None
        self.joined, self.transfer = False, 0

    def run(self):
        """Takes part until the run ends; the learner works on another thread, so that nothing holds up beats."""
        due = heard = 0
        while not self.end:
            now = time.monotonic()
            if not self.data or self.joined and now - heard > self.welcome.patience_ms / 1000:
                for dealer in filter(None, (self.data, self.bulk)):  # the server is silent: connect anew
                    self.poller.unregister(dealer)
                    dealer.close(0)
                self.data, self.bulk, self.joined, due = self.connect(self.server, IMMEDIATE=1), None, False, 0
            if now >= due:
                self.beat()
                due = now + (self.welcome.heartbeat_ms / 1000 if self.joined else 1)
            for dealer, _ in self.poller.poll(5 if self.future else max(0, due - now) * 1000):
                heard, m = time.monotonic(), unpack(*dealer.recv_multipart())
                if m.kind == "finish":
                    self.last = m
                elif m.kind == "rejoin" and dealer is self.bulk:
                    self.attach(resume=True)
                else:
                    getattr(self, "on_" + m.kind, lambda m: None)(m)  # other kinds are ignored
            if self.joined and self.future and self.future.done():
                self.offer(*self.future.result())
            if self.last and not (self.joined and self.down):
                self.end = self.last.exit, self.last.reason
        return self.end

    def connect(self, endpoint, **options):
        dealer = self.context.socket(zmq.DEALER)
        for option, value in dict(options, SNDHWM=0, RCVHWM=0, LINGER=500, **self.keys).items():
            dealer.setsockopt(getattr(zmq, option), value)
        dealer.connect(endpoint)
        self.poller.register(dealer, zmq.POLLIN)
        return dealer

    def send(self, kind, payload=b"", **values):
        if self.joined or kind == "hello":
            try:
                dealer = self.bulk if kind in ("attach", "chunk") else self.data
                dealer.send_multipart([pack(kind, **values)] + [payload] * bool(payload), zmq.NOBLOCK)
            except zmq.Again:  # not connected: lost, as on the way; beats repair it
                pass

    def attach(self, resume=False):
        """Opens the bulk socket; resume: it has a new connection, or chunks are lost."""
        self.bulk = self.bulk or self.connect(self.welcome.bulk.replace("*", re.sub(r".*//|:\d+$", "", self.server)))
        self.send("attach", token=self.welcome.token)
        if resume and self.up and self.up.credit:
            self.on_credit(Record(**dict(vars(self.up.credit), rewind=True)))
        if resume and self.down:
            self.ask(rewind=True)

    def beat(self):
        """Hello until welcomed; then where we are, and again what has no answer yet."""
        if not self.joined:
            return self.send("hello", **self.hello)
        state = "offered" if self.up else "working" if self.future else "idle" if self.dimension else "loading"
        self.send("beat", run=self.welcome.run, version=self.version, round=self.newest[0], attempt=self.newest[1],
                  exchange=self.exchange, state=state, steps_per_second=0.0)
        if self.learner and not self.answered:
            self.send("loaded", **self.learner.loaded)
            if self.dimension:
                self.send("ready", dimension=self.dimension)
        if self.up:
            self.send("offer", self.up.inline, attempt=self.newest[1], **self.up.fields)
        if self.down:
            if not self.down.moved:  # a heartbeat without progress
                self.attach(resume=True)
            self.down.moved = False

    def on_welcome(self, m):
        if not self.welcome or m.run != self.welcome.run:  # what belongs to another run is void
            self.model, self.version, self.newest, self.exchange = None, 0, (0, 0), 0
            self.announce = self.future = self.up = self.down = self.dimension = None
        self.settings = dict(line.split("=", 1) for line in m.payload.decode().splitlines())
        self.welcome, self.joined, self.answered = m, True, False
        self.beat()
        if self.bulk:  # it may be elsewhere now
            self.poller.unregister(self.bulk)
            self.bulk = self.bulk.close(0)
            self.attach(resume=True)

    def on_shape(self, m):
        self.dimension = self.dimension or self.learner.shaped(self.settings, m)
        self.send("ready", dimension=self.dimension)

    def on_announce(self, m):
        self.answered = True
        if (m.round, m.attempt) > self.newest and m.version >= self.version:
            self.newest, self.announce, self.settled = (m.round, m.attempt), m, {}
            self.start(0)

    def start(self, exchange):
        """Works on an exchange of the announced round, if the round's model is there."""
        self.exchange, self.future, self.up, plan = exchange, None, None, self.announce.plan.split(",")
        if self.model is not None and self.version == self.announce.version and exchange < len(plan):
            self.future = self.pool.submit(self.learner.work, plan[exchange], self.announce, self.model, self.settled)

    def offer(self, vector, scalars):
        self.future, self.transfer = None, self.transfer + 1
        encoding = "" if vector is None else "scaled" if np.isscalar(vector) else self.settings["encoding/up"]
        payload = encode(vector, encoding) if encoding else b""
        inline = payload if len(payload) <= 65536 else b""
        fields = dict(run=self.welcome.run, round=self.announce.round, exchange=self.exchange, version=self.version,
                      transfer=self.transfer, encoding=encoding, length=self.dimension if encoding else 0,
                      bytes=len(payload), crc=crc32c(inline), samples=self.learner.samples,
                      reference=max((i for i, s in self.settled.items() if s.vector is not None), default=0),
                      steps=self.announce.local_steps, scalars=[float(s) for s in scalars])
        self.up = Record(fields=fields, payload=payload, inline=inline, attempt=0, sent=0, credit=None)
        self.send("offer", inline, attempt=self.newest[1], **fields)

    def on_credit(self, m):
        self.answered, up, size = True, self.up, self.welcome.chunk_bytes
        if up and m.transfer == self.transfer and m.attempt >= up.attempt:
            self.bulk or self.attach()
            if m.attempt > up.attempt or m.rewind:
                up.sent = m.next
            up.attempt, up.credit, self.newest = m.attempt, m, max(self.newest, (self.announce.round, m.attempt))
            for index in range(up.sent, min(m.limit, -(-len(up.payload) // size))):
                chunk, up.sent = up.payload[index * size:][:size], index + 1
                self.send("chunk", chunk, transfer=m.transfer, attempt=m.attempt, index=index, crc=crc32c(chunk))

    def vector(self, m):
        """The vector of a settled or commit; None while a large one is still to come."""
        payload, down = m.payload, self.down
        told = down and (down.message.kind, down.message.round, down.message.digest) == (m.kind, m.round, m.digest)
        if payload is None and told and not down.missing:
            payload = bytes(down.buffer)
        if payload is not None and digest(payload, m.encoding) == m.digest:
            told and self.ask()
            self.down = None
            return decode(payload, m.encoding)
        if m.bytes > 65536:
            if told and down.missing:
                down.message = m  # perhaps under another number
            else:
                self.down = Download(m, self.welcome.chunk_bytes)
            self.ask(rewind=payload is not None)

    def ask(self, rewind=False):
        self.bulk or self.attach()
        self.send("credit", transfer=self.down.message.transfer, attempt=0, next=self.down.next(),
                  limit=self.down.next() + self.welcome.window, rewind=rewind)

    def on_chunk(self, m):
        if self.down and self.down.add(m):
            if self.down.missing:
                self.ask()
            else:
                getattr(self, "on_" + self.down.message.kind)(self.down.message)

    def on_settled(self, m):
        a = self.announce
        if a and (m.run, m.round, m.exchange) == (a.run, a.round, self.exchange) and m.attempt >= a.attempt:
            vector = self.vector(m) if m.encoding else None
            if not m.encoding or vector is not None:
                self.settled = {**self.settled, m.exchange: Record(vector=vector, scalars=m.scalars)}
                self.start(m.exchange + 1)

    def on_commit(self, m):
        self.answered = True
        vector = self.vector(m) if self.model is None or m.version > self.version else None
        if vector is not None:
            self.model, self.version, self.future, self.up = vector, m.version, None, None
            self.committed(m, vector)
            if self.announce and self.announce.version == m.version:
                self.start(0)

    def on_rejoin(self, m):
        self.joined = False
        self.beat()

    def on_error(self, m):
        print(f"error {m.code}: {m.text}", file=sys.stderr)
        if m.fatal:
            self.end = 3, m.text
        elif m.round and self.announce and m.round == self.announce.round:
            self.up = None  # left out: the commit or an announce comes next

    def on_replaced(self, m):
        self.end = 3, f"replaced by a process on {m.host}"

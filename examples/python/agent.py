#!/usr/bin/python3
"""Logistic regression beside other agents of a convene run: agent.py SERVER ROWS.libsvm[.xz] K/N [NAME]
Norms of its models: agent.py SERVER (tcp://HOST:PORT or a join file). A model of your own: a class like Logistic."""
import lzma, os, sys, numpy as np
from client import Client

class Logistic:  # section 12 of proto/PROTOCOL.md
    def __init__(self, path):
        file = (lzma.open if path.endswith(".xz") else open)(path, "rt")
        rows = [row for line in file if (row := line.split("#")[0].split())]
        self.labels = np.array([float(row[0]) for row in rows])
        self.entries = [(i, *map(float, e.split(":"))) for i, row in enumerate(rows) for e in row[1:]]
        self.features = int(max(j for _, j, _ in self.entries))

    def prepare(self, shape, settings):
        self.x, self.y = np.zeros((len(self.labels), shape.features)), self.labels == np.frombuffer(shape.payload)[1]
        for i, j, value in self.entries:
            self.x[i, int(j) - 1] = value
        self.l2 = 1 / shape.rows if settings["problem/l2"] == "1/n" else float(settings["problem/l2"])

    def loss(self, w):
        return np.mean(np.logaddexp(0, np.where(self.y, -1, 1) * (self.x @ w))) + self.l2 / 2 * (w @ w)

    def step(self, w):  # Newton's, with a line search
        p, size = 1 / (1 + np.exp(-self.x @ w)), 1.0
        gradient = self.x.T @ (p - self.y) / len(p) + self.l2 * w
        hessian = self.x.T * (p * (1 - p)) @ self.x / len(p) + self.l2 * np.eye(len(w))
        direction = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        while self.loss(w - size * direction) > self.loss(w) - 0.1 * size * (gradient @ direction) and size > 1e-12:
            size /= 2
        return w - size * direction

server, data, shard, name = sys.argv[1:] + ["", None, "1/1", f"python-{os.getpid()}"][len(sys.argv) - 1:]
if data:
    client, learner = Client(server, name, "worker", *map(int, shard.split("/"))), Logistic(data)
    while shape := client.join(len(learner.labels), learner.features, np.unique(learner.labels)):
        client.goodbye = client.goodbye or client.settings["problem/kind"] != "logistic" and "serves logistic alone"
        learner.prepare(shape, client.settings)
        while work := client.begin(shape.features):
            w = work.model
            for _ in range(work.local_steps):  # none where the plan is to tell the loss
                w = learner.step(w)
            client.average(w - work.model if work.plan == "model" else None, len(learner.labels),
                           learner.loss(work.model) if work.evaluate or work.plan == "loss" else None)
else:
    client = Client(server, name, "follower")
    while commit := client.begin():
        print(f"version {commit.version} digest {commit.digest:08x} norm {np.linalg.norm(commit.model):.9g}")
print(client.end[1])
sys.exit(client.end[0])

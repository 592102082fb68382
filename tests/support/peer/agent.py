#!/usr/bin/python3
"""Trains logistic regression beside other agents of a convene run, or follows the run. To train something
of your own, write a class like Logistic."""
import argparse, lzma, os, signal, sys
import numpy as np
from client import Client
from wire import read_join

class Logistic:
    def __init__(self, path):
        self.labels, self.entries = [], []
        for line in (lzma.open if path.endswith(".xz") else open)(path, "rt"):
            label, *entries = line.split("#")[0].split() or [None]
            if label is not None:
                for index, value in (entry.split(":") for entry in entries):
                    self.entries.append((len(self.labels), int(index) - 1, float(value)))
                self.labels.append(float(label))
        self.samples, known = len(self.labels), np.unique(self.labels)
        self.loaded = dict(rows=self.samples, features=max(e[1] for e in self.entries) + 1, labels=len(known),
                           payload=known.astype("<f8").tobytes())

    def shaped(self, settings, shape):
        """Told the size of the whole run: gives the dimension of the model."""
        if settings["problem/kind"] != "logistic" or shape.labels != 2:
            raise NotImplementedError("only logistic regression with two labels")
        l2, intercept = settings["problem/l2"], settings["problem/intercept"] == "true"
        entries = self.entries
        self.dimension = shape.features + intercept
        self.l2 = np.full(self.dimension, 1 / shape.rows if l2 == "1/n" else float(l2))
        if intercept:  # the last coordinate: a feature that is 1 in each row, not regularised
            entries = entries + [(row, shape.features, 1.0) for row in range(self.samples)]
            self.l2[-1] = 0
        self.rows, self.columns, self.values = map(np.array, zip(*entries))
        self.values[:len(self.entries)] *= float(settings["data/scale"]) or 1
        self.y = np.where(self.labels == np.frombuffer(shape.payload)[1], 1.0, -1.0)
        return self.dimension

    def times(self, w):
        return np.bincount(self.rows, self.values * w[self.columns], self.samples)

    def transposed(self, r):
        return np.bincount(self.columns, self.values * r[self.rows], self.dimension) / self.samples

    def loss(self, w):
        return np.mean(np.logaddexp(0, -self.y * self.times(w))) + self.l2 @ w**2 / 2

    def gradient(self, w):
        return self.transposed(-self.y / (1 + np.exp(self.y * self.times(w)))) + self.l2 * w

    def newton(self, w, gradient):
        """Solves Hessian x direction = gradient by conjugate gradients."""
        p = 1 / (1 + np.exp(-self.times(w)))
        x, r = np.zeros_like(w), gradient.copy()
        d, rr, small = r.copy(), r @ r, 1e-20 * (r @ r)
        for _ in range(250):
            if rr <= small:
                break
            hd = self.transposed(p * (1 - p) * self.times(d)) + self.l2 * d
            step = rr / (d @ hd)
            x, r = x + step * d, r - step * hd
            d, rr = r + (r @ r) / rr * d, r @ r
        return x

    def descend(self, w, steps):
        for _ in range(steps):
            gradient, before, step = self.gradient(w), self.loss(w), 1.0
            direction = self.newton(w, gradient)
            while self.loss(w - step * direction) > before - 0.1 * step * (gradient @ direction) and step > 1e-12:
                step /= 2
            w = w - step * direction
        return w

    def work(self, exchange, announce, model, settled):
        """One exchange of a round; settled has the results of those before it, by position."""
        if exchange == "model" and not settled:
            return self.descend(model, announce.local_steps) - model, [self.loss(model)] * announce.evaluate
        if exchange == "loss" and not settled:
            return None, [self.loss(model)]
        if announce.plan != "gradient,direction,loss,model":
            raise NotImplementedError(f"plan {announce.plan}")
        if exchange == "gradient":  # GIANT
            return self.gradient(model), [self.loss(model)]
        if exchange == "direction":
            return self.newton(model, settled[0].vector), []
        steps, direction = 0.5 ** np.array([0, 1, 2, 3, 4, 6, 8, 10, 14, 18]), settled[1].vector
        if exchange == "loss":
            return None, [self.loss(model - step * direction) for step in steps]
        loss, losses = settled[0].scalars[0], np.array(settled[2].scalars)
        good = np.flatnonzero(losses <= loss - 0.2 * steps * (settled[0].vector @ direction))
        chosen = good[0] if len(good) else -1
        return -(steps[chosen] if losses[chosen] <= loss else 0.0), []

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="tcp://HOST:PORT, or a join file")
    parser.add_argument("--data", help="LIBSVM file, plain or .xz, with this agent's rows; without: only follow")
    parser.add_argument("--shard", default="0/0", metavar="K/N", help="which part of the run's data these are")
    parser.add_argument("--name", default=f"python-{os.getpid()}")
    parser.add_argument("--follow", action="store_true", help="print each model and train nothing")
    o = parser.parse_args()
    name, server, keys = read_join(o.server) if os.path.exists(o.server) else (o.name, o.server, {})
    shard, shards = map(int, o.shard.split("/"))

    def committed(commit, model):  # the digest has been checked
        print(f"version {commit.version} digest {commit.digest:08x} ok norm {np.linalg.norm(model):.9g}", flush=True)

    client = Client(server, keys, None if o.follow else Logistic(o.data), committed, name=name,
                    role="follower" if o.follow else "worker", shard=shard, shards=shards)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code, why = client.run()
    except (KeyboardInterrupt, NotImplementedError) as reason:
        code, why = 1, str(reason) or "interrupted"
        client.send("leave", reason=why[:200])
    print(why)
    client.context.destroy(linger=500)
    return code

if __name__ == "__main__":
    sys.exit(main())

"""The 10,000 test images of MNIST, 8,000 for training and 2,000 for the test."""
import gzip
import random
import struct


def _shuffled(lab, labels, first, count):
    order = list(range(len(labels)))
    random.Random(lab.first_seed).shuffle(order)
    return order[first:first + count]


def _sorted(lab, labels, first, count):
    """The same rows for 8 shards, one after the other: 60 % sorted by label and dealt in order, the rest as it comes."""
    rows = _shuffled(lab, labels, first, count)
    cut, each = 6 * count // 10, count // 8
    ordered, rest = sorted(rows[:cut], key=lambda row: labels[row]), rows[cut:]
    dealt = []
    for shard in range(8):
        dealt += ordered[shard * cut // 8:(shard + 1) * cut // 8]
        dealt += rest[shard * (each - cut // 8):(shard + 1) * (each - cut // 8)]
    return dealt


def _split(lab, images_path, labels_path, first, count, arrange=_shuffled):
    images = gzip.open(lab.data('mnist-t10k-images-idx3-ubyte.gz')).read()[16:]
    labels = gzip.open(lab.data('mnist-t10k-labels-idx1-ubyte.gz')).read()[8:]
    rows = arrange(lab, labels, first, count)
    with open(images_path, 'wb') as file:
        file.write(struct.pack('>4I', 2051, len(rows), 28, 28))
        file.write(b''.join(images[784 * row:784 * (row + 1)] for row in rows))
    with open(labels_path, 'wb') as file:
        file.write(struct.pack('>2I', 2049, len(rows)))
        file.write(bytes(labels[row] for row in rows))


def _part(lab, name, first, count, arrange=_shuffled):
    return lab.prepared(f'{name}-images-idx3-ubyte', lambda path: _split(
        lab, path, path.replace('-images-idx3-ubyte.new', '-labels-idx1-ubyte'), first, count, arrange))


def small_train(lab):
    """Path of 8,000 images, their labels beside them."""
    return _part(lab, 'train', 0, 8000)


def sorted_train(lab):
    """The same images, most of them sorted: for data/shuffle=false and 8 agents."""
    return _part(lab, 'sorted', 0, 8000, _sorted)


def small_test(lab):
    """Path of the other 2,000."""
    return _part(lab, 'test', 8000, 2000)

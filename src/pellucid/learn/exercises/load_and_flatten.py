"""Read the photos of a file, and lay each out as one column.

A network takes columns of numbers, a file holds photos. ``file`` is an open data file, or a dictionary like it:
``file["train_set_x"]`` holds m photos of shape (m, height, width, 3), ``file["train_set_y"]`` their labels of shape
(m,). ``file[name][:]`` is the array.

Return ``(X, Y)``: X of shape (height * width * 3, m), whose column k is photo k read row by row (its top left pixel
first, red, green, blue), and Y of shape (1, m). The numbers stay as they are; their dtype may be another.

Why it matters: X can have the right shape and hold a mixture of all photos in each column. Nothing complains then, and
the network learns nothing.

>>> file = {"train_set_x": np.arange(12).reshape(2, 1, 2, 3), "train_set_y": np.array([1, 0])}
>>> load_and_flatten(file)[0]  # photo 0 holds the numbers 0 to 5
array([[ 0,  6],
       [ 1,  7],
       [ 2,  8],
       [ 3,  9],
       [ 4, 10],
       [ 5, 11]])
>>> load_and_flatten(file)[1]
array([[1, 0]])
"""

import numpy as np

OUTPUTS = "X", "Y"


def cases(rng):
    yield ({"train_set_x": np.arange(12).reshape(2, 1, 2, 3), "train_set_y": np.array([1, 0])},)
    for m, height, width in ((5, 2, 3), (4, 5, 2)):
        images = rng.integers(0, 256, (m, height, width, 3)).astype(np.uint8)
        yield ({"train_set_x": images, "train_set_y": rng.integers(0, 2, m)},)


def load_and_flatten(file):
    images = file["train_set_x"][:]
    labels = file["train_set_y"][:]
    m = images.shape[0]
    X = images.reshape(m, -1).T
    Y = labels.reshape(1, m)
    return X, Y


def right_by_size(file):
    x = np.array(file["train_set_x"])
    y = np.array(file["train_set_y"])
    m, h, w, c = x.shape
    flat = x.reshape((m, h * w * c))
    X = np.transpose(flat)
    Y = y[np.newaxis, :]
    return X, Y


def right_photo_by_photo(file):
    columns = []
    for photo in file["train_set_x"]:
        columns.append(photo.ravel())
    X = np.stack(columns, axis=1)
    Y = np.array([file["train_set_y"]])
    return X, Y


def right_filled(file):
    x = file["train_set_x"]
    y = file["train_set_y"]
    n = x[0].size
    X = np.zeros((n, len(x)), dtype=x.dtype)
    for k in range(len(x)):
        X[:, k] = x[k].flatten()
    Y = np.expand_dims(y, 0)
    return X, Y


FAULTS = (
    ("scrambled", "images.reshape(m, -1).T", "images.reshape(-1, m)"),
    ("scrambled", "x.reshape((m, h * w * c))", "x.reshape((h * w * c, m)).T"),
    ("scrambled", "images.reshape(m, -1).T", "images.T.reshape(-1, m)"),
    ("scrambled", "images.reshape(m, -1).T", 'images.reshape(m, -1, order="F").T'),
    ("scrambled", "x[k].flatten()", "x[k].T.flatten()"),
    ("scrambled", "photo.ravel()", 'photo.ravel(order="F")'),
    ("scrambled", "x.reshape((m, h * w * c))", "x.transpose(0, 3, 1, 2).reshape((m, h * w * c))"),
    ("scrambled", "images.reshape(m, -1).T", "images.reshape(m, -1).reshape(-1, m)"),
    ("transpose", "np.stack(columns, axis=1)", "np.stack(columns, axis=0)"),
    ("(m,) for (1, m)", "labels.reshape(1, m)", "labels"),
    ("(m,) for (1, m)", "y[np.newaxis, :]", "y"),
    ("(m,) for (1, m)", 'np.array([file["train_set_y"]])', 'np.array(file["train_set_y"])'),
    ("a column for a row", "labels.reshape(1, m)", "labels.reshape(m, 1)"),
    ("a column for a row", "y[np.newaxis, :]", "y[:, np.newaxis]"),
    ("a column for a row", "np.expand_dims(y, 0)", "np.expand_dims(y, 1)"),
    ("flattened over all photos", "images.reshape(m, -1).T", "images.reshape(-1, 1)"),
    ("labels flipped", "labels.reshape(1, m)", "1 - labels.reshape(1, m)"),
    ("scaled here", "images.reshape(m, -1).T", "images.reshape(m, -1).T / 255"),
)

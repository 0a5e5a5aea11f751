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


def right_in_one_line(file):
    m = len(file["train_set_y"])
    return file["train_set_x"][:].reshape(m, -1).T, file["train_set_y"][:].reshape(1, m)


def right_by_shape(file):
    train_x_orig = np.array(file["train_set_x"][:])
    train_y = np.array(file["train_set_y"][:])
    m_train = train_x_orig.shape[0]
    num_px = train_x_orig.shape[1] * train_x_orig.shape[2] * train_x_orig.shape[3]
    train_x_flat = np.zeros((m_train, num_px))
    for i in range(m_train):
        train_x_flat[i, :] = train_x_orig[i].reshape(num_px)
    train_y = train_y.reshape((1, train_y.shape[0]))
    return train_x_flat.T, train_y


def right_by_list_of_lists(file):
    x, y = file["train_set_x"], file["train_set_y"]
    rows = [list(np.ravel(photo)) for photo in x]
    X = np.array(rows).T
    Y = np.array([list(y)])
    return X, Y


def right_by_axes(file):
    x = np.asarray(file["train_set_x"])
    y = np.asarray(file["train_set_y"])
    moved = np.moveaxis(x, 0, -1)
    X = moved.reshape(-1, x.shape[0])
    Y = np.reshape(y, (1, y.size))
    return X, Y


def right_by_every_number(file):
    x, y = file["train_set_x"][:], file["train_set_y"][:]
    m, height, width, n_c = x.shape
    X, Y = np.zeros((height * width * n_c, m)), np.zeros((1, m))
    for k in range(m):
        Y[0, k] = y[k]
        row = 0
        for i in range(height):
            for j in range(width):
                for c in range(n_c):
                    X[row, k] = x[k, i, j, c]
                    row += 1
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
    ("scrambled", 'file["train_set_x"][:].reshape(m, -1).T', 'file["train_set_x"][:].reshape(-1, m)'),
    ("scrambled", "train_x_orig[i].reshape(num_px)", "train_x_orig[i].T.reshape(num_px)"),
    ("scrambled", "np.ravel(photo)", 'np.ravel(photo, order="F")'),
    ("scrambled", "np.ravel(photo)", "np.ravel(photo.T)"),
    ("scrambled", "moved.reshape(-1, x.shape[0])", "x.reshape(-1, x.shape[0])"),
    ("scrambled", "np.moveaxis(x, 0, -1)", "np.swapaxes(x, 0, -1)"),
    ("scrambled", "np.moveaxis(x, 0, -1)", "x.T"),
    ("scrambled", "np.transpose(flat)", "flat.reshape(h * w * c, m)"),
    (
        "scrambled",
        "        for i in range(height):\n            for j in range(width):\n",
        "        for j in range(width):\n            for i in range(height):\n",
    ),
    ("scrambled", "np.array(rows).T", "np.array(rows).reshape(-1, len(rows))"),
    ("scrambled", "photo.ravel()", "photo.transpose(1, 0, 2).ravel()"),
    ("scrambled", "np.stack(columns, axis=1)", "np.stack(columns).reshape(-1, len(columns))"),
    ("scrambled", "x[k].flatten()", 'x[k].flatten("F")'),
    ("transpose", "return train_x_flat.T, train_y", "return train_x_flat, train_y"),
    ("transpose", "np.array(rows).T", "np.array(rows)"),
    ("transpose", "images.reshape(m, -1).T", "images.reshape(m, -1)"),
    ("transpose", "X = np.transpose(flat)", "X = flat"),
    ("transpose", "moved.reshape(-1, x.shape[0])", "moved.reshape(-1, x.shape[0]).T"),
    ("(m,) for (1, m)", 'file["train_set_y"][:].reshape(1, m)', 'file["train_set_y"][:]'),
    ("(m,) for (1, m)", "    train_y = train_y.reshape((1, train_y.shape[0]))\n", ""),
    ("(m,) for (1, m)", "np.array([list(y)])", "np.array(list(y))"),
    ("(m,) for (1, m)", "np.reshape(y, (1, y.size))", "y"),
    ("(m,) for (1, m)", "np.expand_dims(y, 0)", "np.array(y)"),
    ("a column for a row", "reshape((1, train_y.shape[0]))", "reshape((train_y.shape[0], 1))"),
    ("a column for a row", 'file["train_set_y"][:].reshape(1, m)', 'file["train_set_y"][:].reshape(m, 1)'),
    ("a column for a row", "np.reshape(y, (1, y.size))", "np.reshape(y, (y.size, 1))"),
    ("a column for a row", "np.array([list(y)])", "np.array([list(y)]).T"),
    ("flattened over all photos", "moved.reshape(-1, x.shape[0])", "moved.reshape(-1, 1)"),
    ("flattened over all photos", "images.reshape(m, -1).T", "images.flatten()"),
    ("flattened over all photos", "np.transpose(flat)", "x.reshape(1, -1).T"),
    ("labels flipped", "Y[0, k] = y[k]", "Y[0, k] = 1 - y[k]"),
    ("labels flipped", "np.reshape(y, (1, y.size))", "np.reshape(1 - y, (1, y.size))"),
    ("scaled here", "return train_x_flat.T, train_y", "return train_x_flat.T / 255.0, train_y"),
    ("scaled here", "X = np.transpose(flat)", "X = np.transpose(flat) / 255"),
    ("scaled here", "np.array(rows).T", "np.array(rows).T / 255"),
    ("scaled here", "X[row, k] = x[k, i, j, c]", "X[row, k] = x[k, i, j, c] / 255"),
    ("wrong name", 'y = np.array(file["train_set_y"])', 'y = np.array(file["train_set_x"])[:, 0, 0, 0]'),
    ("first photo for all", "X[row, k] = x[k, i, j, c]", "X[row, k] = x[0, i, j, c]"),
    ("first photo for all", "train_x_orig[i].reshape", "train_x_orig[0].reshape"),
    ("first photo for all", "X[:, k] = x[k]", "X[:, k] = x[0]"),
    ("wrong index", "Y[0, k] = y[k]", "Y[0, k] = y[0]"),
    ("one channel only", "for c in range(n_c):", "for c in range(1):"),
    ("overwritten in the loop", ' file["train_set_x"]:\n', ' file["train_set_x"]:\n        columns = []\n'),
    ("line missing", "                    row += 1\n", ""),
    ("wrong dtype", "X = np.zeros((n, len(x)), dtype=x.dtype)", "X = np.zeros((n, len(x)), dtype=np.int8)"),
    ("factor missing", "[1] * train_x_orig.shape[2] * train_x_orig.shape[3]", "[1] * train_x_orig.shape[2]"),
)

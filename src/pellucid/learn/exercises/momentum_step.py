"""A step with momentum.

``w``: parameters of any shape, ``dw`` their slope, ``v`` the running mean of the slopes so far, ``learning_rate``,
``beta`` from 0 to 1. First the running mean takes in the new slope: v becomes beta v + (1 - beta) dw. Then w becomes
w - learning_rate v, with the new v. Return ``(w, v)``, both new; the arrays that you were given stay as they are.

Why it matters: slopes that point back and forth cancel, those that agree add up.

>>> momentum_step(np.array([[1.0]]), np.array([[2.0]]), np.array([[4.0]]), 0.5, 0.75)
(array([[-0.75]]), array([[3.5]]))
"""

import numpy as np

OUTPUTS = "w", "v"


def cases(rng):
    yield np.array([[1.0]]), np.array([[2.0]]), np.array([[4.0]]), 0.5, 0.75
    for n, k, rate, beta in ((3, 5, 0.3, 0.9), (4, 2, 0.07, 0.6)):
        yield *(rng.standard_normal((n, k)) for _ in range(3)), rate, beta


def momentum_step(w, dw, v, learning_rate, beta):
    v = beta * v + (1 - beta) * dw
    w = w - learning_rate * v
    return w, v


def right_on_copies(w, dw, v, learning_rate, beta):
    new_v = v.copy()
    new_v *= beta
    new_v += (1 - beta) * dw
    new_w = w.copy()
    new_w -= learning_rate * new_v
    return new_w, new_v


def right_in_steps(w, dw, v, learning_rate, beta):
    old = beta * v
    new = (1 - beta) * dw
    v_next = old + new
    step = learning_rate * v_next
    w_next = w - step
    return w_next, v_next


def right_by_difference(w, dw, v, learning_rate, beta):
    change = (1 - beta) * (dw - v)
    v_next = v + change
    return w - learning_rate * v_next, v_next


FAULTS = (
    ("old mean for the new one", "step = learning_rate * v_next", "step = learning_rate * v"),
    ("old mean for the new one", "new_w -= learning_rate * new_v", "new_w -= learning_rate * v"),
    ("slope for the running mean", "step = learning_rate * v_next", "step = learning_rate * dw"),
    ("slope for the running mean", "w = w - learning_rate * v", "w = w - learning_rate * dw"),
    ("factor 1 - beta missing", "(1 - beta) * dw\n    w", "dw\n    w"),
    ("factor 1 - beta missing", "new = (1 - beta) * dw", "new = dw"),
    ("beta and 1 - beta swapped", "beta * v + (1 - beta) * dw", "(1 - beta) * v + beta * dw"),
    ("slope squared", "new = (1 - beta) * dw", "new = (1 - beta) * dw**2"),
    ("update in place", "new_v = v.copy()", "new_v = v"),
    ("update in place", "new_w = w.copy()", "new_w = w"),
    ("update in place", "    w = w - learning_rate * v\n", "    w -= learning_rate * v\n"),
    ("learning rate twice", "(1 - beta) * dw\n    w", "learning_rate * (1 - beta) * dw\n    w"),
    ("learning rate left out", "step = learning_rate * v_next", "step = v_next"),
    ("returned in the wrong order", "return w, v", "return v, w"),
    (
        "old mean for the new one",
        "    v = beta * v + (1 - beta) * dw\n    w = w - learning_rate * v\n",
        "    w = w - learning_rate * v\n    v = beta * v + (1 - beta) * dw\n",
    ),
)

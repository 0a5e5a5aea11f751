"""A step with momentum.

``w``: parameters of shape (n, k), ``dw`` their slope, ``v`` the running mean of the slopes so far, ``learning_rate``,
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


def right_in_one_line(w, dw, v, learning_rate, beta):
    return (
        w - learning_rate * (beta * v + (1 - beta) * dw),
        beta * v + (1 - beta) * dw,
    )


def right_by_functions(w, dw, v, learning_rate, beta):
    v = np.add(np.multiply(beta, v), np.multiply(1 - beta, dw))
    w = np.subtract(w, np.multiply(learning_rate, v))
    return w, v


def right_by_entries(w, dw, v, learning_rate, beta):
    w_new, v_new = np.zeros(w.shape), np.zeros(v.shape)
    for i in np.ndindex(w.shape):
        v_new[i] = beta * v[i] + (1 - beta) * dw[i]
        w_new[i] = w[i] - learning_rate * v_new[i]
    return w_new, v_new


def right_by_average(w, dw, v, learning_rate, beta):
    v = np.average([v, dw], axis=0, weights=[beta, 1 - beta])
    update = -learning_rate * v
    w = w + update
    return w, v


def right_with_alpha(w, dw, v, learning_rate, beta):
    alpha = 1.0 - beta
    velocity = np.array(v, copy=True)
    velocity = velocity * beta
    velocity += dw * alpha
    params = np.array(w, copy=True)
    params -= velocity * learning_rate
    return (params, velocity)


FAULTS = (
    ("old mean for the new one", "step = learning_rate * v_next", "step = learning_rate * v"),
    ("old mean for the new one", "new_w -= learning_rate * new_v", "new_w -= learning_rate * v"),
    ("slope for the running mean", "step = learning_rate * v_next", "step = learning_rate * dw"),
    ("slope for the running mean", "w = w - learning_rate * v", "w = w - learning_rate * dw"),
    ("beta and 1 - beta swapped", "beta * v + (1 - beta) * dw", "(1 - beta) * v + beta * dw"),
    ("slope squared", "new = (1 - beta) * dw", "new = (1 - beta) * dw**2"),
    ("update in place", "new_v = v.copy()", "new_v = v"),
    ("update in place", "new_w = w.copy()", "new_w = w"),
    ("update in place", "    w = w - learning_rate * v\n", "    w -= learning_rate * v\n"),
    ("learning rate twice", "(1 - beta) * dw\n    w", "learning_rate * (1 - beta) * dw\n    w"),
    (
        "old mean for the new one",
        "    v = beta * v + (1 - beta) * dw\n    w = w - learning_rate * v\n",
        "    w = w - learning_rate * v\n    v = beta * v + (1 - beta) * dw\n",
    ),
    ("old mean for the new one", "learning_rate * v_new[i]", "learning_rate * v[i]"),
    ("old mean for the new one", "velocity * learning_rate", "v * learning_rate"),
    ("old mean for the new one", "w - learning_rate * (beta * v + (1 - beta) * dw)", "w - learning_rate * v"),
    ("old mean for the new one", "w - learning_rate * v_next, v_next", "w - learning_rate * v, v_next"),
    ("slope for the running mean", "learning_rate * v_new[i]", "learning_rate * dw[i]"),
    ("slope for the running mean", "velocity * learning_rate", "dw * learning_rate"),
    ("slope for the running mean", "np.multiply(learning_rate, v)", "np.multiply(learning_rate, dw)"),
    ("slope for the running mean", "update = -learning_rate * v", "update = -learning_rate * dw"),
    ("slope for the running mean", "new_w -= learning_rate * new_v", "new_w -= learning_rate * dw"),
    ("factor 1 - beta missing", "np.multiply(1 - beta, dw)", "dw"),
    ("factor missing", "beta * v[i] + (1 - beta)", "v[i] + (1 - beta)"),
    ("factor missing", "np.multiply(beta, v)", "v"),
    ("factor missing", "    velocity = velocity * beta\n", ""),
    ("factor missing", "    new_v *= beta\n", ""),
    ("factor missing", "old = beta * v", "old = v"),
    ("beta and 1 - beta swapped", "beta * v[i] + (1 - beta) * dw[i]", "(1 - beta) * v[i] + beta * dw[i]"),
    ("beta and 1 - beta swapped", "weights=[beta, 1 - beta]", "weights=[1 - beta, beta]"),
    ("beta and 1 - beta swapped", "alpha = 1.0 - beta", "alpha, beta = beta, 1.0 - beta"),
    ("beta and 1 - beta swapped", "(1 - beta) * (dw - v)", "beta * (dw - v)"),
    ("beta and 1 - beta swapped", "beta, v), np.multiply(1 - beta, dw", "1 - beta, v), np.multiply(beta, dw"),
    ("slope squared", "(1 - beta) * dw[i]", "(1 - beta) * dw[i] ** 2"),
    ("slope squared", "dw * alpha", "dw**2 * alpha"),
    ("slope squared", "(1 - beta) * dw\n    w", "(1 - beta) * dw**2\n    w"),
    ("one minus missing", "(1 - beta) * dw", "beta * dw"),
    ("one minus missing", "alpha = 1.0 - beta", "alpha = beta"),
    ("one minus missing", "np.multiply(1 - beta, dw)", "np.multiply(beta, dw)"),
    ("sign", "np.subtract(w,", "np.add(w,"),
    ("slope alone", "    w = w + update\n", "    w = update\n"),
    ("slope alone", "w_next = w - step", "w_next = -step"),
    ("update in place", "np.array(v, copy=True)\n    velocity = velocity * beta", "v\n    velocity *= beta"),
    ("update in place", "np.array(w, copy=True)", "w"),
    ("update in place", "    w = w + update\n", "    w += update\n"),
    ("learning rate twice", "velocity += dw * alpha", "velocity += learning_rate * dw * alpha"),
    ("learning rate twice", "new = (1 - beta) * dw", "new = learning_rate * (1 - beta) * dw"),
    ("learning rate left out", "update = -learning_rate * v", "update = -v"),
    ("divided by the learning rate", "step = learning_rate * v_next", "step = v_next / learning_rate"),
    ("term missing", "new_v += (1 - beta) * dw", "new_v = (1 - beta) * dw"),
    ("term missing", "velocity += dw * alpha", "velocity = dw * alpha"),
    ("term missing", "v = beta * v + (1 - beta) * dw\n", "v = (1 - beta) * dw\n"),
    ("term missing", "v_next = v + change", "v_next = change"),
    ("returns the old parameters", "return w_next, v_next", "return w, v_next"),
    ("returns the old parameters", "return (params, velocity)", "return (w, velocity)"),
    ("returns the old parameters", "return w_next, v_next", "return w_next, v"),
    ("returns the old parameters", "return (params, velocity)", "return (params, v)"),
    ("wrong variable", "return w_new, v_new", "return w_new, dw"),
)

"""Train a network with one hidden layer.

``X`` (n_x, m), ``Y`` (1, m) with labels 0 and 1, ``layers_dims`` = (n_x, n_h, 1).
[LINEAR -> RELU] -> LINEAR -> SIGMOID. Given: ``initialize_parameters(n_x, n_h, n_y)``, ``linear_activation_forward(A_prev, W, b, activation)``,
``compute_cost(A2, Y)``, ``linear_activation_backward(dA, cache, activation)``,
``update_parameters(parameters, grads, learning_rate)``.

Each iteration, on all examples: forward, cost, backward, update. Return ``(parameters, costs)``: the dictionary of the
parameters after the last update, and the list of the costs of iterations 0, 100, 200, ... and of the last one (once,
should it be among those), each computed before that iteration's update. With ``print_cost`` print them, in words of
your own (what is printed is not checked). ``num_iterations`` is 1 or more; costs are floats or arrays of shape ().

Why it matters: this is the whole of learning. The cost has to fall; how fast is the learning rate's business.

>>> parameters, costs = two_layer_model(np.array([[1.0, -1.0]]), np.array([[1, 0]]), (1, 2, 1), learning_rate=1.0, num_iterations=101)
>>> [round(float(cost), 4) for cost in costs]
[0.6932, 0.0017]
"""

import numpy as np

from pellucid.learn.exercises._models import drawn
from pellucid.textbook import (
    compute_cost,
    initialize_parameters,
    linear_activation_backward,
    linear_activation_forward,
    update_parameters,
)

OUTPUTS = "parameters", "costs"
LOOPS = True


def cases(rng):
    yield np.array([[1.0, -1.0]]), np.array([[1, 0]]), (1, 2, 1), 1.0, 2
    for n_x, n_h, m, rate, n in ((3, 4, 5, 0.5, 3), (4, 2, 6, 1.2, 102), (2, 3, 5, 0.4, 101)):
        yield *drawn(rng, n_x, m), (n_x, n_h, 1), rate, n


def two_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    grads = {}
    n_x, n_h, n_y = layers_dims
    parameters = initialize_parameters(n_x, n_h, n_y)
    for i in range(num_iterations):
        W1, b1 = parameters["W1"], parameters["b1"]
        W2, b2 = parameters["W2"], parameters["b2"]
        A1, cache1 = linear_activation_forward(X, W1, b1, "relu")
        A2, cache2 = linear_activation_forward(A1, W2, b2, "sigmoid")
        cost = compute_cost(A2, Y)
        dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2))
        dA1, dW2, db2 = linear_activation_backward(dA2, cache2, "sigmoid")
        dA0, dW1, db1 = linear_activation_backward(dA1, cache1, "relu")
        grads["dW1"] = dW1
        grads["db1"] = db1
        grads["dW2"] = dW2
        grads["db2"] = db2
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 100 == 0 or i == num_iterations - 1:
            costs.append(cost)
            if print_cost:
                print(f"Cost after iteration {i}: {cost}")
    return parameters, costs


def right_by_hand(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    m = X.shape[1]
    p = initialize_parameters(*layers_dims)
    W1, b1, W2, b2 = p["W1"], p["b1"], p["W2"], p["b2"]
    costs = []
    for i in range(num_iterations):
        Z1 = W1 @ X + b1
        A1 = np.maximum(0, Z1)
        Z2 = W2 @ A1 + b2
        A2 = 1 / (1 + np.exp(-Z2))
        cost = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
        if i % 100 == 0 or i == num_iterations - 1:
            costs.append(cost)
        dZ2 = A2 - Y
        dW2 = dZ2 @ A1.T / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dA1 = W2.T @ dZ2
        dZ1 = dA1 * (Z1 > 0)
        dW1 = dZ1 @ X.T / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        W1 = W1 - learning_rate * dW1
        b1 = b1 - learning_rate * db1
        W2 = W2 - learning_rate * dW2
        b2 = b2 - learning_rate * db2
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, costs


def right_by_names(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters(layers_dims[0], layers_dims[1], layers_dims[2])
    costs = []
    for i in range(num_iterations):
        A1, cache1 = linear_activation_forward(X, parameters["W1"], parameters["b1"], activation="relu")
        A2, cache2 = linear_activation_forward(A1, parameters["W2"], parameters["b2"], activation="sigmoid")
        cost = compute_cost(A2, Y)
        dA2 = -np.divide(Y, A2) + np.divide(1 - Y, 1 - A2)
        dA1, dW2, db2 = linear_activation_backward(dA2, cache2, activation="sigmoid")
        dA0, dW1, db1 = linear_activation_backward(dA1, cache1, activation="relu")
        grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 100 == 0:
            costs.append(cost)
    if (num_iterations - 1) % 100 != 0:
        costs.append(cost)
    return parameters, costs


def right_while(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    p = initialize_parameters(*layers_dims)
    costs, step = [], 0
    while step < num_iterations:
        hidden, hidden_cache = linear_activation_forward(X, p["W1"], p["b1"], "relu")
        output, output_cache = linear_activation_forward(hidden, p["W2"], p["b2"], "sigmoid")
        if step % 100 == 0 or step + 1 == num_iterations:
            costs.append(float(compute_cost(output, Y)))
        slope = (1 - Y) / (1 - output) - Y / output
        slopes = {}
        slope, slopes["W2"], slopes["b2"] = linear_activation_backward(slope, output_cache, "sigmoid")
        slope, slopes["W1"], slopes["b1"] = linear_activation_backward(slope, hidden_cache, "relu")
        p = {name: p[name] - learning_rate * slopes[name] for name in p}
        step += 1
    return p, costs


def right_all_costs_first(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters(*layers_dims)
    every_cost = []
    for _ in range(num_iterations):
        A1, cache1 = linear_activation_forward(X, parameters["W1"], parameters["b1"], "relu")
        A2, cache2 = linear_activation_forward(A1, parameters["W2"], parameters["b2"], "sigmoid")
        every_cost.append(compute_cost(A2, Y))
        dA2 = (A2 - Y) / (A2 * (1 - A2))
        dA1, dW2, db2 = linear_activation_backward(dA2, cache2, "sigmoid")
        _, dW1, db1 = linear_activation_backward(dA1, cache1, "relu")
        grads = dict(dW1=dW1, db1=db1, dW2=dW2, db2=db2)
        parameters = update_parameters(parameters, grads, learning_rate)
    costs = every_cost[::100]
    if num_iterations % 100 != 1:
        costs.append(every_cost[-1])
    return parameters, costs


def right_by_hand_in_a_dictionary(
    X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False
):
    m = Y.shape[1]
    p = initialize_parameters(*layers_dims)
    costs = []
    for i in range(1, num_iterations + 1):
        Z1 = np.dot(p["W1"], X) + p["b1"]
        A1 = Z1 * (Z1 > 0)
        Z2 = np.dot(p["W2"], A1) + p["b2"]
        A2 = 1.0 / (1.0 + np.exp(-Z2))
        if i % 100 == 1 or i == num_iterations:
            costs.append(-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m)
        dZ2 = A2 - Y
        dZ1 = np.dot(p["W2"].T, dZ2)
        dZ1[Z1 <= 0] = 0
        p["W2"] -= learning_rate * np.dot(dZ2, A1.T) / m
        p["b2"] -= learning_rate * np.sum(dZ2, axis=1, keepdims=True) / m
        p["W1"] -= learning_rate * np.dot(dZ1, X.T) / m
        p["b1"] -= learning_rate * np.sum(dZ1, axis=1, keepdims=True) / m
    return p, costs


def right_with_old_parameters(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    n_x, n_h, n_y = layers_dims
    parameters, costs = initialize_parameters(n_x, n_h, n_y), []
    last = num_iterations - 1
    for i in range(num_iterations):
        W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
        A1, cache1 = linear_activation_forward(X, W1, b1, "relu")
        A2, cache2 = linear_activation_forward(A1, W2, b2, "sigmoid")
        if i % 100 == 0 or i == last:
            cost = compute_cost(A2, Y)
            costs += [cost]
        dA2 = np.where(Y == 1, -1 / A2, 1 / (1 - A2))
        dA1, dW2, db2 = linear_activation_backward(dA2, cache2, "sigmoid")
        dA0, dW1, db1 = linear_activation_backward(dA1, cache1, "relu")
        new = {}
        new["W1"] = W1 - learning_rate * dW1
        new["b1"] = b1 - learning_rate * db1
        new["W2"] = W2 - learning_rate * dW2
        new["b2"] = b2 - learning_rate * db2
        parameters = new
    return parameters, costs


def right_with_a_cost_function(
    X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False
):
    n_x, n_h, n_y = layers_dims
    m = X.shape[1]
    parameters = initialize_parameters(n_x, n_h, n_y)
    costs = {}
    for i in range(num_iterations):
        A1, cache1 = linear_activation_forward(X, parameters["W1"], parameters["b1"], "relu")
        A2, cache2 = linear_activation_forward(A1, parameters["W2"], parameters["b2"], "sigmoid")
        costs[i] = float(-np.sum(np.log(np.where(Y == 1, A2, 1 - A2))) / m)
        grads = {}
        dA2 = -(Y / A2) + (1 - Y) / (1 - A2)
        dA1, grads["dW2"], grads["db2"] = linear_activation_backward(dA2, cache2, "sigmoid")
        _, grads["dW1"], grads["db1"] = linear_activation_backward(dA1, cache1, "relu")
        for name in ("W1", "b1", "W2", "b2"):
            parameters[name] = parameters[name] - learning_rate * grads["d" + name]
    return parameters, [costs[i] for i in costs if i % 100 == 0 or i == num_iterations - 1]


FAULTS = (
    (
        "cost after the update",
        "costs.append(cost)",
        "costs.append(compute_cost(linear_activation_forward(linear_activation_forward(X, parameters['W1'], parameters['b1'], 'relu')[0], parameters['W2'], parameters['b2'], 'sigmoid')[0], Y))",
    ),
    ("last cost missing", "i % 100 == 0 or i == num_iterations - 1", "i % 100 == 0"),
    ("last cost missing", "i == num_iterations - 1", "i == num_iterations"),
    ("every cost kept", "i % 100 == 0 or i == num_iterations - 1", "True"),
    ("every cost kept", "i % 100 == 0", "i % 10 == 0"),
    ("last cost alone", "i % 100 == 0 or i == num_iterations - 1", "i == num_iterations - 1"),
    ("not updated", "parameters = update_parameters(", "update_parameters("),
    ("last layer relu", '(A1, W2, b2, "sigmoid")', '(A1, W2, b2, "relu")'),
    ("all layers sigmoid", '(X, W1, b1, "relu")', '(X, W1, b1, "sigmoid")'),
    ("wrong cache", "linear_activation_backward(dA1, cache1", "linear_activation_backward(dA1, cache2"),
    ("dAL wrong", "-(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2))", "A2 - Y"),
    ("W after the update", "        dA1 = W2.T", "        W2 = W2 - learning_rate * dW2\n        dA1 = W2.T"),
    (
        "initialized in the loop",
        "W1, b1 = parameters",
        "parameters = initialize_parameters(n_x, n_h, n_y)\n        W1, b1 = parameters",
    ),
    ("biases left out", 'grads["db1"] = db1', 'grads["db1"] = 0 * db1'),
    ("biases left out", "b1 = b1 - learning_rate * db1", "pass"),
    ("mask from A", "(Z1 > 0)", "(X[:1] > 0)"),
    ("mask left out", "dA1 * (Z1 > 0)", "dA1"),
    ("A and Z confused", "linear_activation_forward(A1, W2", "linear_activation_forward(cache1[1], W2"),
    ("last cost missing", "if (num_iterations - 1) % 100 != 0:", "if False:"),
    ("last cost missing", " or step + 1 == num_iterations", ""),
    ("one iteration too many or too few", "range(1, num_iterations + 1)", "range(1, num_iterations)"),
    ("every cost kept", "every_cost[::100]", "every_cost"),
    ("not updated", "p = {name:", "new = {name:"),
    ("not updated", "        parameters = new\n", ""),
    ("one iteration too many or too few", "range(num_iterations)", "range(num_iterations + 1)"),
    ("one iteration too many or too few", "while step < num_iterations", "while step < num_iterations - 1"),
    ("one iteration too many or too few", "range(num_iterations)", "range(1, num_iterations)"),
    ("dAL wrong", "dA2 = (A2 - Y) / (A2 * (1 - A2))", "dA2 = A2 - Y"),
    ("one term only", "np.where(Y == 1, -1 / A2, 1 / (1 - A2))", "-Y / A2"),
    ("labels flipped", "np.where(Y == 1, -1 / A2, 1 / (1 - A2))", "np.where(Y == 0, -1 / A2, 1 / (1 - A2))"),
    ("all layers sigmoid", 'parameters["b1"], activation="relu"', 'parameters["b1"], activation="sigmoid"'),
    ("last layer relu", '(hidden, p["W2"], p["b2"], "sigmoid")', '(hidden, p["W2"], p["b2"], "relu")'),
    ("wrong cache", "slope, hidden_cache,", "slope, output_cache,"),
    ("not handed on", "linear_activation_backward(dA1, cache1", "linear_activation_backward(dA2, cache1"),
    ("always the input", 'linear_activation_forward(hidden, p["W2"]', 'linear_activation_forward(X, p["W2"]'),
    ("wrong variable", '"dW1": dW1, "db1": db1', '"dW1": dW2, "db1": db1'),
    ("wrong name", 'parameters["W2"], parameters["b2"]', 'parameters["W2"], parameters["b1"]'),
    (
        "initialized in the loop",
        "        hidden, hidden_cache",
        "        p = initialize_parameters(*layers_dims)\n        hidden, hidden_cache",
    ),
    ("mask left out", "        dZ1[Z1 <= 0] = 0\n", ""),
    ("mask from dA", "dZ1[Z1 <= 0]", "dZ1[dZ1 <= 0]"),
    (
        "W after the update",
        '        dZ1 = np.dot(p["W2"].T, dZ2)\n        dZ1[Z1 <= 0] = 0\n        p["W2"] -= learning_rate * np.dot(dZ2, A1.T) / m\n',
        '        p["W2"] -= learning_rate * np.dot(dZ2, A1.T) / m\n        dZ1 = np.dot(p["W2"].T, dZ2)\n        dZ1[Z1 <= 0] = 0\n',
    ),
    ("returned in the wrong place", "    return parameters, costs", "        return parameters, costs"),
    ("learning rate left out", "grads, learning_rate)", "grads, 0.0075)"),
    ("labels flipped", "np.where(Y == 1, A2, 1 - A2)", "np.where(Y == 1, 1 - A2, A2)"),
    ("sign", "-(Y / A2) + (1 - Y) / (1 - A2)", "Y / A2 - (1 - Y) / (1 - A2)"),
    ("dAL wrong", "-(Y / A2) + (1 - Y) / (1 - A2)", "A2 - Y"),
    ("one term only", "-(Y / A2) + (1 - Y) / (1 - A2)", "-(Y / A2)"),
    ("biases left out", 'for name in ("W1", "b1", "W2", "b2"):', 'for name in ("W1", "W2"):'),
    (
        "initialized in the loop",
        "        grads = {}\n",
        "        grads, parameters = {}, initialize_parameters(n_x, n_h, n_y)\n",
    ),
    ("every cost kept", "for i in costs if i % 100 == 0 or i == num_iterations - 1]", "for i in costs]"),
    (
        "a condition too many",
        "if i % 100 == 0 or i == num_iterations - 1:",
        "if print_cost and (i % 100 == 0 or i == num_iterations - 1):",
    ),
    ("order of arguments", "compute_cost(A2, Y)", "compute_cost(Y, A2)"),
    ("order of arguments", "(parameters, grads, learning_rate)", "(grads, parameters, learning_rate)"),
    ("order of arguments", '(X, W1, b1, "relu")', '(W1, X, b1, "relu")'),
    ("wrong variable", 'grads["dW1"] = dW1', 'grads["dW1"] = dW2'),
    ("wrong variable", "linear_activation_forward(A1, W2, b2", "linear_activation_forward(A1, W1, b2"),
    ("labels flipped", "dZ2 = A2 - Y", "dZ2 = A2 - (1 - Y)"),
    ("mean twice", "dZ2 = A2 - Y", "dZ2 = (A2 - Y) / m"),
    ("biases left out", "        b2 = b2 - learning_rate * db2\n", ""),
)

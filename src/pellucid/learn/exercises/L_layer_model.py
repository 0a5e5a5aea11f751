"""Train a network of any depth.

``X`` (n_x, m), ``Y`` (1, m) with labels 0 and 1, ``layers_dims`` such as [12288, 20, 7, 5, 1].
[LINEAR -> RELU] x (L - 1) -> LINEAR -> SIGMOID. Given: ``initialize_parameters_deep(layer_dims)``, ``L_model_forward(X, parameters)``,
``compute_cost(AL, Y)``, ``L_model_backward(AL, Y, caches)``, ``update_parameters(parameters, grads, learning_rate)``.

Each iteration, on all examples: forward, cost, backward, update. Return ``(parameters, costs)``: the dictionary of the
parameters after the last update, and the list of the costs of iterations 0, 100, 200, ... and of the last one (once,
should it be among those), each computed before that iteration's update. With ``print_cost`` print them, in words of
your own (what is printed is not checked). ``num_iterations`` is 1 or more; costs are floats or arrays of shape ().

Why it matters: it is the function that you came for. With your own ones below it, it trains the published network.

>>> X, Y = np.eye(2), np.array([[0, 1]])
>>> parameters, costs = L_layer_model(X, Y, [2, 3, 1], learning_rate=0.5, num_iterations=151)
>>> [round(float(cost), 3) for cost in costs]
[1.105, 0.031, 0.019]
"""

import numpy as np

from pellucid.learn.exercises._models import drawn
from pellucid.textbook import (
    L_model_backward,
    L_model_forward,
    compute_cost,
    initialize_parameters_deep,
    update_parameters,
)

OUTPUTS = "parameters", "costs"
LOOPS = True


def cases(rng):
    yield np.eye(2), np.array([[0, 1]]), [2, 3, 1], 0.5, 2
    for widths, m, rate, n in (([3, 4, 2, 1], 5, 0.3, 3), ([4, 3, 1], 6, 0.2, 102), ([2, 3, 1], 5, 0.2, 101)):
        yield *drawn(rng, widths[0], m), widths, rate, n


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 100 == 0 or i == num_iterations - 1:
            costs.append(cost)
            if print_cost:
                print(f"Cost after iteration {i}: {cost}")
    return parameters, costs


def right_while(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    p, costs, i = initialize_parameters_deep(layers_dims), [], 0
    while i < num_iterations:
        AL, caches = L_model_forward(X, p)
        is_kept = i % 100 == 0 or i == num_iterations - 1
        if is_kept:
            costs.append(float(compute_cost(AL, Y)))
        slopes = L_model_backward(AL, Y, caches)
        p = {name: p[name] - learning_rate * slopes["d" + name] for name in p}
        i += 1
    return p, costs


def right_last_cost_after(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 100 == 0:
            costs.append(cost)
    if (num_iterations - 1) % 100 != 0:
        costs.append(cost)
    return parameters, costs


def right_all_costs_first(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters_deep(layers_dims)
    every_cost = []
    for _ in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        every_cost.append(compute_cost(AL, Y))
        parameters = update_parameters(parameters, L_model_backward(AL, Y, caches), learning_rate)
    numbers = [i for i in range(num_iterations) if i % 100 == 0 or i == num_iterations - 1]
    return parameters, [every_cost[i] for i in numbers]


def right_counted_from_one(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters_deep(layers_dims)
    costs = []
    for epoch in range(1, num_iterations + 1):
        probabilities, caches = L_model_forward(X, parameters)
        if epoch % 100 == 1 or epoch == num_iterations:
            cost = compute_cost(probabilities, Y)
            costs = [*costs, cost]
        grads = L_model_backward(probabilities, Y, caches)
        L = len(layers_dims) - 1
        for l in range(1, L + 1):
            parameters["W" + str(l)] = parameters["W" + str(l)] - learning_rate * grads["dW" + str(l)]
            parameters["b" + str(l)] = parameters["b" + str(l)] - learning_rate * grads["db" + str(l)]
    return parameters, costs


def right_by_set(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    kept = {*range(0, num_iterations, 100), num_iterations - 1}
    params = initialize_parameters_deep(layers_dims)
    costs = []
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, params)
        if i in kept:
            costs += [compute_cost(AL, Y)]
        gradients = L_model_backward(AL, Y, caches)
        for key in params:
            params[key] = params[key] - learning_rate * gradients["d" + key]
    return params, costs


def right_in_two_branches(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters_deep(layer_dims=layers_dims)
    costs = []
    last = num_iterations - 1
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        if i % 100 == 0:
            costs += [cost]
        else:
            if i == last:
                costs += [cost]
        grads = L_model_backward(AL, Y, caches)
        new = update_parameters(parameters, grads, learning_rate)
        parameters = new
    return parameters, costs


def right_with_printing(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        is_last = i == num_iterations - 1
        if print_cost and (i % 100 == 0 or is_last):
            print(f"Cost after iteration {i}: {np.squeeze(cost)}")
        if i % 100 == 0 or is_last:
            costs.append(cost)
    return parameters, costs


FAULTS = (
    ("cost after the update", "append(cost)", "append(compute_cost(L_model_forward(X, parameters)[0], Y))"),
    ("last cost missing", "i % 100 == 0 or i == num_iterations - 1", "i % 100 == 0"),
    ("last cost missing", "i == num_iterations - 1", "i == num_iterations"),
    ("every cost kept", "i % 100 == 0 or i == num_iterations - 1", "True"),
    ("every cost kept", "i % 100 == 0", "i % 10 == 0"),
    ("last cost alone", "i % 100 == 0 or i == num_iterations - 1", "i == num_iterations - 1"),
    ("not updated", "parameters = update_parameters(", "update_parameters("),
    (
        "initialized in the loop",
        "AL, caches = L_model_forward(X, parameters)",
        "parameters = initialize_parameters_deep(layers_dims)\n        AL, caches = L_model_forward(X, parameters)",
    ),
    ("learning rate left out", "(parameters, grads, learning_rate)", "(parameters, grads, 0.0075)"),
    ("learning rate changed", "grads, learning_rate", "grads, learning_rate / (i + 1)"),
    ("labels flipped", "compute_cost(AL, Y)", "compute_cost(AL, 1 - Y)"),
    ("labels flipped", "L_model_backward(AL, Y, caches)", "L_model_backward(AL, 1 - Y, caches)"),
    ("sign", "learning_rate)\n        if", "-learning_rate)\n        if"),
    ("one iteration too many or too few", "range(num_iterations)", "range(num_iterations + 1)"),
    ("one iteration too many or too few", "range(num_iterations)", "range(1, num_iterations)"),
    ("one iteration too many or too few", "range(num_iterations)", "range(num_iterations - 1)"),
    ("biases left out", "in p}", 'in p if name[0] == "W"} | {name: p[name] for name in p if name[0] == "b"}'),
    ("returned in the wrong place", "    return parameters, costs", "        return parameters, costs"),
    ("last cost missing", "if (num_iterations - 1) % 100 != 0:", "if False:"),
    ("last cost missing", "if i == last:", "if i > last:"),
    ("last cost missing", "(0, num_iterations, 100), num_iterations - 1", "(0, num_iterations, 100)"),
    ("last cost missing", " or epoch == num_iterations", ""),
    (
        "every cost kept",
        "numbers = [i for i in range(num_iterations) if i % 100 == 0 or i == num_iterations - 1]",
        "numbers = range(num_iterations)",
    ),
    ("not updated", "        parameters = new\n", ""),
    (
        "not updated",
        "parameters = update_parameters(parameters, L_",
        "new = update_parameters(parameters, L_",
    ),
    (
        "initialized in the loop",
        "        AL, caches = L_model_forward(X, params)",
        "        params = initialize_parameters_deep(layers_dims)\n        AL, caches = L_model_forward(X, params)",
    ),
    ("last cost alone", "costs += [", "costs = ["),
    ("learning rate changed", "        new", "        learning_rate = learning_rate * 0.95\n        new"),
    ("labels flipped", "compute_cost(probabilities, Y)", "compute_cost(1 - probabilities, Y)"),
    ("one iteration too many or too few", "range(1, num_iterations + 1)", "range(1, num_iterations)"),
    ("one iteration too many or too few", "i < num_iterations", "i <= num_iterations"),
    ("biases left out", '["b" + str(l)] - learning_rate * grads["db" + str(l)]', '["b" + str(l)]'),
    ("last layer left out", "L = len(layers_dims) - 1", "L = len(layers_dims) - 2"),
    ("wrong name", 'gradients["d" + key]', 'gradients["dW1"]'),
    ("returned in the wrong place", "    return params, costs", "        return params, costs"),
    (
        "a condition too many",
        "if i % 100 == 0 or i == num_iterations - 1:",
        "if print_cost and (i % 100 == 0 or i == num_iterations - 1):",
    ),
    ("a condition too many", "if i % 100 == 0 or is_last", "if print_cost and (i % 100 == 0 or is_last)"),
    (
        "a condition too many",
        "            costs.append(cost)\n            if print_cost:\n",
        "            if print_cost:\n                costs.append(cost)\n",
    ),
    ("last cost missing", "        if i % 100 == 0 or is_last:\n", "        if i % 100 == 0:\n"),
    ("order of arguments", "compute_cost(AL, Y)", "compute_cost(Y, AL)"),
    ("order of arguments", "L_model_forward(X, parameters)", "L_model_forward(parameters, X)"),
    ("order of arguments", "L_model_backward(AL, Y, caches)", "L_model_backward(Y, AL, caches)"),
    ("order of arguments", "(parameters, grads, learning_rate)", "(grads, parameters, learning_rate)"),
    ("every cost kept", "range(0, num_iterations, 100)", "range(0, num_iterations, 50)"),
)

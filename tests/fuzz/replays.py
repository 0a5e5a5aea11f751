"""Random networks: the replay of a step has the numbers of its trace, and its gradients flow through all joins."""

import json
from typing import Any

import numpy as np
from tests.fuzz.networks import Network, graphs, images, networks, rows, with_ties
from tests.fuzz.search import Subject
from tests.replaying.test_record import Numbers

from pellucid.replaying.record import replay_of
from pellucid.training.optimizers.sgd import SGD
from pellucid.training.trace import take_step, trace_prediction


def check_replay(network: Network) -> None:
    """Every array of a step and of a prediction is read back; a value's gradient is the sum of its users'."""
    X, y, weights = network.data()
    model = network.ready()
    Y = model._encode(y)
    trace = take_step(model, X, Y, weights, SGD(0.01), seed=1)
    numbers = Numbers(replay_of(trace))
    names = numbers.names()
    for layer, record in trace.items():
        for key, array in record.arrays.items():
            found = numbers.of(names.index(layer), key)
            assert np.allclose(found, array, rtol=1e-9, atol=1e-12 * (1 + np.abs(array).max(initial=0))), key
    flows: dict[str, Any] = {}
    loss = numbers.header["loss"]["arrays"]["dZ"]
    for output, value in numbers.header["network"]["outputs"].items():
        flows[value] = flows.get(value, 0) + numbers.stored(loss[output] if output else loss)
    steps = [*enumerate(numbers.header["network"]["steps"])]
    for i, step in reversed(steps):
        arrays = numbers.header["steps"][i]["arrays"]
        if step["to"] in flows and "dA" in arrays:
            of_output = numbers.of(i, "dA")
            size = 1e-9 * (1 + np.abs(of_output).max(initial=0))
            assert np.allclose(of_output, flows[step["to"]], rtol=1e-9, atol=size), step
        if arrays.get("dX") is not None:
            parts = numbers.of(i, "dX")
            for source, part in zip(step["from"], parts if isinstance(parts, list) else [parts], strict=True):
                flows[source] = flows.get(source, 0) + part
    prediction = Numbers(replay_of(trace_prediction(model, X)))
    json.dumps(prediction.header, allow_nan=False)


SUBJECTS = {"replays": Subject(networks(rows | images) | graphs() | with_ties, check_replay, 36)}

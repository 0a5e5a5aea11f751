"""Random networks in a real browser: every view opens, and each derivation of a sample equals its number."""

from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase
from tests.fuzz.networks import Network
from tests.fuzz.subjects import SUBJECTS

from pellucid.replaying.record import Replay, replay_of
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.trace import take_step, trace_prediction

pytestmark = pytest.mark.slow
N_CASES = 14
OPTIMIZER: list[dict[str, Any]] = [
    {"type": "sgd"},
    {"type": "sgd", "momentum": 0.5, "weight_decay": 0.1, "clip_norm": 1.0},
    {"type": "adam"},
]
WALK = """async () => {
  const page = document.querySelector("pellucid-replay"), { replay } = page, wrong = [];
  let n = 0;
  for (let i = 0; i < page.stops.length; i++) page.scrubber.move((i + 1) % page.stops.length);
  for (const step of replay.steps.keys()) for (const name of replay.names(step)) {
    const { data } = replay.array(step, name), last = data.length - 1;
    for (const index of last < 0 ? [] : new Set([0, Math.floor(last / 3), last])) {
      const place = { step, name, index }, found = replay.tools.derive(replay, place);
      n++;
      const where = `${step}/${name}/${index}`;
      if (found && found.isEqual === false) wrong.push(`${where}: ${found.computed}, ${found.stored}`);
      page.show({ ...place, part: "forward" }, { isQuiet: true });
    }
  }
  dispatchEvent(new Event("beforeprint"));
  if (!page.querySelector(".sheet tbody tr")) wrong.push("nothing is printed");
  return { n, wrong };
}"""


def drawn(n: int) -> list[Network]:
    """Return random networks, the same ones each time."""
    found: list[Network] = []

    @hypothesis.seed(5)
    @hypothesis.settings(
        max_examples=n,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(SUBJECTS["replays"].cases)
    def keep(case: Network) -> None:
        found.append(case)

    keep()
    return found


def steps_of(network: Network, optimizer: dict[str, Any]) -> list[Replay]:
    """Return two steps, of which the second begins with a memory, and a prediction."""
    X, y, weights = network.data()
    model, chosen = network.ready(), OPTIMIZERS.resolve(optimizer)
    Y, found = model._encode(y), []
    memory = None
    for step in range(2):
        found.append(replay_of(take_step(model, X, Y, weights, chosen, seed=1, step=step, memory=memory)))
        memory = chosen.state()
    return [*found, replay_of(trace_prediction(model, X))]


def test_every_view_of_random_networks_opens_and_derives(opened: Callable[..., Any]) -> None:
    n, wrong = 0, []
    for i, network in enumerate(drawn(N_CASES)):
        with np.errstate(all="ignore"):
            replays = steps_of(network, OPTIMIZER[i % len(OPTIMIZER)])
        page = opened(replays[i % 3])
        found = page.evaluate(WALK)
        n += found["n"]
        wrong += [f"{network}: {each}" for each in found["wrong"]]
        page.close()
    assert not wrong
    assert n > 50 * N_CASES

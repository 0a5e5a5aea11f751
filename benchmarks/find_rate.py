"""Whether find-rate names a good rate: the score there beside the best of a grid of rates, and what it costs.

    python -m benchmarks.find_rate                    three data sets, three models each: about an hour
    python -m benchmarks.find_rate --only digits-mlp  one of them
    python -m benchmarks.find_rate --quick            a tenth of each training, one seed

Scores are mean test accuracies over the seeds. The best of a grid is chosen by the test part itself, so that it is
too high by luck, the more so the smaller that part. The published photos need PELLUCID_DATA_DIR or a network.
"""

import time
from dataclasses import replace

import numpy as np
from benchmarks import harness

from pellucid.data.source import DataSource
from pellucid.errors import PellucidError, TrainingError
from pellucid.runs.build import fit_run, make_model, plan
from pellucid.runs.config import RunConfig
from pellucid.training.lr_finder import search_rates
from pellucid.training.rate_search import RateSearch

LOWEST, HIGHEST, N_RATES = 1e-4, 1.0, 9
CASES = {  # data and model; epochs and seeds, fewer where a training takes long
    "catvnoncat-mlp": ("catvnoncat", "mlp", None, 3),
    "catvnoncat-mlp-wide": ("catvnoncat", "mlp-wide", None, 1),
    "catvnoncat-cnn": ("catvnoncat", "cnn", 20, 1),
    "digits-mlp": ("digits", "mlp", None, 3),
    "digits-mlp-wide": ("digits", "mlp-wide", None, 3),
    "digits-cnn-small": ("digits", "cnn-small", None, 1),
    "drawn-cats-mlp": ("drawn-cats", "mlp", None, 3),
    "drawn-cats-mlp-wide": ("drawn-cats", "mlp-wide", None, 1),
    "drawn-cats-cnn": ("drawn-cats", "cnn", 20, 1),
}


def score_at(config: RunConfig, rate: float, seed: int) -> float:
    """Return the test accuracy after a training at that rate; 0 where it diverges."""
    options = replace(config.options, learning_rate=rate, seed=seed)
    config = replace(config, source=replace(config.source, seed=seed), options=options)
    split = config.source.load()
    model = make_model(config, None, split)
    try:
        fit_run(model, split, config)
    except TrainingError:
        return 0.0
    return float((model.predict(split.test.X) == split.test.y).mean())


def search(config: RunConfig) -> tuple[RateSearch, float]:
    """Return what the search finds, and how long it takes."""
    split = config.source.load()
    model, started = make_model(config, None, split), time.perf_counter()
    options = config.for_data(split.train).options
    found = search_rates(model, split.train, options, min_lr=LOWEST, max_lr=HIGHEST, n_rates=N_RATES)
    return found, time.perf_counter() - started


def measure(name: str, *, is_quick: bool) -> None:
    """Search a rate for one case, train at it and at the grid's, and print all."""
    data, model, n_epochs, n_seeds = CASES[name]
    config, *_ = plan(model, DataSource(data), n_epochs=n_epochs)
    if is_quick:
        config = replace(
            config, options=replace(config.options, n_epochs=max(1, config.options.n_epochs // 10))
        )
    seeds = range(1, 2 if is_quick else 1 + n_seeds)
    print(f"\n{name}: {config.options.n_epochs} epochs, {len(seeds)} seeds", flush=True)
    found, seconds = search(config)
    print(f"  find-rate: {found.suggestion}", flush=True)
    rates = np.geomspace(LOWEST, HIGHEST, N_RATES).tolist()
    scores, started = {}, time.perf_counter()
    for rate in rates:
        scores[rate] = float(np.mean([score_at(config, rate, seed) for seed in seeds]))
        print(f"  {rate:.2g}: {scores[rate]:.3f}", flush=True)
    training = (time.perf_counter() - started) / (len(rates) * len(seeds))
    print("  rate  " + "".join(f"{rate:9.2g}" for rate in rates))
    print("  score " + "".join(f"{score:9.3f}" for score in scores.values()))
    best = max(scores.values())
    if found.suggestion is None:
        print(f"  find-rate: {found}")
    else:
        ours = scores[min(rates, key=lambda rate: abs(np.log(rate / found.suggestion)))]
        print(
            f"  find-rate: {found.suggestion:.2g}, score {ours:.3f}, {ours / best:.3f} of the best ({best:.3f})"
        )
    print(
        f"  it took {seconds:.1f} s, a training {training:.1f} s: {seconds / training:.2f} times as long",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    print(harness.machine())
    for name in options.only:
        try:
            measure(name, is_quick=options.quick)
        except PellucidError as error:
            print(f"{name}: {error}", flush=True)


if __name__ == "__main__":
    main()

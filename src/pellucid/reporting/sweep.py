"""The page of a sweep: the best options, score against cost, what each option does, and every trial."""

from pathlib import Path

from pellucid.evaluation.sweep.plot_sweep import varied
from pellucid.evaluation.sweep.result import Sweep, score_in_words, title_of
from pellucid.plotting.saving import save_figure
from pellucid.reporting.elements import Captioned, Fact, ReportContent, Section, Table
from pellucid.reporting.html import write_report
from pellucid.text import in_seconds, plural

MOST_OPEN = 20  # trials, above which the table is folded
SEARCHES = {
    "random": "Options were drawn at random.",
    "grid": "All combinations were tried.",
    "tpe": "Options were drawn near the best so far (TPE).",
    "hyperband": "Options were drawn near the best so far (TPE); worse trials were stopped early (Hyperband).",
}


def write_sweep_page(sweep: Sweep, folder: Path, command: str) -> Path:
    """Write the figures and report.html of a sweep into a folder, and return the page's path.

    Parameters
    ----------
    sweep : Sweep
    folder : Path
    command : str
        That trains with the best options.
    """
    pictures = {
        name: save_figure(figure, folder / "figures" / f"{name}.png")
        for name, figure in sweep.figures().items()
    }
    content = ReportContent(
        title=f"Sweep of {Path(sweep.model).name} on {Path(sweep.data).name}",
        summary=(sweep.finding,),
        facts=_facts(sweep),
        points=(f"To train with the best options: `{command}`", *sweep.notes),
        sections=tuple(
            part
            for part in (
                _front(sweep, pictures[sweep.name]),
                _options(sweep, pictures["options"]),
                _trials(sweep),
            )
            if part is not None
        ),
        closing="The test part of the data was not looked at.",
    )
    return write_report(content, folder / "report.html")


def _facts(sweep: Sweep) -> tuple[Fact, ...]:
    best = sweep.best
    assert best is not None
    held_out = (
        f"of each trial, on {plural(sweep.n_folds, 'fold')}" if sweep.n_folds > 1 else "one of each trial"
    )
    return (
        Fact(f"Best {sweep.title}", score_in_words(best, sweep.metric), f"trial {best.number}"),
        Fact("Trials", len(sweep.trials), SEARCHES[sweep.search]),
        Fact("Trainings", sweep.n_trainings, held_out),
        Fact("Time of all trainings", in_seconds(sweep.seconds), "added up"),
    )


def _front(sweep: Sweep, picture: bytes) -> Section:
    others = " and ".join(title_of(name) for name in sweep.objectives[1:] or ("cost",))
    return Section(
        f"{sweep.title.capitalize()} against {others}",
        intro=("Each point is a trial. Those on the Pareto front are beaten by no other in all of these.",),
        figures=(
            Captioned(
                picture,
                caption=f"{sweep.title.capitalize()} on samples held out, against {others}.",
                alt=f"{len(sweep.ranked)} trials, {len(sweep.front())} of them on the front.",
            ),
        ),
        table=Table(sweep.header, sweep.rows(sweep.front())),
    )


def _options(sweep: Sweep, picture: bytes) -> Section | None:
    names = varied(sweep)
    if not names:
        return None
    return Section(
        "What each option does",
        intro=(
            "Other options differ between these points, too: trust a trend that shows through the spread.",
        ),
        figures=(
            Captioned(
                picture,
                caption="The score of every trial against each option. Blue: the best trial.",
                alt=f"A panel for each of {', '.join(names)}.",
            ),
        ),
    )


def _trials(sweep: Sweep) -> Section:
    rows = sweep.rows(sweep.ranked)
    fold = f"All {len(rows)} trials" if len(rows) > MOST_OPEN else ""
    return Section("Every trial", intro=sweep.failures, table=Table(sweep.header, rows, fold))

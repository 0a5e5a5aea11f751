"""The page of a sweep: the best options, score against cost, what each option does, and every trial."""

from pathlib import Path

from pellucid.evaluation.sweep.figures import varied
from pellucid.evaluation.sweep.records import Sweep
from pellucid.evaluation.sweep.text import failures, finding, score_in_words, trial_header, trial_rows
from pellucid.plotting.saving import save_figure
from pellucid.report.html import write_report
from pellucid.report.parts import Captioned, Fact, ReportContent, Section, Table
from pellucid.text import in_seconds, plural

MOST_OPEN = 20  # trials, above which the table is folded
SEARCHES = {
    "random": "Options were drawn at random.",
    "grid": "All combinations were tried.",
    "halving": "Many short trainings were begun, and the best third of them trained again three times as long, "
    "round by round.",
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
        summary=(finding(sweep),),
        facts=_facts(sweep),
        points=(f"To train with the best options: `{command}`", *sweep.notes),
        sections=tuple(
            part
            for part in (
                _cost(sweep, pictures[sweep.name]),
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
    scores = (
        ()
        if best is None
        else (Fact(f"Best {sweep.title}", score_in_words(sweep, best), f"trial {best.number}"),)
    )
    held_out = (
        f"of each trial, on {plural(sweep.n_folds, 'fold')}" if sweep.n_folds > 1 else "one of each trial"
    )
    return (
        *scores,
        Fact("Trials", len(sweep.trials), SEARCHES[sweep.search]),
        Fact("Trainings", sweep.n_trainings, held_out if sweep.search != "halving" else "in all rounds"),
        Fact("Time of all trainings", in_seconds(sweep.seconds), "added up"),
    )


def _cost(sweep: Sweep, picture: bytes) -> Section:
    front = sweep.front()
    rows = [
        (one.number, score_in_words(sweep, one), in_seconds(one.seconds), one.n_parameters, one.in_words())
        for one in front
    ]
    return Section(
        "Score against cost",
        intro=(
            "Each point is a trial. Those on the Pareto front are the best for what they cost: whatever scores "
            "better takes longer. A cheaper one that scores nearly as well may be the better choice.",
        ),
        figures=(
            Captioned(
                picture,
                caption=f"{sweep.title.capitalize()} on samples held out, against what one training costs.",
                alt=f"{len(sweep.ranked)} trials, {len(front)} of them on the front.",
            ),
        ),
        table=Table(("trial", sweep.title, "a training", "parameters", "options on the front"), rows),
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
    rows = trial_rows(sweep)
    fold = f"All {len(rows)} trials" if len(rows) > MOST_OPEN else ""
    return Section("Every trial", intro=failures(sweep), table=Table(trial_header(sweep), rows, fold))

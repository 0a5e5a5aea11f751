"""The page of a sweep: the best options, score against cost, what each option does, and every trial."""

from pathlib import Path

from pellucid.evaluation.sweep.plot_sweep import varied
from pellucid.evaluation.sweep.result import Sweep, title_of
from pellucid.plotting.saving import save_figure
from pellucid.reporting.elements import Captioned, Fact, ReportContent, Section, Table
from pellucid.reporting.html import write_report
from pellucid.text import in_seconds

MOST_OPEN = 20  # trials, above which the table is folded
SEARCHES = {
    "random": "options drawn at random",
    "grid": "all combinations",
    "tpe": "options drawn near the best so far (TPE)",
    "hyperband": "options drawn near the best so far (TPE), worse trials stopped early (Hyperband)",
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
    best, title = sweep.best, title_of(sweep.metric)
    assert best is not None
    tradeoff, options = (
        save_figure(figure, folder / "figures" / f"{name}.png") for name, figure in sweep.figures().items()
    )
    numbers = {trial.number for trial in sweep.front()}
    rows, names = sweep.to_rows(), varied(sweep)
    front = [sweep.cells(row) for row in rows if row["number"] in numbers]
    fold = f"All {len(rows)} trials" if len(rows) > MOST_OPEN else ""
    against = " and ".join(map(title_of, sweep.objectives[1:])) or "cost"
    points = Captioned(
        tradeoff,
        caption="Each point is a trial, on samples held out; no trial beats one of the front.",
        alt=f"{len(rows)} trials, {len(front)} of them on the front.",
    )
    what = Captioned(
        options,
        caption="Blue: the best trial. The other options differ between these points, too.",
        alt=f"The score of every trial against {', '.join(names)}.",
    )
    content = ReportContent(
        title=f"Sweep of {Path(sweep.model).name} on {Path(sweep.data).name}",
        summary=(sweep.headline,),
        facts=(
            Fact(f"Best {title}", f"{best.score(sweep.metric):.4f}", f"trial {best.number}"),
            Fact("Trials", len(sweep.trials), SEARCHES[sweep.search]),
            Fact("Trainings", sweep.n_trainings, f"{sweep.n_folds} of each trial"),
            Fact("Time of all trainings", in_seconds(sweep.seconds), "added up"),
        ),
        points=(f"To train with the best options: `{command}`", *sweep.notes),
        sections=(
            Section(
                f"{title.capitalize()} against {against}",
                figures=(points,),
                table=Table(sweep.columns, front),
            ),
            *([Section("What each option does", figures=(what,))] if names else []),
            Section("Every trial", table=Table(sweep.columns, [sweep.cells(row) for row in rows], fold)),
        ),
        closing="The test part of the data was not looked at.",
    )
    return write_report(content, folder / "report.html")

"""What was found out about why a run gave some of its verdicts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.data.dataset import Split
from pellucid.evaluation.influence.measure import Explanation, Influence, LeaveOneOut, in_words
from pellucid.evaluation.scores.of_run import holds_photos

METHODS = {
    "tracin": "the mean cosine of gradients over the training: TracIn, renormalized",
    "tracin-plain": "TracIn as published: the sum of the gradients' products",
    "leave-one-out": "the exact change of the log-odds when the sample alone is left out",
}


@dataclass(frozen=True, eq=False)
class InfluenceOutcome:
    """Why a run gave some of its verdicts.

    Attributes
    ----------
    method : str
        What training samples are ranked by: a key of ``METHODS``.
    influence : Influence
    left_out : LeaveOneOut or None
        Every training sample left out alone, where that is the method.
    explanations : list of Explanation
    is_proved : bool
        Whether trainings without them were run.
    agreement : dict of str to float, or None
        The mean rank correlation of each estimate with leave-one-out, where that is known.
    n_trainings : int
    seconds : float
    notes : tuple of str
        What a reader must know of how it was found out.
    files : tuple of Path
        What was written.
    """

    run: str
    split: Split
    method: str
    influence: Influence
    left_out: LeaveOneOut | None
    explanations: list[Explanation]
    is_proved: bool
    agreement: dict[str, float] | None
    n_trainings: int
    seconds: float
    notes: tuple[str, ...]
    files: tuple[Path, ...] = ()

    @property
    def thing(self) -> str:
        """What a sample is called."""
        return "photo" if holds_photos(self.split) else "sample"

    def sentences(self, explanation: Explanation) -> tuple[str, ...]:
        """Return one explanation in words."""
        return in_words(explanation, self.thing)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "run": self.run,
            "method": self.method,
            "score": METHODS[self.method],
            "gradients": self.influence.gradients,
            "moments": list(self.influence.steps),
            "is_proved": self.is_proved,
            "n_trainings": self.n_trainings,
            "seconds": self.seconds,
            "agreement": self.agreement,
            "notes": list(self.notes),
            "explanations": [
                {**one.to_dict(), "in_words": list(self.sentences(one))} for one in self.explanations
            ],
            "files": [str(path) for path in self.files],
        }

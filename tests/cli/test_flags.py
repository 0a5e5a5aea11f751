"""Flags come from the fields of a dataclass: names, help, bounds, choices, defaults, and what the command gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import click
import pytest
from tests.every import every

from pellucid.cli.command import CommandGroup, build, command
from pellucid.cli.flags import Flags, flag, options
from pellucid.cli.terminal import Answer
from pellucid.errors import OptionError
from pellucid.registry import Configurable, option


@dataclass(frozen=True)
class Place(Configurable):
    """Where something is."""

    name: str = option(help="A name.")
    image_size: tuple[int, int] | None = option(None, at_least=1, help="Of the pictures.")
    skip_bad: bool = option(False, help="Leave out what cannot be read.")
    seed: int = option(1, at_least=0, help="Random seed.")


@dataclass(frozen=True)
class Training(Configurable):
    """How something is trained."""

    n_epochs: int = option(100, at_least=1, flag="epochs", help="Passes over the data.")
    optimizer: str = option("sgd", choices=lambda: ("adam", "sgd"), help="What steps.")
    optimizer_options: dict[str, Any] = option({}, help="Of the optimizer.")
    form: Literal["auto", "dual"] = option("auto", help="Of the first layer.")
    momentum: float | None = option(0.9, at_least=0, below=1, help="Of the steps.")
    precise_bn: bool = option(True, help="Measure again.")
    seed: int = option(1, at_least=0, help="Random seed.")


PLACE = Flags(Place, argument="name")
TRAINING = Flags(Training, is_given=True)
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command line of a command with such flags, and return what its function got."""
    monkeypatch.setattr("pellucid.cli.command.DECLARED", {})
    got: dict[str, Any] = {}

    @command("try out", order=1, short_help="Try.")
    @options(place=PLACE, training=TRAINING)
    def try_out(
        *,
        place: Place,
        training: Mapping[str, Any],
        only: list[str] | None = flag(None, choices=lambda: ("hue", "blur"), help="Some."),
        strengths: list[float] | None = flag(None, short="-s", help="Of one.", needs=("only",)),
    ) -> Answer:
        """Try it out."""
        own = {"only": only, "strengths": strengths}
        got.update(place=place, training=training, **{n: v for n, v in own.items() if v})
        return Answer({"n": 1}, ["all"], ["one"], code=3)

    from pellucid.cli.command import DECLARED

    def run(*arguments: str) -> dict[str, Any]:
        got.clear()
        build(DECLARED["try out"])(args=list(arguments), standalone_mode=False)
        return got

    return run


def test_options_left_out_take_the_default_or_are_left_to_a_recipe(call: Call) -> None:
    got = call("cats")
    assert got == {"place": Place("cats"), "training": {}}


def test_every_type_is_read_from_its_text(call: Call) -> None:
    words = "cats --epochs 3 --optimizer adam --form dual --momentum 0.5 --no-precise-bn --image-size 8x6"
    got = call(*words.split(), "--skip-bad", "--seed", "5")
    assert got["place"] == Place("cats", (8, 6), True, 5)
    assert got["training"] == {
        "n_epochs": 3, "optimizer": "adam", "form": "dual", "momentum": 0.5, "precise_bn": False, "seed": 5,
    }  # fmt: skip
    got = call("cats", "--only", "blur, hue", "-s", "5,1e1")
    assert (got["only"], got["strengths"]) == (["blur", "hue"], [5.0, 10.0])
    for text, pairs in (
        ("nesterov=true, mode=max,patience=3", {"nesterov": True, "mode": "max", "patience": 3}),
        ('alpha=[0.5,2],mode="max"', {"alpha": [0.5, 2], "mode": "max"}),
    ):
        assert call("cats", "--optimizer-options", text)["training"] == {"optimizer_options": pairs}


@every(
    ("line", "words"),
    [
        ("--epochs 0", ("try out", "--epochs", "at least 1", "0")),
        ("--epochs three", ("--epochs", "whole number", "'three'")),
        ("--momentum nan", ("--momentum", "number")),
        ("--momentum 1", ("--momentum", "below 1")),
        ("--optimizer adm", ("--optimizer", "Did you mean 'adam'")),
        ("--form duel", ("--form", "Did you mean 'dual'")),
        ("--only hue,blurr", ("try out", "--only", "Did you mean 'blur'")),
        ("--strengths 5", ("--strengths is for --only",)),
        ("--only hue --strengths 5,x", ("--strengths", "5,10", "'5,x'")),
        ("--image-size 8,8", ("--image-size", "'8,8'")),
        ("--seed -1", ("--seed", "-1")),
        ("--optimizer-options momentum", ("--optimizer-options", "NAME=VALUE", "'momentum'")),
    ],
)
def test_a_wrong_value_and_its_flag(call: Call, line: str, words: tuple[str, ...]) -> None:
    with pytest.raises(OptionError) as caught:
        call("cats", *line.split())
    assert not [word for word in words if word not in str(caught.value)]


def test_an_answer_is_printed_as_json_in_full_or_quietly(
    call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, printed in (((), "all\n"), (("--quiet",), "one\n"), (("--json",), '{\n  "n": 1\n}\n')):
        call("cats", *given)
        assert capsys.readouterr().out == printed


def test_the_help_shows_choices_bounds_and_defaults(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    call("-h")
    text = " ".join(capsys.readouterr().out.split())
    for words in ("Try it out.", "[adam|sgd]", "[auto|dual]", ">=1", ">=0, <1", "HEIGHTxWIDTH"):
        assert words in text
    assert "--no-precise-bn" in text
    assert "--no-skip-bad" not in text
    assert "--only NAME,... Some. [hue, blur]" in text
    assert "-s, --strengths FLOAT,... Of one." in text
    assert text.count("--seed") == 1
    assert "--optimizer-options NAME=VALUE,..." in text


def test_only_and_without_choose_flags() -> None:
    assert [*TRAINING.but(only=("n_epochs", "seed")).flags()] == ["n_epochs", "seed"]
    assert "seed" not in TRAINING.but(without=("seed",)).flags()


def test_a_group_lists_its_commands_and_builds_none_and_choices_complete(call: Call) -> None:
    app = CommandGroup("try", name="try")
    context = click.Context(app)
    assert (app.list_commands(context), app.commands) == (["out"], {})
    made = app.get_command(context, "out")
    assert isinstance(made, click.Command)
    for name, begun, found in (
        ("optimizer", "a", ["adam"]),
        ("only", "hue,b", ["hue,blur"]),
        ("form", "x", []),
    ):
        (parameter,) = (each for each in made.params if each.name == name)
        assert [item.value for item in parameter.shell_complete(context, begun)] == found, name

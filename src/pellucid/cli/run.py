"""The edge of ``pellucid run``."""

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import options as o
from pellucid.cli.command import command


@command("run", order=10, short_help="Look, train, evaluate, report: the whole tutorial.")
def run(
    data: o.Data = "drawn-cats",
    model: o.ModelName = "mlp",
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/DATA-MODEL-N.")] = None,
    photo: Annotated[Path | None, typer.Option(help="A new photo to predict at the end.")] = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    learning_rate: o.LearningRate = None,
    optimizer: o.OptimizerName = None,
    weight_decay: o.WeightDecay = None,
    schedule: o.ScheduleName = None,
    augment: o.AugmentName = None,
    loss: o.LossName = None,
    label_smoothing: o.LabelSmoothing = None,
    class_weight: o.ClassWeight = None,
    validation: o.ValidationShare = None,
    patience: o.Patience = None,
    weight_ema: o.WeightEma = None,
    precise_bn: o.PreciseBn = None,
    seed: o.Seed = 1,
    dtype: o.Dtype = None,
    form: o.Form = "auto",
    threads: o.Threads = None,
    x_key: o.XKey = None,
    y_key: o.YKey = None,
    target: o.Target = None,
    skip_bad: o.SkipBad = False,
    image_size: o.ImageSize = None,
    mirror: o.Mirror = None,
) -> None:
    """The whole pipeline: look, train, evaluate, show the mistakes, report."""
    from pellucid.files import next_folder
    from pellucid.runs.build import plan
    from pellucid.training.callbacks import Progress
    from pellucid.workflows.run import run as run_pipeline

    config, architecture = plan(
        model,
        data=data,
        target=target,
        n_epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        weight_decay=weight_decay,
        schedule=schedule,
        augment=augment,
        loss=loss,
        label_smoothing=label_smoothing,
        class_weight=class_weight,
        validation=validation,
        patience=patience,
        weight_ema=weight_ema,
        precise_bn=precise_bn,
        seed=seed,
        dtype=dtype,
        form=form,
        n_threads=threads,
    )
    split = o.load(
        data,
        x_key=x_key,
        y_key=y_key,
        target=target,
        skip_bad=skip_bad,
        image_size=image_size,
        mirror=mirror,
        seed=seed,
    )
    outcome = run_pipeline(
        split,
        config,
        out or next_folder(Path("runs"), o.folder_name(data, model)),
        architecture=architecture,
        force=force,
        photo=photo,
        reading={
            "x_key": x_key,
            "y_key": y_key,
            "target": target,
            "skip_bad": skip_bad,
            "image_size": image_size,
        },
        callbacks=() if quiet else (Progress(),),
        say=(lambda line: None) if quiet else print,
    )
    if quiet:
        print(outcome.report)
    if outcome.was_interrupted:
        raise typer.Exit(130)

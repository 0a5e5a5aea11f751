"""Write a model as an ONNX file, with its preprocessing and its probabilities inside."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.errors import MissingExtraError, OptionError, PellucidError
from pellucid.files import write_atomically
from pellucid.formats.half_precision import for_a_file, moved, n_bytes
from pellucid.formats.onnx.columns import ML, TABLE, column_inputs, feed_of
from pellucid.formats.onnx.layers import Parts, Value, write
from pellucid.formats.outputs import (
    Output,
    check_near,
    gives,
    outputs_of,
    random_rows,
    random_samples,
    relative,
    rule_of,
)
from pellucid.formats.safetensors import header_of
from pellucid.formats.steps import steps_of
from pellucid.nn.by_name import ModelLike
from pellucid.nn.model import Model
from pellucid.nn.pretrained.notice import notice_of
from pellucid.registry import validate_call
from pellucid.text import first_line
from pellucid.types import Array, Shape, map_arrays
from pellucid.version import __version__

OPSET, IR_VERSION = 17, 8  # of 2022: whatever runs ONNX today reads them
BATCHES, N_ROUNDED = (1, 3), 5  # samples of the comparison; of that with weights that are not rounded
MOST_BYTES = 2**31 - 2**20  # a file cannot be larger


@validate_call("model", "path", "raw", "dtype", "samples", "overwrite")
def export_onnx(
    model: ModelLike,
    path: str | Path,
    *,
    raw: bool = False,
    dtype: str | None = None,
    samples: Array | None = None,
    overwrite: bool = False,
) -> float:
    """Write a model as an ONNX file, and return how far its outputs are from the model's at most.

    The file takes samples as they were read, such as photos of bytes (m, h, w, c), and gives probabilities (of a
    regression the expected values); the number of samples is free. In its metadata are the names of the classes,
    as JSON, and what is known of preprocessing and table columns. A model of a table has an input for each column,
    (m, 1): doubles, NaN where a value is missing; strings for words; a date as its parts, "born month" and so on.

    Parameters
    ----------
    model : Model, str or Path
        Trained; or a model file or run folder.
    path : str or Path
        Usually ending in ``.onnx``.
    raw : bool, optional
        Leave out preprocessing and probabilities: floats as the layers take them in, logits out.
    dtype : {"float32", "float16"}, optional
        Of the weights in the file; all is computed in float32. Default: float32.
    samples : Array, optional
        Samples as the model takes them, on which weights in float16 are compared as well.
    overwrite : bool, optional
        Replace a file that is there.

    Returns
    -------
    float
        The largest difference on random samples, and on those given: of probabilities, else relative to the largest
        output. What rounded weights make of it is in it.

    Raises
    ------
    MissingExtraError
        If onnx is not installed.
    OptionError
        If ONNX has nothing for one of the layers.
    PellucidError
        If the model is not trained, or onnx or onnxruntime find something wrong with the file, which is then not
        written.

    Notes
    -----
    Checked by onnx's checker, and compared with the model in onnxruntime or, where that is missing, in onnx's own
    evaluator. Images are (m, c, h, w) inside, transposed at the edges.
    """
    onnx = needed("onnx")
    exact, model, dtype = for_a_file(model, Path(path), dtype, "export_onnx", overwrite=overwrite)
    if n_bytes(model, dtype) > MOST_BYTES:
        raise OptionError(
            "export: the model has more than 2 GB of parameters, which an ONNX file cannot hold."
        )
    made = to_onnx(model, raw=raw, dtype=dtype)
    try:
        onnx.checker.check_model(made, full_check=True)
    except Exception as error:
        raise PellucidError(f"export: onnx refuses the file: {error}") from None
    content = made.SerializeToString()
    difference = max(_difference(model, content, m, raw=raw) for m in BATCHES)
    check_near(difference, "file")
    rng, rule = np.random.default_rng(0), rule_of(model)
    X = map_arrays(lambda shape: random_samples(rng, (N_ROUNDED, *shape), rule), model.input_shape)
    difference += max(moved(exact, model, each, raw=raw) for each in (X, samples) if each is not None)
    write_atomically(Path(path), content)
    return difference


def to_onnx(model: Model, *, raw: bool = False, dtype: str = "float32") -> Any:
    """Return an initialized model as an ``onnx.ModelProto``."""
    onnx = needed("onnx")
    parts = Parts(onnx, dtype)
    rule = _rule_of(model, raw=raw)
    steps = steps_of(model)
    kinds = {"divide": "UINT8", "robust": "DOUBLE", "standardize": "DOUBLE"}
    kind = getattr(onnx.TensorProto, kinds.get(rule.kind, "FLOAT"))
    of_columns = not raw and model._schema is not None
    inputs, values = column_inputs(parts, model._schema.columns) if of_columns else [], {}
    for name, shape in steps.inputs.items():
        if not of_columns:
            inputs.append(onnx.helper.make_tensor_value_info(name, kind, ["batch", *shape]))
        values[name] = Value(_prepared(parts, TABLE if of_columns else name, shape, rule), shape)
    for step in steps.steps:
        values[step.target] = write(parts, step, [values[source] for source in step.sources])
    parts.where, found, outputs = "", [], outputs_of(model)
    for name, target in steps.outputs.items():
        out, shape = _read(parts, name, values[target], outputs[name], raw=raw)
        found.append(onnx.helper.make_tensor_value_info(out, onnx.TensorProto.FLOAT, ["batch", *shape]))
    graph = onnx.helper.make_graph(parts.nodes, "pellucid", inputs, found, parts.constants)
    made = onnx.helper.make_model(
        graph,
        producer_name="pellucid",
        producer_version=__version__,
        opset_imports=[onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(ML, 2)],
        ir_version=IR_VERSION,
    )
    about = _metadata(model, raw=raw)
    onnx.helper.set_model_props(made, {key: json.dumps(value) for key, value in about.items()})
    return made


def _rule_of(model: Model, *, raw: bool) -> Preprocessing:
    return (None if raw else model.preprocessing) or Preprocessing()


def needed(name: str) -> Any:
    """Return a library of the extra ``onnx``; MissingExtraError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{name} is not installed, which ONNX files need. Install it with: pip install 'pellucid[onnx]'"
        ) from None


def _prepared(parts: Parts, name: str, shape: Shape, rule: Preprocessing) -> str:
    """Add what makes the layers' floats of an input; images then have their channels first."""
    parts.where, out, to_float = "preprocessing", name, {"to": parts.onnx.TensorProto.FLOAT}
    if rule.kind == "divide":
        out = parts.add("Div", parts.add("Cast", out, **to_float), parts.constant(rule.divisor))
    elif rule.scale:
        out = parts.add("Sub", out, parts.constant(rule.middle, np.float64))
        out = parts.add("Div", out, parts.constant(rule.scale, np.float64))
        if rule.kind == "robust":  # z / sqrt(1 + (z / clip)^2)
            ratio = parts.add("Div", out, parts.constant(rule.clip, np.float64))
            square = parts.add("Add", parts.add("Mul", ratio, ratio), parts.constant(1.0, np.float64))
            out = parts.add("Div", out, parts.add("Sqrt", square))
    if rule.scale or name == TABLE:
        out = parts.add("Cast", out, **to_float)
    return parts.channels_first(out, shape)


def _read(parts: Parts, name: str, value: Value, output: Output, *, raw: bool) -> tuple[str, Shape]:
    """Add what makes probabilities or expected values of an output, and return its name and shape."""
    Z, shape, reads = parts.channels_last(value), value.shape, output.reads
    stem = f"{name}_" if name else ""
    if raw:
        return parts.add("Identity", Z, name=f"{stem}logits"), shape
    if not output.loss.gives_probabilities:
        if (reads["spread"], reads["centre"]) != ([1.0], [0.0]):  # outputs are standardized targets
            Z = parts.add("Mul", Z, parts.constant(reads["spread"]))
            Z = parts.add("Add", Z, parts.constant(reads["centre"]))
        return parts.add("Exp" if reads["is_rate"] else "Identity", Z, name=stem + output.kind), shape
    out = f"{stem}probabilities"
    if output.kind == "answers":
        return parts.add("Sigmoid", Z, name=out), shape
    if shape[-1] == 1:  # both are sigmoids, so that tiny ones keep their digits
        both = parts.add("Sigmoid", parts.add("Neg", Z)), parts.add("Sigmoid", Z)
        return parts.add("Concat", *both, name=out, axis=1), (2,)
    return parts.add("Softmax", Z, name=out, axis=1), shape


def _metadata(model: Model, *, raw: bool) -> dict[str, Any]:
    header = header_of(model)
    kept = ("classes", "loss", "preprocessing", "schema", *([] if raw else ["inputs"]))  # inputs: unprepared
    notice = {"notice": list(lines)} if (lines := notice_of(model)) else {}
    return {"pellucid": __version__, **{key: header[key] for key in kept}, **notice}


def _difference(model: Model, content: bytes, m: int, *, raw: bool) -> float:
    """Return how far the file's outputs are from the model's on m random samples, at most."""
    rng, outputs = np.random.default_rng(m), outputs_of(model)
    rule = _rule_of(model, raw=raw)
    if not raw and model._schema is not None:
        rows = random_rows(model, m)
        X: Any = model._schema.encode(rows, with_target=False).X
        feed = feed_of(model._schema.columns, rows)
    else:
        X = map_arrays(lambda shape: random_samples(rng, (m, *shape), rule), model.input_shape)
        feed = X if isinstance(X, dict) else {"input": X}
    Z = model._raw_outputs(X, lambda array: rule.apply(array, model.dtype))
    Z = Z if isinstance(Z, dict) else {"": Z}
    expected = {name: Z[name] if raw else gives(output, Z[name]) for name, output in outputs.items()}
    try:
        given = outputs_of_file(content, feed)
    except Exception as error:
        raise PellucidError(
            f"export: the file does not run, so that nothing can be compared with it ({first_line(error)}). "
            "onnx's own evaluator, which is asked where onnxruntime is missing, is wrong on some poolings: "
            "pip install 'pellucid[onnx]' installs both."
        ) from None
    found = 0.0
    for theirs, (name, ours) in zip(given, expected.items(), strict=True):
        is_probability = not raw and outputs[name].loss.gives_probabilities
        found = max(found, relative(theirs, ours, is_probability=is_probability))
    return found


def outputs_of_file(content: bytes, feed: Mapping[str, Array], names: Any = None) -> list[Any]:
    """Return a file's outputs by onnxruntime or, where it is not installed, by onnx's own evaluator.

    That one is slower, and at a pooling with "same" padding of odd sizes it is wrong.
    """
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        onnx, evaluator = needed("onnx"), importlib.import_module("onnx.reference")
        with np.errstate(all="ignore"):  # of exp in its sigmoid; of idle lanes in its products
            by_reference: list[Any] = evaluator.ReferenceEvaluator(onnx.load_from_string(content)).run(
                names, dict(feed)
            )
        return by_reference
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(names, dict(feed))

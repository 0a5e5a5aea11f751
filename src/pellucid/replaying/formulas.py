"""Every formula of a step as MathML: what each number is, in general. Numbers are put in by views/rules.js."""

import re
from collections.abc import Iterable
from html import escape

from pellucid.errors import OptionError
from pellucid.formats.describe import describe
from pellucid.formats.expressions import Node, javascript_of, mathml_of, slope_of
from pellucid.formats.steps import Steps

# By the rule's name in rules.js. A word is one name, a subscript is in braces, \sum_{i} has its index below.
WINDOW = (  # of which pixel of the input a pixel of the output is made
    r", \quad r = t u + d i - p, \quad k = t v + d j - p"
    r"\quad \text{(stride } t \text{, dilation } d \text{, padding } p \text{)}"
)
POOLED = (
    r", \quad r = t u + i - p, \quad k = t v + j - p \quad \text{(stride } t \text{, padding } p \text{)}"
)
FORMULAS = {
    "dense/Z": r"z_{s,j} = \sum_{i} x_{s,i} w_{i,j} + b_{j}",
    "dense/dX": r"dx_{s,i} = \sum_{j} dz_{s,j} w_{i,j}",
    "dense/dW": r"dw_{i,j} = \sum_{s} x_{s,i} dz_{s,j}",
    "layer/db": r"db_{j} = \sum_{s} dz_{s,j}",
    "conv2d/Z": r"z_{s,u,v,f} = \sum_{i,j,c} x_{s,r,k,c} w_{i,j,c,f} + b_{f}" + WINDOW,
    "conv2d_without/Z": r"z_{s,u,v,f} = \sum_{i,j,c} x_{s,r,k,c} w_{i,j,c,f}" + WINDOW,
    "conv2d/dX": r"dx_{s,r,k,c} = \sum_{i,j,f} dz_{s,u,v,f} w_{i,j,c,f}" + WINDOW,
    "conv2d/dW": r"dw_{i,j,c,f} = \sum_{s,u,v} x_{s,r,k,c} dz_{s,u,v,f}" + WINDOW,
    "max_pool/A": r"a_{s,u,v,c} = \max_{i,j} x_{s,r,k,c}" + POOLED,
    "max_pool/dX": r"dx = \sum da \text{ of the windows in which } x \text{ is the largest}",
    "average_pool/A": r"a_{s,u,v,c} = \frac{1}{n} \sum_{i,j} x_{s,r,k,c}" + POOLED,
    "average_pool/dX": r"dx = \sum \frac{da}{n} \text{ of the windows that } x \text{ is in}",
    "global_average/A": r"a_{s,c} = \frac{1}{h w} \sum_{r,k} x_{s,r,k,c}",
    "global_average/dX": r"dx_{s,r,k,c} = \frac{da_{s,c}}{h w}",
    "batch_norm/A": r"a = γ_{c} \frac{x - μ_{c}}{\sqrt{σ_{c}^{2} + ε}} + β_{c}",
    "batch_norm/mean": r"μ_{c} = \frac{1}{n} \sum x \text{ of the channel}",
    "batch_norm/var": r"σ_{c}^{2} = \frac{1}{n} \sum (x - μ_{c})^{2}",
    "batch_norm/dX": r"dx = \frac{γ_{c}}{\sqrt{σ_{c}^{2} + ε}} (da - \frac{dβ_{c}}{n} - \hat{x} \frac{dγ_{c}}{n})",
    "batch_norm_fixed/dX": r"dx = \frac{γ_{c}}{\sqrt{σ_{c}^{2} + ε}} da",
    "batch_norm/dgamma": r"dγ_{c} = \sum da \hat{x}, \quad \hat{x} = \frac{x - μ_{c}}{\sqrt{σ_{c}^{2} + ε}}",
    "batch_norm/dbeta": r"dβ_{c} = \sum da",
    "layer_norm/A": r"a_{i} = γ_{i} \frac{x_{i} - μ}{\sqrt{σ^{2} + ε}} + β_{i}",
    "layer_norm/mean": r"μ = \frac{1}{n} \sum_{i} x_{i}",
    "layer_norm/var": r"σ^{2} = \frac{1}{n} \sum_{i} (x_{i} - μ)^{2}",
    "layer_norm/dX": (
        r"dx_{i} = \frac{1}{\sqrt{σ^{2} + ε}} (g_{i} - \frac{1}{n} \sum_{k} g_{k}"
        r" - \hat{x}_{i} \frac{1}{n} \sum_{k} g_{k} \hat{x}_{k}), \quad g = γ da"
    ),
    "layer_norm/dgamma": (
        r"dγ_{i} = \sum da_{i} \hat{x}_{i}, \quad \hat{x}_{i} = \frac{x_{i} - μ}{\sqrt{σ^{2} + ε}}"
    ),
    "layer_norm/dbeta": r"dβ_{i} = \sum da_{i}",
    "affine/A": r"a = γ_{c} x + β_{c}",
    "scale/A": r"a = γ_{c} x",
    "affine/dX": r"dx = γ_{c} da",
    "affine/dgamma": r"dγ_{c} = \sum da x",
    "affine/dbeta": r"dβ_{c} = \sum da",
    "dropout/A": r"a = x m, \quad m = 0 \text{ where dropped, else } \frac{1}{1 - p}",
    "dropout/dX": r"dx = da m",
    "same/A": r"a = x",
    "same/dX": r"dx = da",
    "zero_pad/A": r"a = x, \quad 0 \text{ in the padding}",
    "zero_pad/dX": r"dx = da",
    "reflect_pad/A": r"a = x, \text{ in the padding mirrored}",
    "reflect_pad/dX": r"dx = \sum da \text{ of the copies of } x",
    "upsample/A": r"a = x, \text{ repeated}",
    "upsample/dX": r"dx = \sum da \text{ of the copies of } x",
    "resize/A": r"a = \sum d_{y,i} x_{i,j} e_{x,j}",
    "resize/dX": r"dx_{i,j} = \sum d_{y,i} da_{y,x} e_{x,j}",
    "add/A": r"a = \sum_{k} x^{k}",
    "multiply/A": r"a = x^{1} ⋅ x^{2} ⋅ \dots",
    "mean/A": r"a = \frac{1}{n} \sum_{k} x^{k}",
    "concat/A": r"a = (x^{1}, x^{2}, \dots)",
    "add/dX": r"dx = da",
    "multiply/dX": r"dx^{k} = da ⋅ \text{ the other factors}",
    "mean/dX": r"dx = \frac{1}{n} da",
    "concat/dX": r"dx = da \text{ at its place}",
    "shares": r"dw = \sum dw \text{ of each place of the layer}",
    "value/dA": r"da = \sum dx \text{ of all that take } a",
    "activation/softmax": r"p_{j} = \frac{e^{z_{j}}}{\sum_{k} e^{z_{k}}}",
    "derivative/softmax": r"dz_{j} = a_{j} (da_{j} - \sum_{k} da_{k} a_{k})",
    "loss/sigmoid": r"p = σ(z) = \frac{1}{1 + e^{-z}}",
    "loss/binary_cross_entropy": r"L = -\frac{1}{m} \sum_{s} (y \log p + (1 - y) \log (1 - p)), \quad p = σ(z)",
    "loss_gradient/binary_cross_entropy": r"dz = \frac{1}{m} (p - y), \quad p = σ(z)",
    "loss/categorical_cross_entropy": r"L = -\frac{1}{m} \sum_{s} \sum_{j} y_{j} \log p_{j}, \quad p = softmax(z)",
    "loss_gradient/categorical_cross_entropy": r"dz_{j} = \frac{1}{m} (p_{j} - y_{j}), \quad p = softmax(z)",
    "loss/multi_label": (
        r"L = -\frac{1}{m k} \sum_{s,j} (w y \log p + (1 - y) \log (1 - p)), \quad p = σ(z)"
    ),
    "loss_gradient/multi_label": r"dz = \frac{1}{m k} ((1 - y) p - w y (1 - p)), \quad p = σ(z)",
    "loss/focal_binary": (
        r"L = -\frac{1}{m} \sum_{s} (α y q^{γ} \log p + (1 - α) (1 - y) p^{γ} \log q), \quad q = 1 - p"
    ),
    "loss_gradient/focal_binary": (
        r"dz = \frac{1}{m} ((1 - α) (1 - y) p^{γ} (p - γ q \log q) - α y q^{γ} (q - γ p \log p)), \quad q = 1 - p"
    ),
    "loss/focal_classes": r"L = -\frac{1}{m} \sum_{s} \sum_{j} α_{j} y_{j} (1 - p_{j})^{γ} \log p_{j}",
    "loss_gradient/focal_classes": (
        r"dz_{j} = \frac{1}{m} (g_{j} - p_{j} \sum_{k} g_{k}), \quad"
        r" g = -α y q^{γ} (1 - γ p \frac{\log p}{q}), \quad q = 1 - p"
    ),
    "loss/hinge_binary": (r"L = \frac{1}{m} \sum_{s} (y \max(0, margin - z) + (1 - y) \max(0, margin + z))"),
    "loss_gradient/hinge_binary": (r"dz = \frac{1}{m} ((1 - y) [margin + z > 0] - y [margin - z > 0])"),
    "loss/hinge_classes": (
        r"L = \frac{1}{m k} \sum_{s} \sum_{j \ne l} \max(0, margin + z_{j} - z_{l}), \quad l \text{ the label}"
    ),
    "loss_gradient/hinge_classes": (
        r"dz_{j} = \frac{1}{m k} [margin + z_{j} - z_{l} > 0], \quad dz_{l} = -\sum_{j \ne l} dz_{j}"
    ),
    "loss/mean_squared_error": r"L = \frac{1}{m k} \sum_{s,j} (z - y)^{2}",
    "loss_gradient/mean_squared_error": r"dz = \frac{2}{m k} (z - y)",
    "loss/mean_absolute_error": r"L = \frac{1}{m k} \sum_{s,j} | z - y |",
    "loss_gradient/mean_absolute_error": r"dz = \frac{1}{m k} sign(z - y)",
    "loss/huber": (
        r"L = \frac{1}{m k} \sum_{s,j} h(z - y), \quad"
        r" h(d) = \cases{\frac{d^{2}}{2} & | d | ≤ δ \\ δ (| d | - \frac{δ}{2}) & \text{otherwise}}"
    ),
    "loss_gradient/huber": r"dz = \frac{1}{m k} \text{ of } z - y \text{, clipped to } -δ \dots δ",
    "loss/poisson": r"L = \frac{1}{m k} \sum_{s,j} (e^{z} - y z)",
    "loss_gradient/poisson": r"dz = \frac{1}{m k} (e^{z} - y)",
    "decay": r"g = dw + λ w",
    "clip": r"\text{the gradient is clipped first}",
    "update/new": r"\text{new } w = w + Δw",
    "update/sgd": r"Δw = -η g",
    "update/sgd_momentum": r"Δw = -η v, \quad v = μ v_{0} + g",
    "update/sgd_nesterov": r"Δw = -η (g + μ v), \quad v = μ v_{0} + g",
    "update/adam": (
        r"Δw = -\frac{η}{1 - β_{1}^{t}} \frac{m}{\sqrt{v / (1 - β_{2}^{t})} + ε}, \quad"
        r" m = m_{0} + (1 - β_{1}) (g - m_{0}), \quad v = v_{0} + (1 - β_{2}) (g^{2} - v_{0})"
    ),
    "update/adamw": (
        r"Δw = -η λ w - \frac{η}{1 - β_{1}^{t}} \frac{m}{\sqrt{v / (1 - β_{2}^{t})} + ε}, \quad"
        r" m = m_{0} + (1 - β_{1}) (g - m_{0}), \quad v = v_{0} + (1 - β_{2}) (g^{2} - v_{0})"
    ),
    "update/adagrad": r"Δw = -η \frac{g}{\sqrt{s} + ε}, \quad s = s_{0} + g^{2}",
    "update/rmsprop": r"Δw = -η \frac{g}{\sqrt{s} + ε}, \quad s = s_{0} + (1 - ρ) (g^{2} - s_{0})",
    "update/rmsprop_momentum": (
        r"Δw = -η v, \quad v = μ v_{0} + \frac{g}{\sqrt{s} + ε}, \quad s = s_{0} + (1 - ρ) (g^{2} - s_{0})"
    ),
}
# Where the code's derivative is a short cut of the textbook's.
SLOPES = {
    "relu": r"\cases{1 & z > 0 \\ 0 & \text{otherwise}}",
    "leaky_relu": r"\cases{1 & z > 0 \\ SLOPE & \text{otherwise}}",
}

_TOKEN = re.compile(r"\\text\{[^}]*\}|\\[a-z]+|\\\\|[^\W\d_]+|\d+(?:\.\d+)?|\S")
_NAMED = {r"\sum": "∑", r"\dots": "…", r"\ne": "≠", "-": "−", "<": "&lt;", ">": "&gt;"}


def mathml(formula: str) -> str:
    """Return a formula as an element ``math``.

    Parameters
    ----------
    formula : str
        In a part of TeX, each argument, subscript and exponent in braces: see ``FORMULAS``.

    Examples
    --------
    >>> mathml(r"\\frac{1}{n}")
    '<math><mrow><mfrac><mrow><mn>1</mn></mrow><mrow><mi>n</mi></mrow></mfrac></mrow></math>'
    """
    return f"<math>{_row(_TOKEN.findall(formula))}</math>"


def _row(tokens: list[str]) -> str:
    """Return all tokens up to the end, or to the brace that closes, as a row."""
    found: list[str] = []
    while tokens and tokens[0] not in ("}", "&", r"\\"):
        token = tokens.pop(0)
        base, raised = _one(token, tokens), {"_": "", "^": ""}
        while tokens and tokens[0] in "_^":
            place = tokens.pop(0)
            raised[place] = _braced(tokens)
        below, above = raised.values()
        if token in (r"\sum", r"\max") and below:
            base = f"<munder>{base}{below}</munder>"
        elif below and above:
            base = f"<msubsup>{base}{below}{above}</msubsup>"
        elif below or above:
            element = "msub" if below else "msup"
            base = f"<{element}>{base}{below or above}</{element}>"
        found.append(base)
    return f"<mrow>{''.join(found)}</mrow>"


def _one(token: str, tokens: list[str]) -> str:
    if token == r"\frac":
        return f"<mfrac>{_braced(tokens)}{_braced(tokens)}</mfrac>"
    if token == r"\sqrt":
        return f"<msqrt>{_braced(tokens)}</msqrt>"
    if token == r"\hat":
        return f"<mover>{_braced(tokens)}<mo>^</mo></mover>"
    if token.startswith(r"\text"):
        return f"<mtext>{escape(token[6:-1]).replace(' ', chr(160))}</mtext>"
    if token == r"\quad":
        return '<mspace width="1em"></mspace>'
    if token == r"\cases":
        return _cases(tokens)
    if token in _NAMED:
        return f"<mo>{_NAMED[token]}</mo>"
    if token[0] == "\\":
        return f"<mi>{token[1:]}</mi>"
    element = "mn" if token[0].isdigit() else "mi" if token[0].isalpha() else "mo"
    return f"<{element}>{token}</{element}>"


def _braced(tokens: list[str]) -> str:
    assert tokens.pop(0) == "{", "an argument is in braces"
    row = _row(tokens)
    tokens.pop(0)
    return row


def _cases(tokens: list[str]) -> str:
    """Return lines of a value and its condition."""
    tokens.pop(0)
    lines = []
    while True:
        value = _row(tokens)
        tokens.pop(0)
        condition = _row(tokens)
        is_words = condition.startswith("<mrow><mtext>")
        when = condition if is_words else f"<mrow><mtext>if&#160;</mtext>{condition}</mrow>"
        lines.append(f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>")
        if tokens.pop(0) == "}":
            return f"<mrow><mo>{{</mo><mtable>{''.join(lines)}</mtable></mrow>"


def mathematics_of(steps: Steps, losses: Iterable[str], optimizer: str) -> dict[str, dict[str, str]]:
    """Return what a page needs to derive numbers: its formulas, and its activations' derivatives.

    Parameters
    ----------
    steps : Steps
        The network.
    losses : iterable of str
        The names of its losses.
    optimizer : str
        "" of a prediction.

    Returns
    -------
    dict
        ``formulas``: MathML by the rule's name; ``f/NAME`` and ``df/NAME`` are expressions alone, in which z and a
        stand for numbers. ``slopes``: derivatives in JavaScript by what the page calls the activation.
    """
    named = {"loss": (*losses, "sigmoid"), "loss_gradient": tuple(losses)}
    named["update"] = ("new", optimizer.removesuffix("w")) if optimizer else ()  # adamw's is adam's
    formulas: dict[str, str] = {}
    slopes: dict[str, str] = {}
    for key, text in FORMULAS.items():
        part, _, name = key.partition("/")
        if part not in named or name.startswith(named[part]):
            formulas[key] = mathml(text)
    for name, (function, slope) in _functions(steps).items():
        formulas[f"f/{name}"] = mathml_of(function)
        formulas[f"activation/{name}"] = f"<math><mi>a</mi><mo>=</mo>{formulas[f'f/{name}']}</math>"
        if slope is not None:
            slopes[name] = javascript_of(slope)
            formulas[f"df/{name}"] = factor = _slope(name, slope)
            if "<mtable>" not in factor:  # cases have a brace of their own
                factor = f"<mrow><mo>(</mo>{factor}<mo>)</mo></mrow>"
            product = f"<mi>da</mi><mo>⋅</mo>{factor}"
            formulas[f"derivative/{name}"] = f"<math><mi>dz</mi><mo>=</mo>{product}</math>"
    return {"formulas": formulas, "slopes": slopes}


def _functions(steps: Steps) -> dict[str, tuple[Node, Node | None]]:
    """Return what the page calls each activation, its function, and its derivative where that is known."""
    found: dict[str, tuple[Node, Node | None]] = {}
    for step in steps.steps:
        if isinstance(step.what, str):
            continue
        try:
            what = describe(step.what)
        except OptionError:  # a layer of one's own
            continue
        if what.expression is not None:
            name, options = what.known_as
            slope = slope_of(name, options) if name else None
            found[what.activation] = what.expression, slope
    return found


def _slope(name: str, slope: Node) -> str:
    kind = next((kind for kind in SLOPES if name == kind or name.startswith(f"{kind}_slope_")), None)
    if kind is None:
        return mathml_of(slope)
    below = next((part for part in slope.inputs if isinstance(part, float)), 0.0)
    return mathml(SLOPES[kind].replace("SLOPE", f"{below:g}")).removeprefix("<math>").removesuffix("</math>")

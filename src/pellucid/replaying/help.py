"""What is said of every element of a replay when a reader asks "what is this?"."""

from collections.abc import Mapping
from typing import Any

ELEMENTS = {  # of the page
    "network": (
        "The network",
        "Each box is a step of the network, each arrow a value that goes on to the next step. The small "
        "picture shows what the step gives, or in the backward pass the gradient of the loss with respect to it. "
        "Select a box to go there. A red mark stands where something is odd.",
    ),
    "scrubber": (
        "The scrubber",
        "It walks through the computation in its order: forward through the layers, the loss, backward "
        "from the last layer to the first, and the update of the parameters. Arrow keys move by one "
        "stop; the middle button plays.",
    ),
    "modes": (
        "Two modes",
        "As in a textbook: formulas, pictures and sentences. Numbers only: pictures become tables, and formulas "
        "and sentences go; small arrays keep their cells.",
    ),
    "input": (
        "The input",
        "The sample, and the numbers that the first layer takes: pixels divided by 255, or columns of a row.",
    ),
    "photo": ("The photo", "The sample's pixels in their own colours, at the size that the network sees."),
    "layer": (
        "A layer",
        "A step of the network. It takes the numbers of the steps before it, and gives others.",
    ),
    "unit": (
        "A unit",
        "One output of a Dense layer. Each input is multiplied by its weight; the products are summed, "
        "the bias is added, and the activation function gives the output.",
    ),
    "kernel": (
        "A filter",
        "One output channel of a convolution. Its kernel slides over the input; at each pixel the window "
        "under it is multiplied number by number and summed. The same weights are used at every pixel.",
    ),
    "window": (
        "The window",
        "The part of the input that the filter sees at this pixel. Numbers in the padding are 0.",
    ),
    "products": ("The products", "Each input times its weight. Their sum, and the bias, is z."),
    "curve": (
        "The activation function",
        "It turns each z into an output a. The dots are this layer's values; the slope at one of them is "
        "what the backward pass multiplies by.",
    ),
    "derivation": (
        "The derivation",
        "How this number comes about: the general formula, then with the numbers put in. Each number is "
        "a button that leads to its own derivation. The sum is computed here in 64 bits and compared "
        "with the stored number.",
    ),
    "difference": (
        "The central difference",
        "A check of the gradient that needs no calculus: the loss is computed twice, with the number a "
        "little larger and a little smaller. The difference divided by the distance should be near the "
        "gradient.",
    ),
    "remark": (
        "What is odd",
        "Something in this step that often means that a training goes wrong, and what may help.",
    ),
    "left_out": (
        "What to know",
        "What is not exact in this page, or left out because it is too large, and how to ask for it.",
    ),
    "verdict": (
        "The verdict",
        "What the outputs say of the sample. Where Dropout or batch norm make a training step other than a "
        "prediction, the prediction's verdict stands after it. Without a label there is no loss and no "
        "backward pass.",
    ),
    "loss": (
        "The loss",
        "One number that says how far the outputs are from the targets: training makes it smaller. Its "
        "gradient with respect to the outputs is where the backward pass begins. dZ is short for ∂L/∂Z, the "
        "partial derivatives of the loss L with respect to Z; so are dW, dA and the others. The loss of a step is "
        "the mean over the batch.",
    ),
}
ARRAYS = {
    "X": (
        "X, the input",
        "What the layer takes: the outputs of the step before it. Blue is below 0, orange above; NaN is "
        "magenta.",
    ),
    "W": (
        "W, the weights",
        "What the layer has learned: each input is multiplied by the weights that lead from it.",
    ),
    "b": (
        "b, the biases",
        "One number for each unit or filter, added to its sum. Without it every unit would give 0 for an "
        "input of zeros.",
    ),
    "gamma": ("γ, the scales", "Learned numbers by which normalized values are multiplied, one a channel."),
    "beta": ("β, the shifts", "Learned numbers that are added to normalized values, one a channel."),
    "running": (
        "Running statistics",
        "Means and variances of earlier mini-batches, averaged; they take the place of the batch's own "
        "when the network predicts.",
    ),
    "mean": ("Means", "Of the numbers that are normalized together."),
    "var": (
        "Variances",
        "Of the numbers that are normalized together; their square root is the standard deviation.",
    ),
    "mask": (
        "The mask",
        "Which numbers dropout keeps in this step: those with 0 are dropped, the others are scaled up.",
    ),
    "Z": ("Z, before the activation function", "The sum of inputs times weights, and the bias."),
    "A": ("A, the output", "What the layer gives to the next: the activation function of Z."),
    "dA": (
        "dA, the gradient with respect to the output",
        "How much the loss changes with each output: ∂L/∂A, the derivative of the loss with respect to A. It "
        "comes from the layers after this one.",
    ),
    "dZ": (
        "dZ, the gradient with respect to Z",
        "∂L/∂Z: dA times the slope of the activation function: the chain rule.",
    ),
    "dX": (
        "dX, the gradient with respect to the input",
        "∂L/∂X: what is passed back to the step before: the chain rule through the weights.",
    ),
    "dW": (
        "dW, the gradient with respect to the weights",
        "∂L/∂W: how much the loss changes with each weight, summed over the samples. Training moves against it.",
    ),
    "d": (
        "A gradient",
        "The derivative of the loss with respect to these numbers: how much it changes with each.",
    ),
    "own": (
        "A share of a gradient",
        "What one use of a layer in several places adds to the gradient of its parameters.",
    ),
    "update": (
        "The update",
        "What the optimizer adds to the parameters; plain gradient descent: minus the learning rate "
        "times the gradient.",
    ),
    "memory": (
        "The optimizer's memory",
        "What the optimizer keeps from step to step, such as momentum, or means of gradients and of "
        "their squares.",
    ),
    "P": (
        "P, the probabilities",
        "What the outputs stand for: by the sigmoid or softmax they become numbers from 0 to 1.",
    ),
    "Y": ("Y, the targets", "What the outputs are compared with: the labels as numbers."),
    "array": ("An array", "Numbers of this step. Blue is below 0, orange above; NaN is magenta."),
}
KINDS = {
    "Activation": (
        "Activation",
        "A function of each single number, such as relu: without it layers in a row would be no more than "
        "one.",
    ),
    "Affine": ("Affine", "Each channel is multiplied by a learned number, and another is added."),
    "AvgPool2D": ("Average pooling", "The mean of each window: a smaller image."),
    "BatchNorm": (
        "Batch normalization",
        "Each channel is shifted and scaled to mean 0 and variance 1 over the mini-batch, then by "
        "learned γ and β.",
    ),
    "Conv2D": (
        "Convolution",
        "Small kernels slide over the image: each output pixel is a weighted sum of the window under it, "
        "with the same weights everywhere.",
    ),
    "Dense": (
        "Dense layer",
        "Every unit is a weighted sum of all inputs, and a bias: Z = X W + b; then the activation function.",
    ),
    "Dropout": (
        "Dropout",
        "While training, some numbers are set to 0 at random and the others scaled up, so that no unit "
        "can rely on a single other one.",
    ),
    "Flatten": ("Flatten", "The numbers of an image in one row. Nothing is computed."),
    "GlobalAvgPool2D": (
        "Global average pooling",
        "The mean of each channel over the whole image: one number a channel.",
    ),
    "LayerNorm": (
        "Layer normalization",
        "The numbers of each sample are shifted and scaled to mean 0 and variance 1, then by learned γ "
        "and β.",
    ),
    "MaxPool2D": (
        "Max pooling",
        "The largest number of each window: a smaller image. Only that number gets a gradient.",
    ),
    "ReflectPad2D": ("Reflection padding", "The image is continued by its mirror image at its edges."),
    "Resize2D": ("Resizing", "The image is resampled to another size by bilinear interpolation."),
    "UpSample2D": ("Upsampling", "Each pixel is repeated."),
    "ZeroPad2D": ("Zero padding", "Zeros are added around the image."),
    "add": (
        "Sum",
        "The values of several steps are added number by number. The gradient goes to each of them as it is.",
    ),
    "concat": (
        "Concatenation",
        "The values of several steps are put next to each other. Each gets its part of the gradient.",
    ),
    "mean": (
        "Mean",
        "The values of several steps are averaged number by number. Each gets its share of the gradient.",
    ),
    "multiply": (
        "Product",
        "The values of several steps are multiplied number by number. The gradient of each is "
        "multiplied by the others.",
    ),
}

WORDS = {  # that stand in the page itself: captions of arrays, and sentences
    "X": "its input",
    "W": "weights",
    "b": "biases",
    "gamma": "scales",
    "beta": "shifts",
    "Z": "before the activation function",
    "A": "its output",
    "mask": "what dropout keeps",
    "mean": "means",
    "var": "variances",
    "running_mean": "running means",
    "running_var": "running variances",
    "dA": "gradient for its output",
    "dZ": "gradient for Z",
    "dX": "gradient for its input, passed back",
    "P": "probabilities",
    "Y": "targets",
    "loss Z": "the network's outputs",
    "loss dZ": "gradient of the loss for the outputs",
    "update": "what is added to NAME",
    "new": "after the update",
    "memory": "what the optimizer remembers of earlier steps",
    "own": "this use's share of the gradient",
    "array": "an array of this layer",
    "forward": "What NAME computes of its input. Select any number to see how it comes about.",
    "backward": (
        "The gradient of the loss for the output of NAME comes in; the gradient for what it was computed from "
        "comes out."
    ),
    "updates": "The optimizer, NAME, adds these numbers to the parameters.",
    "own layer": "A layer of one's own: the page shows its values, and has no formula for them.",
    "further use": "It uses the parameters of NAME: their gradient is the sum of the shares of all uses.",
    "prediction": "No label was given: there is a prediction alone, without a loss and a backward pass.",
    "select": "Select a number, a pixel or a weight: here stands how it comes about, number by number.",
    "given loss": "A given number: the target, or what the loss was told.",
    "given X": "A given number: the network's input.",
    "given mask": "A given number: drawn at random for this step.",
    "given": "A given number: what the network had learned before this step.",
    "no rule": "This page has the value, and no rule for how it came about.",
}


def help_texts() -> Mapping[str, dict[str, Any]]:
    """Return title and text of each element, array and kind of layer, and ``words``, as the page's header has them.

    Examples
    --------
    >>> help_texts()["Flatten"]["text"]
    'The numbers of an image in one row. Nothing is computed.'
    """
    texts = ELEMENTS | ARRAYS | KINDS
    return {"words": WORDS, **{key: {"title": title, "text": text} for key, (title, text) in texts.items()}}

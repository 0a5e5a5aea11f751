"""What computes a loss with its gradient."""

from pellucid.dispatch import twins
from pellucid.kernels.uncompiled import losses
from pellucid.ops.losses import base

loss_and_gradient = twins(base.loss_and_gradient, losses.loss_and_gradient, kernel="losses")

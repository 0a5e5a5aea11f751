"""What pooling runs."""

from pellucid.dispatch import twins
from pellucid.kernels.uncompiled import pool as fast
from pellucid.ops import pool

max_pool_forward = twins(pool.max_pool_forward, fast.max_pool_forward, kernel="pool", extra=("workspace",))
max_pool_backward = twins(pool.max_pool_backward, fast.max_pool_backward, kernel="pool", extra=("workspace",))
average_pool_forward = twins(pool.average_pool_forward, fast.average_pool_forward, kernel="pool")
average_pool_backward = twins(
    pool.average_pool_backward, fast.average_pool_backward, kernel="pool", extra=("workspace",)
)

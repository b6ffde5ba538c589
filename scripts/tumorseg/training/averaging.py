"""A moving average of a network's weights over the steps of its training."""

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tumorseg.network.protocol import Network

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(network: Network, decay: float) -> AveragedModel:
    """The exponential moving average of weights and statistics, of which each step leaves the share `decay`.

    Early steps leave less, (1 + n) / (10 + n) after n of them, so that the weights that were drawn at first are soon
    forgotten (as in TensorFlow's ExponentialMovingAverage).
    """

    def follow(averages: Tensors, weights: Tensors, steps: Tensor | int) -> None:
        done = int(steps)
        get_ema_multi_avg_fn(min(decay, (1 + done) / (10 + done)))(averages, weights, steps)  # type: ignore[no-untyped-call]

    return AveragedModel(network, multi_avg_fn=follow, use_buffers=True)

"""What a training lowers: the loss of a network's answer, in one module."""

from collections.abc import Sequence

from torch import Tensor, nn

from tumorseg.network.execution import Execution
from tumorseg.network.protocol import Network
from tumorseg.training.loss import supervised_loss
from tumorseg.training.parallel import summed


class Objective(nn.Module):
    """The loss of images (B, channels, X, Y, Z) and masks (B, X, Y, Z), a float32 scalar.

    labels: those whose Dice takes part. It is that of the batches of all processes together.
    """

    def __init__(self, network: Network, execution: Execution, labels: Sequence[int]) -> None:
        super().__init__()
        self.network, self.execution, self.labels = network, execution, labels

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """The loss, in the precision of the execution as far as the network goes."""
        with self.execution.autocast():
            levels = self.network.levels(images)
        return supervised_loss(levels, masks, self.labels, summed)

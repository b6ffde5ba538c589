"""Batch norm over the batches of all processes that train together."""

from typing import TypeVar

import torch
from torch import Tensor, nn

from tumorseg.training.parallel import count as processes
from tumorseg.training.parallel import summed

Network = TypeVar("Network", bound=nn.Module)


def synchronised(network: Network, device: torch.device) -> Network:
    """The network on `device`, with batch norm over all processes: torch's own on GPUs, where alone that runs."""
    network.to(device)
    if processes() == 1:
        return network
    if device.type == "cuda":
        converted: Network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return converted
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm3d):
                norm = SynchronisedBatchNorm(child.num_features)
                norm.load_state_dict(child.state_dict())
                setattr(parent, name, norm)
    return network


class SynchronisedBatchNorm(nn.BatchNorm3d):
    """On CPUs what `torch.nn.SyncBatchNorm` is on GPUs, with the weights and running statistics of plain batch norm."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """(B, C, X, Y, Z) to the same shape."""
        if not self.training:
            normed: Tensor = super().forward(input)
            return normed
        over = (0, 2, 3, 4)
        values = input.float()
        count = values.numel() / values.shape[1] * processes()
        mean = summed(values.sum(over)) / count
        centred = values - mean.view(1, -1, 1, 1, 1)
        variance = summed(centred.square().sum(over)) / count
        with torch.no_grad():
            for statistic, now in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
                statistic.lerp_(now, self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps)
        scaled: Tensor = centred * scale.view(1, -1, 1, 1, 1) + self.bias.view(1, -1, 1, 1, 1)
        return scaled.to(input.dtype)

"""A network for prediction only: the same function in fewer steps."""

from copy import deepcopy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tumorseg.network.protocol import Network


def folded(network: Network) -> Network:
    """A copy in evaluation mode whose batch norms are part of the convolutions before them, see `Network`.

    Its logits differ by rounding only. Instance norm depends on the image, so that it stays.
    """
    copy = deepcopy(network).eval()
    for block in [module for module in copy.modules() if isinstance(module, nn.Sequential)]:
        for index, (convolution, norm) in enumerate(pairwise(list(block))):
            if isinstance(convolution, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d | nn.SyncBatchNorm):
                block[index] = fuse_conv_bn_eval(convolution, norm)
                block[index + 1] = nn.Identity()
    return copy

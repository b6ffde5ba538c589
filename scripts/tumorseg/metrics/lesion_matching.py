"""Match each lesion of a reference with at most one connected component of a prediction."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array, csgraph

from tumorseg.metrics.components import connected_components

_PAIR_BONUS: Final = 1e-6
_MAX_CELLS: Final = 25_000_000
"""Cells of the largest table of lesions and components that is solved at once: 200 MB."""


@dataclass(frozen=True, eq=False)
class LesionMatching:
    """The lesions of a reference, the components of a prediction, and the pairs of both.

    Lesions and components are numbered from 1 in the order of their first voxels.

    Attributes:
        lesion_of: number of the lesion at each voxel, 0 outside, unsigned integers (X, Y, Z).
        component_of: number of the component at each voxel, 0 outside, of the same shape.
        lesion_voxels: voxels of each lesion, int64 (lesions,).
        component_voxels: voxels of each component, int64 (components,).
        pairs: number of the lesion and of the component of each pair, int64 (pairs, 2), ascending by lesion.
        dice: Dice of each pair, float64 (pairs,).
    """

    lesion_of: NDArray[np.unsignedinteger]
    component_of: NDArray[np.unsignedinteger]
    lesion_voxels: NDArray[np.int64]
    component_voxels: NDArray[np.int64]
    pairs: NDArray[np.int64]
    dice: NDArray[np.float64]

    @property
    def missed(self) -> int:
        """Number of lesions without a component."""
        return len(self.lesion_voxels) - len(self.pairs)

    @property
    def false(self) -> int:
        """Number of components without a lesion."""
        return len(self.component_voxels) - len(self.pairs)


def match_lesions(reference: NDArray[np.bool_], prediction: NDArray[np.bool_], *, min_dice: float) -> LesionMatching:
    """Return the matching of lesions and components that has the largest sum of Dice (maximum bipartite matching).

    Lesions and components are 26-connected. Each pair counts its Dice plus 1e-6: of two matchings with nearly the same
    sum, the one with more pairs is better. If several matchings are best, SciPy's solver decides. Its choice depends on
    the numbers of lesions and components.

    Args:
        reference: mask, bool (X, Y, Z).
        prediction: mask, bool, of the same shape.
        min_dice: smallest Dice of a pair, above 0.

    Returns:
        The matching; empty arrays where a mask is empty.

    References:
        Kuhn 1955, doi:10.1002/nav.3800020109 (assignment problem).

    Example:
        >>> mask = np.zeros((5, 5, 5), bool)
        >>> mask[1:3, 1:3, 1:3] = True
        >>> match_lesions(mask, mask, min_dice=0.1).pairs.tolist()
        [[1, 1]]
    """
    (lesion_of, lesions), (component_of, components) = map(connected_components, (reference, prediction))
    # Flat indices of the few voxels inside: several times faster than counting in the whole arrays.
    inside = np.flatnonzero(reference)
    lesion_inside, component_inside = lesion_of.ravel()[inside], component_of.ravel()[inside]
    lesion_voxels = np.bincount(lesion_inside, minlength=lesions + 1)[1:]
    component_voxels = np.bincount(component_of.ravel()[np.flatnonzero(prediction)], minlength=components + 1)[1:]
    shared = component_inside != 0
    candidates, dice = _overlapping_pairs(
        lesion_inside[shared], component_inside[shared], lesion_voxels, component_voxels
    )
    candidates, dice = candidates[dice >= min_dice], dice[dice >= min_dice]
    chosen = _best_pairs(candidates, dice, (lesions, components))
    return LesionMatching(
        lesion_of, component_of, lesion_voxels, component_voxels, candidates[chosen] + 1, dice[chosen]
    )


def _overlapping_pairs(
    lesion_of: NDArray[np.unsignedinteger],
    component_of: NDArray[np.unsignedinteger],
    lesion_voxels: NDArray[np.int64],
    component_voxels: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the indices of each lesion and component that share voxels, ascending, and their Dice.

    lesion_of, component_of: numbers of the lesion and of the component at each shared voxel, (n,).
    """
    columns = max(1, len(component_voxels))
    cells = (lesion_of.astype(np.int64) - 1) * columns + component_of.astype(np.int64) - 1
    cells, shared_voxels = np.unique(cells, return_counts=True)
    lesions, components = np.divmod(cells, columns)
    dice = 2 * shared_voxels / (lesion_voxels[lesions] + component_voxels[components])
    return np.stack([lesions, components], axis=1), dice


def _best_pairs(candidates: NDArray[np.int64], dice: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.intp]:
    """Return the indices of the candidates that are pairs of the best matching, ascending.

    Args:
        candidates: indices of lesion and component, int64 (n, 2).
        dice: Dice of each candidate, float64 (n,).
        shape: numbers of lesions and components.
    """
    if not len(candidates):
        return np.empty(0, np.intp)
    lesions, components = shape
    if lesions * components <= _MAX_CELLS:
        return _solve(candidates, dice, shape)
    # Too large for one table, as for masks of noise: solve each group of lesions and components that touch by itself.
    nodes = (candidates[:, 0], candidates[:, 1] + lesions)
    graph = coo_array((np.ones(len(candidates)), nodes), shape=(lesions + components, lesions + components))
    group_of = csgraph.connected_components(graph, directed=False)[1][candidates[:, 0]]
    order = np.argsort(group_of, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1)
    return np.sort(np.concatenate([_solve_group(candidates, dice, group) for group in groups]))


def _solve_group(candidates: NDArray[np.int64], dice: NDArray[np.float64], group: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the indices of the pairs of the best matching of some candidates."""
    lesions, components = (np.unique(indices, return_inverse=True)[1] for indices in candidates[group].T)
    shape = (int(lesions.max()) + 1, int(components.max()) + 1)
    return group[_solve(np.stack([lesions, components], axis=1), dice[group], shape)]


def _solve(candidates: NDArray[np.int64], dice: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.intp]:
    """Return the indices of the pairs of the best matching, from one table of all lesions and components."""
    lesions, components = candidates.T
    costs = np.full(shape, 1 + _PAIR_BONUS)
    costs[lesions, components] = 1 - dice
    component_of_lesion = np.full(shape[0], -1)
    rows, columns = linear_sum_assignment(costs)
    component_of_lesion[rows] = columns
    return np.flatnonzero(component_of_lesion[lesions] == components)

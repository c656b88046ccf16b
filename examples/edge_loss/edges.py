from torch import Tensor


def edges(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of the slopes of `a` and `b`, both [B, C, F, H, W], along height and width; [B]."""
    return difference(a, b, 3) + difference(a, b, 4)


def difference(a: Tensor, b: Tensor, axis: int) -> Tensor:
    return (a.diff(dim=axis) - b.diff(dim=axis)).abs().mean((1, 2, 3, 4))

"""What a check says: one line of JSON for each thing that it looked at, with the reasons why it is wrong."""
import json
import traceback


def check(name, function, *arguments):
    """`function` returns the reasons, none if all is well; an error that it raises is one."""
    try:
        reasons = list(function(*arguments) or [])
    except Exception:
        reasons = [traceback.format_exc()]
    print(json.dumps({"name": name, "reasons": reasons}), flush=True)


def difference(actual, expected, atol=0.0, rtol=0.0):
    """In words where two tensors differ by more than `atol + rtol * |expected|`; None where they do not."""
    import torch

    actual, expected = torch.as_tensor(actual).double(), torch.as_tensor(expected).double()
    if actual.shape != expected.shape:
        return f"has the shape {tuple(actual.shape)} instead of {tuple(expected.shape)}"
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    wrong = ~same & ~((actual - expected).abs() <= atol + rtol * expected.abs())
    if not wrong.any():
        return None
    place = tuple(wrong.nonzero()[0].tolist())
    found, wanted = actual[place].item(), expected[place].item()
    return f"{int(wrong.sum())} of {wrong.numel()} numbers differ, at {place}: {found} instead of {wanted}"

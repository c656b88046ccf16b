"""Asks the factors of references of compiled modules for what the official strategies say of sizes. Argument: a JSON file of replay.ts."""
import json
import sys

import torch

from library import load
from report import check

FACTORS = {"_infer_reference_downscale_factor": 0, "_infer_scale_factor": 0, "_infer_temporal_scale_factor": 1}


def latents(plane, frames):
    return torch.zeros(1, 1, frames, *plane)


def compared(item, reference_factors):
    sizes, which = item["config"], FACTORS[item["what"].split(".")[1]]
    reference = latents(sizes.get("ref", [1, 1]), sizes.get("ref_frames", 1))
    target = latents(sizes.get("target", [1, 1]), sizes.get("target_frames", 1))
    try:
        found = reference_factors(reference, target)[which]
    except ValueError as error:
        if not item["isRefused"]:
            yield f"is refused: {error}"
        return
    if item["isRefused"]:
        yield f"should be refused, and gives {found}"
    elif found != item["returns"]:
        yield f"gives {found} instead of {item['returns']}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        items = json.load(file)
    reference_factors = load("helpers", "sequence")["reference_factors"]
    for item in items:
        check(item["name"], compared, item, reference_factors)


main()

"""Compares the draws of compiled Python with those of `ltxc run`, to the last bit. Argument: the JSON file that draws.ts wrote."""
import json
import sys

import torch

import packages
from library import load
from report import check, difference

packages.use()
library = load()
Place, Draws = library["Place"], library["Draws"]


class UniformTimestepSampler:
    def __init__(self, params):
        self.min_value, self.max_value = params["min_value"], params["max_value"]


class ShiftedLogitNormalTimestepSampler:
    def __init__(self, params):
        self.std, self.eps, self.uniform_prob = params["std"], params["eps"], params["uniform_prob"]


SAMPLERS = {"uniform": UniformTimestepSampler, "shifted_logit_normal": ShiftedLogitNormalTimestepSampler}


def exactly(actual, expected):
    found = difference(actual, torch.tensor(expected, dtype=torch.float64).float())
    return [found] if found else []


def numbers(entry):
    place = Place(entry["seed"], entry["step"], entry["microBatch"], 1)
    count, name = len(entry["normal"]), entry["name"]
    draws = Draws(place, None, "cpu")
    yield from exactly(draws.randn(name, (count,)), entry["normal"])
    yield from exactly(draws.rand(name, (count,)), entry["uniform"])
    for probability, expected in entry["chances"]:
        if draws.chance(name, probability) is not expected:
            yield f"chance of {probability} is not {expected}"


def levels(entry):
    sampler = SAMPLERS[entry["mode"]](entry["params"])
    draws = Draws(Place(entry["seed"], entry["step"], entry["microBatch"], 1), sampler, "cpu")
    yield from exactly(draws.sampled(entry["name"], (len(entry["levels"]),), entry["tokens"]), entry["levels"])


def order(entry):
    found = library["permutation"](entry["seed"], entry["epoch"], len(entry["order"]))
    return [] if found == entry["order"] else [f"the order is {found[:8]}... instead of {entry['order'][:8]}..."]


def bfloat16(entry):
    """Rounded as a tensor of that type is."""
    draws = Draws(Place(entry["seed"], entry["step"], entry["microBatch"], 1), None, "cpu")
    expected = torch.tensor(entry["normal"], dtype=torch.float64).float().bfloat16().float()
    return exactly(draws.randn(entry["name"], (len(expected),), torch.bfloat16), expected.tolist())


def refuses(sampler, place, message):
    try:
        Draws(place, sampler, "cpu").sampled("video.sigma", (2,), 10)
    except RuntimeError as error:
        return [] if message in str(error) else [f"says {error}"]
    return ["is not refused"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    for entry in given["numbers"]:
        check(f"draws {entry['name']} of seed {entry['seed']}", numbers, entry)
    for entry in given["levels"]:
        check(f"levels {entry['mode']} {entry['params']} of {entry['tokens']} tokens", levels, entry)
    for entry in given["orders"]:
        check(f"order of epoch {entry['epoch']} of seed {entry['seed']}", order, entry)
    check("noise rounded to bfloat16", bfloat16, given["numbers"][0])
    check("an unknown sampler is refused", refuses, object(), Place(1, 0, 0, 1), "does not know the sampler object")
    check("draws without a step are refused", refuses, None, None, "run this file itself")


main()

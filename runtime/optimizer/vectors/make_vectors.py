"""Writes vectors.json: what Lion and Prodigy make of given gradients, computed in float64 from the papers' formulas by NumPy.

Run it with any Python that has NumPy: python make_vectors.py
"""

import json
from math import inf, sqrt
from pathlib import Path

import numpy as np

STEPS = 8
SHAPES = [(2, 3), (4,)]


def lion(starts, gradients, rates, beta1, beta2, decay):
    """Chen et al. 2023, Algorithm 2: the parameters after each step."""
    p, m = [x.copy() for x in starts], [np.zeros_like(x) for x in starts]
    after = []
    for given, rate in zip(gradients, rates):
        for i, g in enumerate(given):
            c = beta1 * m[i] + (1 - beta1) * g
            p[i] = p[i] - rate * (np.sign(c) + decay * p[i])
            m[i] = beta2 * m[i] + (1 - beta2) * g
        after.append([x.copy() for x in p])
    return after


def prodigy(starts, gradients, rates, beta1, beta2, decay, d0, d_coef, growth_rate, epsilon, safeguard_warmup):
    """Mishchenko and Defazio 2023, Algorithm 4: the parameters after each step, and the estimate d that the next one takes."""
    p, start = [x.copy() for x in starts], [x.copy() for x in starts]
    m, v, s = ([np.zeros_like(x) for x in starts] for _ in range(3))
    root = sqrt(beta2)
    r, d, largest = 0.0, d0, d0
    after, estimates = [], []
    for given, rate in zip(gradients, rates):
        r = root * r + (1 - root) * rate * d * d * sum(np.sum(g * (x0 - x)) for g, x0, x in zip(given, start, p))
        for i, g in enumerate(given):
            m[i] = beta1 * m[i] + (1 - beta1) * d * g
            v[i] = beta2 * v[i] + (1 - beta2) * d * d * g * g
            s[i] = root * s[i] + (1 - root) * (1 if safeguard_warmup else rate) * d * d * g
            p[i] = p[i] * (1 - rate * d * decay) - rate * d * m[i] / (np.sqrt(v[i]) + d * epsilon)
        found = d_coef * r / sum(np.sum(np.abs(x)) for x in s)
        largest = max(largest, found)
        grown = (max(d, found) if d == d0 else d) * growth_rate
        d = min(largest, grown)
        after.append([x.copy() for x in p])
        estimates.append(d)
    return after, estimates


def main():
    random = np.random.default_rng(7)
    draw = lambda: [random.standard_normal(shape).astype(np.float32).astype(np.float64) for shape in SHAPES]
    starts, slopes = draw(), draw()
    # Prodigy's first steps are of size d0: parameters near 0 move by more than float32 rounds them.
    small = [(1e-6 * x).astype(np.float32).astype(np.float64) for x in starts]
    # Gradients that mostly point the same way, so that Prodigy's estimate grows.
    gradients = [[s + 0.3 * n for s, n in zip(slopes, draw())] for _ in range(STEPS)]
    gradients = [[x.astype(np.float32).astype(np.float64) for x in step] for step in gradients]
    rates = [0.25 * min(step + 1, 4) for step in range(STEPS)]
    flat = lambda xs: [x.ravel().tolist() for x in xs]
    cases = []
    for decay in (0.0, 0.1):
        params = {"beta1": 0.9, "beta2": 0.99}
        few = [0.01 * rate for rate in rates]
        after = lion(starts, gradients, few, decay=decay, **params)
        case = {"optimizer": "lion", "params": params, "decay": decay, "rates": few, "starts": flat(starts)}
        cases.append({**case, "after": [flat(x) for x in after]})
    for changed in ({}, {"growth_rate": 1.5}, {"safeguard_warmup": True}, {"d0": 1e-3, "d_coef": 0.5, "decay": 0.9}):
        params = {"d0": 1e-6, "d_coef": 1, "growth_rate": None, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "safeguard_warmup": False}
        decay = changed.pop("decay", 0.0)
        params |= changed
        after, estimates = prodigy(small, gradients, rates, decay=decay, **{**params, "growth_rate": params["growth_rate"] or inf})
        case = {"optimizer": "prodigy", "params": params, "decay": decay, "rates": rates, "starts": flat(small)}
        cases.append({**case, "estimates": estimates, "after": [flat(x) for x in after]})
    shown = {"shapes": SHAPES, "gradients": [flat(x) for x in gradients], "cases": cases}
    Path(__file__).with_name("vectors.json").write_text(json.dumps(shown) + "\n")


main()

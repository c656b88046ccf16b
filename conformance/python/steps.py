"""Takes the steps that steps.ts recorded, with the same strategies in Python. Argument: the JSON file that it wrote."""
import json
import sys
from types import SimpleNamespace

import torch

import compiled_module
from report import check, difference

FIELDS = ("latent", "sigma", "timesteps", "context", "context_mask", "attention_mask", "keyframes_mask", "positions")
DTYPES = {"float32": torch.float32, "int32": torch.int64, "bool": torch.bool}
# Sums are added in another order than in the CPU engine; positions and what is only drawn or rounded are equal.
TOLERANCE = {"atol": 1e-6, "rtol": 1e-5}


def tensor(plain):
    return torch.tensor(plain["data"], dtype=torch.float64).to(DTYPES[plain["dtype"]]).reshape(plain["shape"])


def entry(source):
    """A source as the official data set gives it, with latents in bfloat16."""
    if "latents" in source:
        fps = {"fps": torch.tensor(source["fps"], dtype=torch.float64)} if "fps" in source else {}
        return {"latents": tensor(source["latents"]).bfloat16(), **fps}
    if "video" in source:
        audio = None if source["audio"] is None else tensor(source["audio"])
        texts = {"video_prompt_embeds": tensor(source["video"]), "audio_prompt_embeds": audio}
        return {**texts, "prompt_attention_mask": tensor(source["mask"])}
    return {"mask": tensor(source["mask"])} if "mask" in source else {"features": tensor(source["value"])}


class Recorded(dict):
    """Heads whose results are on record."""

    def __missing__(self, name):
        return lambda _: self.outputs[name]


class Passes:
    """In place of the model where a strategy calls it itself: predicts what is on record, and keeps what it is given."""

    def __init__(self, strategy, predicted):
        self.strategy, self.predicted, self.given = strategy, predicted, {}

    def __call__(self, name, video, audio):
        self.given[name] = {"video": video, "audio": audio}
        found = [self.predicted.get(f"pass.{name}.{modality}") for modality in ("video", "audio")]
        is_trained = self.strategy.PASSES[name] == "trained"
        return SimpleNamespace(**{
            modality: value if is_trained or value is None else value.detach()
            for modality, value in zip(("video", "audio"), found)
        })


def whole_batch(case, module, strategy):
    """A batch as the official trainer's data set gives it, and as the module makes it whole."""
    shared = case["shared"]
    batch = {strategy.keys[name]: entry(source) for name, source in case["batch"].items() if name not in shared}
    size = next(len(value) for value in batch["conditions"].values() if value is not None)
    batch["idx"] = torch.arange(size)
    if not hasattr(strategy, "TEXTS"):
        return batch
    files = {name: entry(source) for name, source in case["batch"].items() if name in shared}
    first = {name: {key: value[0] for key, value in file.items() if value is not None} for name, file in files.items()}
    return module.with_all_sources(batch, strategy, first)


def made(case):
    module, config_class, strategy_class = compiled_module.load(case["module"])
    strategy = strategy_class(config_class(**case["params"]))
    strategy.place = module.Place(case["seed"], case["step"], 0, case["steps"])
    sampler = compiled_module.sampler_of({"type": "shifted_logit_normal", "std": 1.0, "eps": 1e-3, "uniform_prob": 0.1})
    predicted = {name: tensor(plain).requires_grad_() for name, plain in case["prediction"].items()}
    strategy.model = Passes(strategy, predicted)
    inputs = strategy.prepare_training_inputs(whole_batch(case, module, strategy), sampler)
    outputs = {name.removeprefix("output."): value for name, value in predicted.items() if name.startswith("output.")}
    strategy.taps, strategy.heads = outputs, Recorded()
    strategy.heads.outputs = outputs
    # The outputs on record have gone through their activation.
    module.functional = SimpleNamespace(silu=lambda x: x, gelu=lambda x, approximate: x)
    loss = strategy.compute_loss(predicted.get("video"), predicted.get("audio"), inputs)
    loss.mean().backward()
    return strategy, inputs, predicted


def values(strategy, inputs, predicted):
    for name in ("video", "audio"):
        modality = getattr(inputs, name)
        for field in FIELDS:
            if modality is not None:
                yield f"{name}.{field}", getattr(modality, field)
        yield f"{name}.target", getattr(inputs, f"{name}_targets")
        yield f"{name}.generated", getattr(inputs, f"{name}_loss_mask")
    for name, given in strategy.model.given.items():
        for modality, inputs in given.items():
            for field in FIELDS if inputs is not None else ():
                yield f"pass.{name}.{modality}.{field}", getattr(inputs, field)
    for name, term in strategy.terms.items():
        yield f"term.{name}", term
    for name, value in predicted.items():
        yield f"gradient.{name}", value.grad


def compared(case):
    strategy, inputs, predicted = made(case)
    found = dict(values(strategy, inputs, predicted))
    for name, plain in case["expected"].items():
        if plain is None:
            if found[name] is not None and found[name].abs().max() > 0:
                yield f"{name}: should be None"
        elif found[name] is None:
            if name.startswith("gradient.") and not any(plain["data"]):
                continue
            yield f"{name}: is None"
        else:
            exact = name.endswith((".generated", ".positions", ".keyframes_mask"))
            reason = difference(found[name], tensor(plain), **({} if exact else TOLERANCE))
            if reason:
                yield f"{name}: {reason}"
    # Whole numbers are integers in both, in whichever way their digits are written.
    params = [repr(json.loads(text)) for text in (strategy.get_checkpoint_metadata()["ltxc.params"], case["params_text"])]
    if params[0] != params[1]:
        yield f"ltxc.params: {params[0]} instead of {params[1]}"
    for key, text in case["metadata"].items():
        if strategy.metadata.get(key) != text:
            yield f"metadata {key}: {strategy.metadata.get(key)} instead of {text}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        for case in json.load(file):
            check(f"step of {case['name']}", compared, case)


main()

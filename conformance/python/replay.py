"""Replays recorded steps of the official trainer through compiled strategies. Argument: the JSON file that replay.ts wrote."""
import json
import sys

import torch

import compiled_module
from report import check, difference


def read_tensors(path):
    from safetensors.torch import load_file

    return load_file(path)


class Replay:
    def __init__(self, case):
        self.case, self.tensors = case, read_tensors(case["tensors"])
        self.module, config_class, strategy_class = compiled_module.load(case["module"])
        self.config = config_class(**case["params"])
        self.strategy = strategy_class(self.config)
        from ltx_trainer.training_strategies.base_strategy import ScaleFactors

        self.strategy.video_scale_factors = ScaleFactors(*case["scale"])
        self.strategy.place = self.module.Place(0, 0, 0, 1)
        self.module.normal_numbers = self.module.uniform_numbers = self.recorded
        if not case["knowsScale"]:
            self.module.video_positions = self.own_grids

    def recorded(self, _place, name, count, device="cpu"):
        """Where no sample can keep its first frame, the official trainer draws nothing; 0 is the value most likely to keep one."""
        stored = self.case["draws"].get(name)
        if stored is None and name == "video.keep[0]":
            return torch.zeros(count)
        drawn = self.tensors[stored].float().flatten()
        assert len(drawn) == count, f"{name}: {count} numbers asked for, {len(drawn)} recorded"
        return drawn

    def own_grids(self, parts, scale):
        """The official positions where the trainer does not know a scale: every video on its own grid, whatever its size."""
        position = self.module.part_positions
        return torch.cat([position(latents, fps, latents, fps, scale) for latents, fps in parts], 2)

    def batch(self):
        keys, own = self.config.batch_keys(), {}
        for source, key in self.case["keys"].items():
            prefix = f"batch.{key}."
            found = {name[len(prefix) :]: value for name, value in self.tensors.items() if name.startswith(prefix)}
            if "prompt_embeds" in found:
                found["video_prompt_embeds"] = found["audio_prompt_embeds"] = found.pop("prompt_embeds")
            own[keys[source]] = found
        size = next(len(value) for entry in own.values() for value in entry.values())
        return {**own, "idx": torch.arange(size)}

    def run(self):
        inputs = self.strategy.prepare_training_inputs(self.batch(), compiled_module.sampler_of(self.case["sampler"]))
        predictions = self.tensors.get("pred.video"), self.tensors.get("pred.audio")
        loss = self.strategy.compute_loss(*predictions, inputs)
        made = dict(self.outputs(inputs), **{"out.loss": loss})
        yield from self.compared(made)
        for name in self.case["absent"]:
            present = f"out.{name}" in made or (name in ("video", "audio") and getattr(inputs, name) is not None)
            if present:
                yield f"{name}: should be absent"
        metadata = self.strategy.get_checkpoint_metadata()
        for key, value in self.case["metadata"].items():
            if str(metadata.get(key)) != str(value):
                yield f"metadata {key} is {metadata.get(key)}, expected {value}"

    def outputs(self, inputs):
        for name in ("video", "audio"):
            for what in ("targets", "loss_mask"):
                value = getattr(inputs, f"{name}_{what}")
                if value is not None:
                    yield f"out.{name}_{what}", value
            modality = getattr(inputs, name)
            for key, value in vars(modality).items() if modality is not None else ():
                if key == "enabled" and value is not True:
                    raise AssertionError(f"{name} is not enabled")
                # Official strategies leave the marks of key frames out; compiled ones give what official validation gives.
                if isinstance(value, torch.Tensor) and key != "keyframes_mask":
                    yield f"out.{name}.{key}", value

    def compared(self, made):
        for name, tolerance in self.case["tolerances"].items():
            expected, actual = self.tensors[name], made.pop(name, None)
            if actual is None:
                yield f"{name}: nothing was made"
                continue
            if name.endswith("_loss_mask") and actual.shape[1] < expected.shape[1]:
                # The official one goes over the references, too, where it is false.
                actual = torch.nn.functional.pad(actual, (expected.shape[1] - actual.shape[1], 0))
            found = difference(actual, expected, **tolerance)
            if found:
                yield f"{name}: {found}"
        for name in made:
            yield f"{name}: made, but the case has none"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        for case in json.load(file):
            check(case["name"], lambda case: Replay(case).run(), case)


main()

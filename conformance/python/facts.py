"""Holds the stand-ins for the official packages to what is known of these: names, fields, order of calls, types of batches."""
import dataclasses
import itertools
import json
import logging
import pathlib
import shutil
import sys
import tempfile

import torch

import packages

packages.use()

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger, trainer
from ltx_trainer.config import LtxTrainerConfig
from ltx_trainer.training_strategies import base_strategy
from report import check


def expect(facts):
    """`facts`: what must hold -> whether it does."""
    return [fact for fact, holds in facts.items() if not holds]


def raises(kind, function):
    try:
        function()
    except kind:
        return True
    return False


def fields_of(kind):
    return [field.name for field in dataclasses.fields(kind)]


def interface(given):
    """The names, fields and parameters that the launcher of compiled modules asks for."""
    from library import load

    launcher = load()
    launcher["check_interface"](sys.modules["ltx_trainer.config"], trainer)
    inputs = dataclasses.fields(base_strategy.ModelInputs)
    return expect({
        "ModelInputs has six fields, in this order": fields_of(base_strategy.ModelInputs)
        == ["video", "audio", "video_targets", "audio_targets", "video_loss_mask", "audio_loss_mask"],
        "none of them has a default": all(field.default is dataclasses.MISSING for field in inputs),
        "Modality is frozen": Modality.__dataclass_params__.frozen,
        "the factory is bound by name in the trainer's module": hasattr(trainer, "get_training_strategy"),
        "the logger is silent below WARNING but on rank 0": logger.level == logging.DEBUG,
    })


def classes(given):
    base = base_strategy.TrainingStrategyConfigBase

    class Without(base):
        name: str = "own"

    class Own(base):
        name: str = "own"
        strength: float = 1.0

        def get_data_sources(self):
            return {"latents": "latents"}

    @dataclasses.dataclass
    class More(base_strategy.ModelInputs):
        extra: torch.Tensor = None

    class Strategy(base_strategy.TrainingStrategy):
        def prepare_training_inputs(self, batch, timestep_sampler):
            return None

        def compute_loss(self, video_pred, audio_pred, inputs):
            return None

    strategy = Strategy(Own())
    return expect({
        "a config without get_data_sources is refused": raises(TypeError, Without),
        "unknown keys are refused": raises(ValueError, lambda: Own(weight=1)),
        "numbers may be texts, as YAML 1.1 reads 1e-3": Own(strength="1e-3").strength == 1e-3,
        "model_dump is plain": Own().model_dump() == {"name": "own", "strength": 1.0},
        "inputs may have more fields, with defaults": More(*[None] * 6).extra is None,
        "the scale factors are those of LTX-2": tuple(strategy.video_scale_factors) == (8, 32, 32),
        "metadata is empty": strategy.get_checkpoint_metadata() == {},
        "the name of a config may be another one": Own().name == "own",
        "fields of a Modality, in this order": fields_of(Modality)
        == "latent sigma timesteps positions context enabled context_mask attention_mask keyframes_mask".split(),
        "an abstract strategy cannot be made": raises(TypeError, lambda: base_strategy.TrainingStrategy(Own())),
    })


class Watched(base_strategy.TrainingStrategy):
    """Writes down what it is given, and trains on the whole of the target."""

    def __init__(self, config):
        super().__init__(config)
        self.calls, self.steps, self.seen, self.seeds = [], [], {}, []
        self.video_scale_factors = None

    def prepare_training_inputs(self, batch, timestep_sampler):
        self.calls.append("prepare")
        self.seeds.append(torch.initial_seed())
        self.seen, self.gradient = batch, torch.is_grad_enabled()
        self.sampler = type(timestep_sampler).__name__
        tokens = batch["latents"]["latents"].flatten(2).transpose(1, 2).float()
        size, count = tokens.shape[:2]
        sigma = torch.full((size,), 0.5)
        context = batch["conditions"]["video_prompt_embeds"].detach()
        positions = torch.zeros(size, 3, count, 2)
        video = Modality(tokens, sigma, sigma[:, None].expand(size, count), positions, context)
        return base_strategy.ModelInputs(video, None, tokens, None, torch.ones(size, count, dtype=torch.bool), None)

    def compute_loss(self, video_pred, audio_pred, inputs):
        self.calls.append("loss")
        self.audio, self.predicted = audio_pred, (video_pred.shape == inputs.video_targets.shape, video_pred.dtype)
        return (video_pred - inputs.video_targets).square().mean((1, 2))

    def look_at_block(self, block, inputs, outputs):
        self.inside = block.attn1.to_q(outputs[0].x).dtype

    def get_checkpoint_metadata(self):
        self.calls.append("metadata")
        return {"number": 3}


def run(folder, accumulation=1, is_older=False, mode="lora", precision="bf16"):
    for i in range(8):
        size = {"num_frames": 1, "height": 2, "width": 3, "fps": 24.0}
        text = {"video_prompt_embeds": torch.randn(4, 6), "prompt_attention_mask": torch.ones(4, dtype=torch.int64)}
        if is_older:
            text = {"prompt_embeds": text.pop("video_prompt_embeds"), **text}
        files = {"latents": {"latents": torch.randn(6, 4), **size}, "conditions": text, "notes": {"text": "a", "number": 3}}
        for directory, content in files.items():
            (folder / directory).mkdir(exist_ok=True)
            torch.save(content, folder / directory / f"{i}.pt")
    (folder / "model").write_bytes(b"")
    config = LtxTrainerConfig(
        model={"model_path": str(folder / "model"), "training_mode": mode},
        lora={"rank": 2, "alpha": 2},
        data={"preprocessed_data_root": str(folder)},
        optimization={"steps": 2, "batch_size": 2, "gradient_accumulation_steps": accumulation},
        acceleration={"mixed_precision_mode": precision},
        output_dir=str(folder / "out"),
    )
    sources = {"latents": "latents", "conditions": "conditions", "notes": "notes"}
    type(config.training_strategy).get_data_sources = lambda self: sources
    trainer.get_training_strategy = Watched
    made, steps = trainer.LtxvTrainer(config), []
    step = trainer.LtxvTrainer._training_step

    def watched(self, batch):
        steps.append(self._global_step)
        return step(self, batch)

    made._training_step = watched.__get__(made)
    made._base().transformer_blocks[0].register_forward_hook(made._training_strategy.look_at_block)
    forward, made.given = made._transformer.forward, []
    made._transformer.forward = lambda *places, **names: made.given.append((places, set(names))) or forward(**names)
    saved, _ = made.train()
    made.metadata = metadata_of(saved)
    return made, steps


def metadata_of(path):
    data = path.read_bytes()
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})


def adapters(given):
    """A LoRA can be switched off for a while, as PEFT does it: its parameters need no gradient meanwhile."""
    model = ran()._transformer
    layer = next(part for part in model.modules() if hasattr(part, "lora_B")).float()
    x = torch.randn(1, layer.lora_A.in_features)
    torch.nn.init.ones_(layer.lora_B.weight)
    own = layer(x)
    with model.disable_adapter():
        base, is_frozen = layer(x), not layer.lora_A.weight.requires_grad
    return expect({
        "the base model has no LoRA": torch.equal(base, layer.base(x)),
        "the LoRA does something": not torch.equal(base, own),
        "it needs no gradient while it is off": is_frozen,
        "it is on again behind that": torch.equal(layer(x), own) and layer.lora_A.weight.requires_grad,
    })


def ran(**settings):
    with tempfile.TemporaryDirectory() as folder:
        return run(pathlib.Path(folder), **settings)[0]


def precision(given):
    """What the weights, the inputs and the predictions are under each setting of the run config."""
    lora, full = ran(), ran(mode="full")
    weights = {name.rpartition(".lora_")[1]: value.dtype for name, value in lora._transformer.named_parameters()}
    return expect({
        "LoRA is float32 over a base in bfloat16": weights == {"": torch.bfloat16, ".lora_": torch.float32},
        "the model computes in bfloat16": lora._training_strategy.inside == torch.bfloat16,
        "predictions are float32": lora._training_strategy.predicted == (True, torch.float32),
        "a whole model is float32": {value.dtype for value in full._transformer.parameters()} == {torch.float32},
        "it computes in bfloat16, too": full._training_strategy.inside == torch.bfloat16,
        "its predictions are float32": full._training_strategy.predicted == (True, torch.float32),
        "LoRA without mixed precision meets weights in bfloat16": raises(RuntimeError, lambda: ran(precision="no")),
        "a whole model without it trains": ran(mode="full", precision="no")._training_strategy.inside == torch.float32,
    })


def ones(*shape):
    return torch.ones(shape)


def modalities(given):
    """Each entry of a Modality has an influence, and one of a wrong type or shape is refused."""
    from ltx_trainer.standin_model import Transformer

    torch.manual_seed(2)
    model = Transformer({"video": 4, "audio": 4}, {"video": 6, "audio": 6})
    whole = Modality(torch.randn(2, 5, 4), 0.5 * ones(2), 0.5 * ones(2, 5), ones(2, 3, 5, 2), torch.randn(2, 3, 6))
    attention, mask = ones(2, 5, 5), torch.ones(2, 3, dtype=torch.int64)
    attention[:, :, 0], mask[:, 0] = 0, 0
    predict = lambda **changes: model(video=dataclasses.replace(whole, **changes))[0]
    others = {
        "latent": whole.latent + 1,
        "sigma": 0.6 * ones(2),
        "timesteps": 0.6 * ones(2, 5),
        "positions": 2 * whole.positions,
        "context": whole.context + 1,
        "context_mask": mask,
        "attention_mask": attention,
        "keyframes_mask": ones(2, 5, 1),
    }
    wrong = {
        "latent": whole.latent.bfloat16(),
        "sigma": ones(2, 5),
        "timesteps": 1000 * ones(2, 5),
        "positions": ones(2, 1, 5, 2),
        "context": whole.context.clone().requires_grad_(),
        "context_mask": mask[:1],
        "attention_mask": ones(2, 5),
        "keyframes_mask": ones(2, 5),
        "enabled": False,
    }
    apart = predict(context=torch.cat([torch.zeros(2, 1, 6), whole.context[:, 1:]], 1), context_mask=mask)
    closed = predict(context_mask=torch.where(mask > 0, 0.0, -torch.inf))
    return expect({
        **{f"{name} has an influence": not torch.equal(predict(), predict(**{name: value})) for name, value in others.items()},
        **{f"another {name} is refused": raises(ValueError, lambda: predict(**{name: value})) for name, value in wrong.items()},
        "tokens that a mask of integers leaves out are not read": torch.equal(apart, predict(context_mask=mask)),
        "a mask of other numbers is added as it is": torch.allclose(closed, predict(context_mask=mask)),
        "a modality that is left out is None": model(video=whole)[1] is None,
    })


def training(given):
    with tempfile.TemporaryDirectory() as folder:
        made, steps = run(pathlib.Path(folder))
    older = ran(is_older=True)._training_strategy.seen["conditions"]
    strategy = made._training_strategy
    batch, text = strategy.seen, strategy.seen["conditions"]
    with tempfile.TemporaryDirectory() as folder:
        _, accumulated = run(pathlib.Path(folder), 2)
    return expect({
        "prepare and loss alternate, and metadata is asked for when it saves": strategy.calls
        == [*["prepare", "loss"] * 2, "metadata"],
        "metadata becomes text": made.metadata == {"number": "3"},
        "every process is seeded with the config's seed": set(strategy.seeds) == {made._config.seed},
        "the model is called by keywords": made.given == [((), {"video", "audio", "perturbations"})] * 2,
        "predictions go over the whole sequence, in float32": strategy.predicted == (True, torch.float32),
        "the scale factors have names": strategy.video_scale_factors._fields == ("time", "height", "width"),
        "embeddings of the older format become those of both": older["audio_prompt_embeds"] is not None,
        "there are no audio embeddings where the files have none": text["audio_prompt_embeds"] is None,
        "a step is counted before its last micro-batch": (steps, accumulated) == ([1, 2], [0, 1, 1, 2]),
        "the strategy may take gradients": strategy.gradient,
        "the sampler is one that modules know": strategy.sampler == "ShiftedLogitNormalTimestepSampler",
        "whole numbers become int64 [B]": batch["notes"]["number"].dtype == torch.int64,
        "other numbers become float64 [B]": batch["latents"]["fps"].dtype == torch.float64,
        "texts become lists": batch["notes"]["text"] == ["a", "a"],
        "idx is int64 [B]": batch["idx"].dtype == torch.int64 and batch["idx"].shape == (2,),
        "tokens of the older format are laid out on their grid": batch["latents"]["latents"].shape == (2, 4, 1, 2, 3),
        "contexts come from the connectors, with a gradient": text["video_prompt_embeds"].requires_grad
        and text["video_prompt_embeds"].dtype == torch.bfloat16,
        "the mask of a context is all ones, int64": text["prompt_attention_mask"].dtype == torch.int64,
        "what a model does not predict is None": strategy.audio is None,
    })


def datasets(given):
    """Which samples there are, their order over processes, and what a directory of latents must hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made, _ = run(folder)
        data, sources = str(folder), {"conditions": "conditions", "latents": "latents"}
        (folder / "notes/7.pt").unlink()
        whole, some = trainer.Dataset(data, sources), trainer.Dataset(data, {**sources, "notes": "notes"})
        first = trainer.Dataset(data, {"notes": "notes", "conditions": "conditions"})
        shutil.copytree(folder / "notes", folder / "more_latents")
        other = trainer.Dataset(data, {"more_latents": "more"})
        places = [whole[i]["idx"] for i in range(len(whole))]
        needs_latents = raises(KeyError, lambda: other[0])
        made._loader = [0, 1, 2, 3]
        batches = []
        for rank in (0, 1):
            made._accelerator.num_processes, made._accelerator.process_index = 2, rank
            batches.append(list(itertools.islice(made._batches(), 4)))
    return expect({
        "samples are those that every directory has": (len(whole), len(some)) == (8, 7),
        "idx is the place in the sorted data": places == list(range(8)),
        "without `latents` the first directory says which there are": len(first) == 7,
        "a directory with `latent` in its name must hold latents": needs_latents,
        "processes get batches in turn": batches == [[0, 2, 0, 2], [1, 3, 1, 3]],
        "the trainer sets the scale factors after the constructor": made._training_strategy.video_scale_factors is not None,
    })


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    for facts in (interface, classes, adapters, precision, modalities, training, datasets):
        check(f"stand-ins: {facts.__name__}", facts, given)


main()

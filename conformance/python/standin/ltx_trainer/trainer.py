"""The trainer: the loop around a strategy, with the official one's names and order of calls."""
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml
from torch import nn
from torch.utils.data import DataLoader

from ltx_trainer import logger
from ltx_trainer.config import LtxTrainerConfig
from ltx_trainer.standin_accelerator import Accelerator
from ltx_trainer.standin_model import Transformer, WithAdapters
from ltx_trainer.timestep_samplers import SAMPLERS
from ltx_trainer.training_strategies import get_training_strategy
from ltx_trainer.training_strategies.base_strategy import ScaleFactors


class Dataset:
    """The files of one name in every source directory, as a mapping from batch key to content."""

    def __init__(self, root: str, sources: dict[str, str]):
        self.root, self.sources = Path(root), sources
        primary = self.root / ("latents" if "latents" in sources else next(iter(sources)))
        names = sorted(path.relative_to(primary) for path in primary.rglob("*.pt"))
        self.names = [name for name in names if all((self.root / directory / name).exists() for directory in sources)]
        if not self.names:
            raise ValueError(f"No valid samples in {root}")

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index: int):
        sample = {"idx": index}
        for directory, key in self.sources.items():
            # PyTorch 1.13 cannot load these with `weights_only`, which is the default since 2.6.
            content = torch.load(self.root / directory / self.names[index])
            if "latent" in directory.lower() and content["latents"].dim() == 2:
                grid = [content[size] for size in ("num_frames", "height", "width")]
                content["latents"] = content["latents"].transpose(0, 1).unflatten(1, grid)
            sample[key] = content
        return sample


class Connectors(nn.Module):
    """In place of the text connectors, which are not frozen: what they return requires a gradient."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.bfloat16))

    def forward(self, conditions):
        video = conditions.get("video_prompt_embeds", conditions.get("prompt_embeds"))
        audio = conditions.get("audio_prompt_embeds", conditions.get("prompt_embeds"))
        conditions["video_prompt_embeds"] = video.bfloat16() * self.scale
        conditions["audio_prompt_embeds"] = None if audio is None else audio.bfloat16() * self.scale
        conditions["prompt_attention_mask"] = torch.ones_like(conditions["prompt_attention_mask"], dtype=torch.int64)


@dataclass
class TrainingStats:
    steps: int
    loss: float


class LtxvTrainer:
    def __init__(self, trainer_config: LtxTrainerConfig):
        self._config = trainer_config
        self._training_strategy = get_training_strategy(trainer_config.training_strategy)
        self._training_strategy.video_scale_factors = ScaleFactors(8, 32, 32)
        self._accelerator = Accelerator(
            trainer_config.optimization.gradient_accumulation_steps,
            trainer_config.acceleration.mixed_precision_mode,
        )
        sources = trainer_config.training_strategy.get_data_sources()
        self._dataset = Dataset(trainer_config.data.preprocessed_data_root, sources)
        self._connectors = Connectors()
        self._global_step = 0
        self._load_models()
        self._collect_trainable_params()
        self._load_checkpoint()
        if trainer_config.optimization.enable_gradient_checkpointing:
            self._base().gradient_checkpointing = True
        self._transformer = self._accelerator.prepare_model(self._transformer)

    def _load_models(self) -> None:
        # Every rank must have the same; the official trainer reads them from a checkpoint.
        torch.manual_seed(0)
        sample, channels = self._dataset[0], {"video": 128, "audio": 128}
        for content in sample.values():
            latents = content.get("latents") if isinstance(content, dict) else None
            if latents is not None and latents.dim() == 4:
                channels["video"] = latents.shape[0]
            elif latents is not None and latents.dim() == 3:
                channels["audio"] = latents.shape[0] * latents.shape[2]
        text = sample["conditions"]
        video = text.get("video_prompt_embeds", text.get("prompt_embeds"))
        audio = text.get("audio_prompt_embeds", video)
        self._transformer = Transformer(channels, {"video": video.shape[-1], "audio": audio.shape[-1]})
        if self._config.model.training_mode == "lora":
            self._transformer.bfloat16()

    def _base(self) -> Transformer:
        return self._transformer.get_base_model() if self._config.model.training_mode == "lora" else self._transformer

    def _collect_trainable_params(self) -> None:
        if self._config.model.training_mode == "lora":
            lora = self._config.lora
            self._transformer.requires_grad_(False)
            self._transformer = WithAdapters(self._transformer, lora.target_modules, lora.rank, lora.alpha)
        self._trainable_params = [p for p in self._transformer.parameters() if p.requires_grad]

    def _weights_name(self) -> str:
        return "lora_weights" if self._config.model.training_mode == "lora" else "model_weights"

    def _load_checkpoint(self) -> None:
        path = self._config.model.load_checkpoint
        if path is None:
            return
        if Path(path).is_dir():
            path = max(Path(path).rglob("*step_*.safetensors"))
        from safetensors.torch import load_file

        self._transformer.load_state_dict(load_file(str(path)), strict=False)

    def _save_checkpoint(self) -> Path | None:
        folder = Path(self._config.output_dir) / "checkpoints"
        saved = folder / f"{self._weights_name()}_step_{self._global_step:05d}.safetensors"
        if self._accelerator.is_main_process:
            from safetensors.torch import save_file

            folder.mkdir(parents=True, exist_ok=True)
            model = self._accelerator.unwrap_model(self._transformer)
            weights = {name: p.detach().contiguous() for name, p in model.named_parameters() if p.requires_grad}
            metadata = {key: str(value) for key, value in self._training_strategy.get_checkpoint_metadata().items()}
            save_file(weights, str(saved), metadata=metadata or None)
            kept = self._config.checkpoints.keep_last_n
            files = sorted(folder.glob("*step_*.safetensors"))
            for old in files[:-kept] if kept > 0 else []:
                old.unlink()
        self._accelerator.wait_for_everyone()
        return saved

    def _log_metrics(self, metrics: dict) -> None:
        if self._accelerator.is_main_process:
            logger.debug("metrics %s", metrics)

    def _batches(self):
        ranks, rank, count = self._accelerator.num_processes, self._accelerator.process_index, 0
        while True:
            for batch in self._loader:
                if count % ranks == rank:
                    yield batch
                count += 1

    def _training_step(self, batch) -> torch.Tensor:
        self._connectors(batch["conditions"])
        inputs = self._training_strategy.prepare_training_inputs(batch, self._timestep_sampler)
        video, audio = self._transformer(video=inputs.video, audio=inputs.audio, perturbations=None)
        loss = self._training_strategy.compute_loss(video, audio, inputs)
        present = inputs.video if inputs.video is not None and inputs.video.enabled else inputs.audio
        self._last_sigmas = present.sigma
        self._last_losses = loss.detach()
        if self._last_sigmas.shape != loss.shape:
            raise ValueError("the loss has not one value for each sample")
        return loss.mean()

    def train(self, disable_progress_bars: bool = False, step_callback=None):
        config, accelerator = self._config, self._accelerator
        optimization = config.optimization
        torch.manual_seed(config.seed)
        self._optimizer = optimizer = torch.optim.AdamW(self._trainable_params, lr=optimization.learning_rate)
        flow = config.flow_matching
        self._timestep_sampler = SAMPLERS[flow.timestep_sampling_mode](**flow.timestep_sampling_params)
        self._loader = DataLoader(self._dataset, batch_size=optimization.batch_size, shuffle=True, drop_last=True)
        if accelerator.is_main_process:
            Path(config.output_dir).mkdir(parents=True, exist_ok=True)
            (Path(config.output_dir) / "training_config.yaml").write_text(yaml.safe_dump(config.model_dump()))
        self._transformer.train()
        batches, loss = self._batches(), torch.zeros(())
        for i in range(optimization.steps * optimization.gradient_accumulation_steps):
            is_step = (i + 1) % optimization.gradient_accumulation_steps == 0
            batch = next(batches)
            if is_step:
                self._global_step += 1
            with accelerator.accumulate(self._transformer):
                loss = self._training_step(batch)
                accelerator.backward(loss)
                if accelerator.sync_gradients and optimization.max_grad_norm > 0:
                    accelerator.clip_grad_norm_(self._trainable_params, optimization.max_grad_norm)
                if accelerator.sync_gradients:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
            if is_step:
                interval = config.checkpoints.interval
                if interval and self._global_step % interval == 0:
                    self._save_checkpoint()
                self._log_metrics({"train/loss": loss.item(), "train/global_step": self._global_step})
        return self._save_checkpoint(), TrainingStats(self._global_step, loss.item())

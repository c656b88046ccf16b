"""The run config: what the trainer reads, with the checks that concern a strategy."""
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ltx_trainer.training_strategies.base_strategy import TrainingStrategyConfigBase


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModelConfig(Section):
    model_path: str
    text_encoder_path: str | None = None
    video_vae_path: str | None = None
    audio_vae_path: str | None = None
    training_mode: Literal["lora", "full"] = "lora"
    load_checkpoint: str | None = None

    @field_validator("model_path")
    @classmethod
    def exists(cls, path):
        if not Path(path).exists():
            raise ValueError(f"Model path does not exist: {path}")
        return path


class LoraConfig(Section):
    rank: int = Field(default=64, ge=2)
    alpha: int = Field(default=64, ge=1)
    dropout: float = Field(default=0.0, ge=0, le=1)
    target_modules: list[str] = ["to_k", "to_q", "to_v", "to_out.0"]


class OptimizationConfig(Section):
    learning_rate: float = 5e-4
    steps: int = 3000
    batch_size: int = 2
    gradient_accumulation_steps: int = 1
    max_grad_norm: float = 1.0
    optimizer_type: Literal["adamw", "adamw8bit"] = "adamw"
    scheduler_type: str = "linear"
    scheduler_params: dict[str, Any] = {}
    enable_gradient_checkpointing: bool = False


class AccelerationConfig(Section):
    mixed_precision_mode: Literal["no", "fp16", "bf16"] | None = "bf16"
    quantization: str | None = None
    load_text_encoder_in_8bit: bool = False
    offload_optimizer_during_validation: bool = False


class DataConfig(Section):
    preprocessed_data_root: str
    num_dataloader_workers: int = Field(default=2, ge=0)


class CheckpointsConfig(Section):
    interval: int | None = Field(default=None, gt=0)
    keep_last_n: int = Field(default=1, ge=-1)
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    no_resume: bool = False
    save_training_state: Literal["full", "minimal", "off"] = "minimal"


class FlowMatchingConfig(Section):
    timestep_sampling_mode: Literal["uniform", "shifted_logit_normal"] = "shifted_logit_normal"
    timestep_sampling_params: dict[str, Any] = {}


class TextToVideoConfig(TrainingStrategyConfigBase):
    """Stands for the built-in strategies: the default that a compiled strategy's run config replaces."""

    name: Literal["text_to_video"] = "text_to_video"

    def get_data_sources(self):
        return {"latents": "latents", "conditions": "conditions"}


class LtxTrainerConfig(Section):
    model: ModelConfig
    lora: LoraConfig | None = None
    training_strategy: TextToVideoConfig = Field(default_factory=TextToVideoConfig)
    optimization: OptimizationConfig = Field(default_factory=OptimizationConfig)
    acceleration: AccelerationConfig = Field(default_factory=AccelerationConfig)
    data: DataConfig
    validation: dict[str, Any] = {}
    checkpoints: CheckpointsConfig = Field(default_factory=CheckpointsConfig)
    hub: dict[str, Any] = {}
    flow_matching: FlowMatchingConfig = Field(default_factory=FlowMatchingConfig)
    wandb: dict[str, Any] = {}
    seed: int = 42
    output_dir: str = "outputs"

    @model_validator(mode="after")
    def sources_exist(self):
        for directory in self.training_strategy.get_data_sources():
            if not (Path(self.data.preprocessed_data_root) / directory).is_dir():
                raise ValueError(f"Required data directory does not exist: {directory}")
        return self

    @model_validator(mode="after")
    def modes_fit(self):
        if self.model.training_mode == "lora" and self.lora is None:
            raise ValueError("LoRA configuration must be provided when training_mode is 'lora'")
        if self.training_strategy.name == "video_to_video":
            samples = self.validation.get("samples", [])
            conditions = [condition for sample in samples for condition in sample.get("conditions", [])]
            if self.validation.get("interval", 100) and not any(c["type"] == "reference" for c in conditions):
                raise ValueError("video_to_video needs a reference condition in validation.samples")
            if self.model.training_mode != "lora":
                raise ValueError("Training mode must be 'lora' when using the video_to_video strategy")
        return self

"""Sources that the official trainer does not have: files for all samples, and further texts."""
from pathlib import Path

import torch
from torch import Tensor


def sources_trainer(base):
    """The official trainer, but its batches have all sources, and its connectors get the texts of all."""

    class SourcesTrainer(base):
        @classmethod
        def check(cls, run_config, strategy_class):
            super().check(run_config, strategy_class)
            cls.shared = shared_files(run_config)

        def _training_step(self, batch):
            return super()._training_step(with_all_sources(batch, self._training_strategy, self.shared))

    return SourcesTrainer


def shared_files(run_config) -> dict:
    """What the files hold that are the same for all samples, by the names of their sources."""
    if not hasattr(run_config.training_strategy, "files"):
        return {}
    root = Path(run_config.data.preprocessed_data_root)
    root = root / ".precomputed" if (root / ".precomputed").is_dir() else root
    contents = {}
    for name, path in run_config.training_strategy.files().items():
        try:
            contents[name] = torch.load(root / path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise Refusal(f"there is no file {root / path}, which the source `{name}` is read from") from None
        except Exception as error:
            raise Refusal(f"{root / path}, which the source `{name}` is read from, cannot be read: {error}") from None
        if not isinstance(contents[name], dict):
            raise Refusal(f"{root / path}, which the source `{name}` is read from, does not hold a dict of tensors")
    return contents


def with_all_sources(batch: dict, strategy, shared: dict) -> dict:
    """
    The batch with the shared files, once for each sample. The trainer takes what lies under `conditions` through its
    connectors, each row by itself: so the texts of all sources lie there, one source below the other.
    """
    contents = {strategy.keys[name]: repeated(content, batch["idx"]) for name, content in shared.items()}
    whole = {**batch, **contents}
    if len(strategy.TEXTS) > 1:
        whole["conditions"] = stacked({name: whole[strategy.keys[name]] for name in strategy.TEXTS})
    return whole


def repeated(content: dict, idx: Tensor) -> dict:
    """The content of a file as the batch of samples `idx` would have it whose files are all like it."""
    batch = {}
    for key, value in content.items():
        value = torch.as_tensor(value).to(idx.device) if isinstance(value, (Tensor, int, float)) else value
        batch[key] = value.expand(len(idx), *value.shape) if isinstance(value, Tensor) else [value] * len(idx)
    return batch


def stacked(texts: dict) -> dict:
    """Text embeddings of several sources below each other, [sources * B, S, D], and their masks, [sources * B, S]."""
    entries = {name: embeddings_of(entry) for name, entry in texts.items()}
    (first, own), *rest = entries.items()
    for name, entry in rest:
        for key, value in own.items():
            if key not in entry:
                raise Refusal(f"the texts of `{name}` have no {key}, those of `{first}` have")
            if entry[key].shape[1:] != value.shape[1:]:
                found, wanted = list(entry[key].shape[1:]), list(value.shape[1:])
                raise Refusal(f"{key} of the texts of `{name}` is {found} for a sample, of those of `{first}` {wanted}")
    return {key: torch.cat([entry[key] for entry in entries.values()]) for key in own}


def embeddings_of(entry: dict) -> dict:
    """Video and audio embeddings and the mask; an older format has embeddings for both in one."""
    names = ("video_prompt_embeds", "audio_prompt_embeds", "prompt_attention_mask")
    if "video_prompt_embeds" not in entry and "prompt_embeds" in entry:
        entry = {**entry, **dict.fromkeys(names[:2], entry["prompt_embeds"])}
    return {name: entry[name] for name in names if entry.get(name) is not None}


def texts_of(conditions: dict, names: list) -> dict:
    """What the connectors made of the texts of each source: its rows of `conditions`."""
    rows = {key: value.chunk(len(names)) for key, value in conditions.items() if isinstance(value, Tensor)}
    empty = {key: None for key, value in conditions.items() if value is None}
    return {name: {**empty, **{key: parts[i] for key, parts in rows.items()}} for i, name in enumerate(names)}


def chosen_text(drawn: list, rest: dict) -> dict:
    """The text of each sample: of the first source that was drawn for it, [B] bool each, else of `rest`."""
    texts = dict(rest)
    for is_drawn, source in reversed(drawn):
        for key, value in texts.items():
            if isinstance(value, Tensor):
                texts[key] = torch.where(is_drawn.reshape(-1, *[1] * (value.dim() - 1)), source[key], value)
    return texts

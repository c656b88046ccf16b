import type { Entry } from "./entry.ts";

/** What is wrong with data files: found by reading them, so their bad and good lines are what a user sees or does. */
export const entries = [
  {
    code: "LTX6110",
    slug: "pt-unreadable",
    title: "a data file can not be opened",
    explanation: "The file vanished after the samples were listed, or its permissions do not allow to read it.",
    bad: "chmod 000 latents/clip_1.pt",
    good: "chmod 644 latents/clip_1.pt",
  },
  {
    code: "LTX6111",
    slug: "pt-broken",
    title: "a .pt file is broken",
    explanation:
      "It is neither a zip archive nor an older stream of `torch.save`, or it was cut off, most often by an interrupted copy. Nothing of it is used.",
    bad: "head -c 1000 clip_1.pt > latents/clip_1.pt",
    good: "cp clip_1.pt latents/clip_1.pt",
  },
  {
    code: "LTX6112",
    slug: "pt-forbidden-content",
    title: "a .pt file holds more than data",
    explanation:
      "Files of PyTorch can name any function to be called while they are read. Only tensors, numbers, texts, lists and dictionaries are accepted; anything else is refused before it is looked at, and nothing is executed.",
    bad: "torch.save({'latents': latents, 'model': model}, path)",
    good: "torch.save({'latents': latents}, path)",
  },
  {
    code: "LTX6113",
    slug: "pt-too-large",
    title: "a .pt file asks for too much",
    explanation:
      "Compressed entries, descriptions of megabytes, deep nesting and tensors that repeat few numbers without end do not occur in data files. They are refused so that no file can exhaust memory.",
    bad: "zip -9 latents/clip_1.pt clip_1/data.pkl clip_1/data/0",
    good: "torch.save({'latents': latents}, 'latents/clip_1.pt')",
  },
  {
    code: "LTX6114",
    slug: "pt-tensor-out-of-bounds",
    title: "a tensor of a .pt file lies outside of its data",
    explanation: "Shape, strides and offset of a tensor must stay within the numbers that the file stores for it.",
    bad: "a tensor [128, 5, 16, 16] over 1000 stored numbers",
    good: "a tensor [128, 5, 16, 16] over 163840 stored numbers",
  },
  {
    code: "LTX6170",
    slug: "not-a-file",
    title: "a path leads to something that is no file",
    explanation:
      "Where a file is read there is a folder, a named pipe, a device or a socket. A pipe would be waited for, and a device may never end, so neither is opened. Most often the folder of a download was named in place of the file in it.",
    bad: "model:\n  model_path: models",
    good: "model:\n  model_path: models/ltx-2.safetensors",
  },
  {
    code: "LTX6172",
    slug: "file-unread",
    title: "one of several files cannot be read",
    explanation:
      "It does not exist, is no regular file, is larger than any file of its kind (4 MiB for a strategy or a run config), or its permissions forbid it. The other files are looked at all the same.",
    bad: "ltxc check a.strategy folder.strategy   # folder.strategy is a folder",
    good: "ltxc check a.strategy",
  },
  {
    code: "LTX6165",
    slug: "other-data-root",
    title: "the data lie in a folder near the data root",
    explanation:
      "`preprocessed_data_root` is the folder in which the folders of all sources lie. The one that is named holds none of them, and the folder above it " +
      "(or `data` in it) holds all: most often a source's own folder was named.",
    bad: "data: {preprocessed_data_root: data/latents}",
    good: "data: {preprocessed_data_root: data}",
  },
  {
    code: "LTX6166",
    slug: "folder-named-as-sample",
    title: "a folder has the name of a sample",
    explanation:
      "Samples are files that end in `.pt`. A folder with such a name is no sample, so there is one sample less than its name makes one think.",
    bad: "mkdir data/latents/clip_3.pt",
    good: "cp clip_3.pt data/latents/clip_3.pt",
  },
  {
    code: "LTX6120",
    slug: "data-root-missing",
    title: "the data root does not exist",
    explanation:
      "`preprocessed_data_root` is the folder that holds the directories `latents`, `conditions` and so on, or one that holds them in a folder `.precomputed`.",
    bad: "data:\n  preprocessed_data_root: datasets/catz",
    good: "data:\n  preprocessed_data_root: datasets/cats",
  },
  {
    code: "LTX6121",
    slug: "source-directory-missing",
    title: "a source's directory does not exist",
    explanation:
      "Every source of the strategy needs its directory below the data root. It is made when the data is preprocessed with the matching column, for example `video_mask` for `video_masks`.",
    bad: "datasets/cats holds latents/ and conditions/, the strategy also reads video_masks/",
    good: "datasets/cats holds latents/, conditions/ and video_masks/",
  },
  {
    code: "LTX6122",
    slug: "directory-outside-data-root",
    title: "a source's directory is not below the data root",
    explanation:
      "Strategies and parameters may come from others, so they can only name directories below the data root: no absolute paths, no `..`. A directory may be a link that you or the owner of the data root made, but no link of another user.",
    bad: "training_strategy:\n  name: inpainting\n  mask_latents_dir: ../other/masks",
    good: "training_strategy:\n  name: inpainting\n  mask_latents_dir: mask_latents",
  },
  {
    code: "LTX6123",
    slug: "no-samples",
    title: "a data directory holds no samples",
    explanation:
      "Samples are files that end in `.pt`, at any depth. The directory `latents` decides which samples there are, or the strategy's first source if it reads no `latents`. Preprocessing was interrupted, or wrote to another folder.",
    bad: "latents/clip_1.mp4",
    good: "latents/clip_1.pt",
  },
  {
    code: "LTX6124",
    slug: "no-complete-sample",
    title: "no sample has a file in every source",
    explanation:
      "The files of one sample have the same path below each source's directory. Samples that lack a file are skipped; here that would be all of them, most often because the directories were made from different metadata files.",
    bad: "latents/clip_1.pt\nconditions/clip_2.pt",
    good: "latents/clip_1.pt\nconditions/clip_1.pt",
  },
  {
    code: "LTX6125",
    slug: "data-directory-unreadable",
    title: "a data directory can not be read",
    explanation: "The system refuses to list it, most often for lack of permission.",
    bad: "chmod 000 datasets/cats/latents",
    good: "chmod 755 datasets/cats/latents",
  },
  {
    code: "LTX6126",
    slug: "sample-outside-data-root",
    title: "files of samples are links that lead out of the data root",
    explanation:
      "What lies elsewhere may change or go without notice, and is not copied along with the data. Links that you or the owner of the data " +
      "root made are read, with this warning; those of another user are an error.",
    bad: "latents/clip_1.pt -> ../../other/clip_1.pt",
    good: "latents/clip_1.pt",
  },
  {
    code: "LTX6130",
    slug: "data-entry-missing",
    title: "a data file lacks an entry",
    explanation:
      "Each kind of source is made of certain entries: `latents` for latents, `mask` for masks, `video_prompt_embeds` and `prompt_attention_mask` for text. A source declared with the wrong kind, or files of another step of preprocessing, end here.",
    bad: "sources:\n  masks: {directory: latents, kind: video_mask}",
    good: "sources:\n  masks: {directory: video_masks, kind: video_mask}",
  },
  {
    code: "LTX6131",
    slug: "data-entry-type",
    title: "an entry of a data file is not of the expected type",
    explanation: "A tensor is needed where the file has something else, or a number where it has none.",
    bad: "torch.save({'latents': None}, 'latents/clip_1.pt')",
    good: "torch.save({'latents': latents}, 'latents/clip_1.pt')",
  },
  {
    code: "LTX6132",
    slug: "data-wrong-rank",
    title: "a tensor of a data file has the wrong number of axes",
    explanation:
      "Files hold single samples without a batch axis: video latents are `[C, F, H, W]`, audio latents `[C, T, mel]`, text features `[S, D]`. A leading axis of size 1 is the most common cause.",
    bad: "torch.save({'latents': latents}, path)      # [1, 128, 5, 16, 16]",
    good: "torch.save({'latents': latents[0]}, path)   # [128, 5, 16, 16]",
  },
  {
    code: "LTX6133",
    slug: "data-sizes-disagree",
    title: "sizes in a data file disagree",
    explanation:
      "`num_frames`, `height` and `width` count latent cells, not pixels, and must be those of the tensor; the attention mask has one value per text token.",
    bad: "{'latents': latents, 'num_frames': 33, 'height': 512, 'width': 512}   # [128, 5, 16, 16]",
    good: "{'latents': latents, 'num_frames': 5, 'height': 16, 'width': 16}     # [128, 5, 16, 16]",
  },
  {
    code: "LTX6134",
    slug: "data-wrong-channels",
    title: "latents have another number of channels than the model or VAE",
    explanation:
      "The model of the run config, or the VAE of `ltxc decode`, takes a fixed number of channels per token. Latents of another autoencoder can not be used with it.",
    bad: "latents [16, 5, 16, 16] for a model with 128 channels",
    good: "latents [128, 5, 16, 16] for a model with 128 channels",
  },
  {
    code: "LTX6135",
    slug: "mask-size",
    title: "a mask does not have one value per token",
    explanation:
      "A video mask has a value for each latent cell (`F * H * W`), an audio mask one for each latent step. Masks in pixels must be preprocessed first.",
    bad: "mask [33, 512, 512] for latents [128, 5, 16, 16]",
    good: "mask [5, 16, 16] for latents [128, 5, 16, 16]",
  },
  {
    code: "LTX6136",
    slug: "grids-differ",
    title: "Sizes that a strategy takes for equal differ in the data",
    explanation:
      "All latents of a sample that a strategy combines, for example the clip's and its mask's, must have the same number of latent " +
      "frames, rows and columns. They differ when the two were preprocessed with different resolutions or lengths. A tensor has a value for each " +
      "frame, row, column, step or token of the grid that its axes name, and in all samples as many features as the heads and networks that it meets.",
    bad: "latents/clip.pt with 3 x 6 x 6 latent cells, mask_latents/clip.pt with 3 x 4 x 4",
    good: "both with 3 x 6 x 6 latent cells",
  },
  {
    code: "LTX6137",
    slug: "reference-no-fraction",
    title: "a reference does not fit its target",
    explanation:
      "The positions of a reference are mapped onto the target's grid. For that its height and width in latent cells must be the target's, " +
      "divided by one whole number, and `frames - 1` the target's, divided by another one; a single frame fits always. The frames per second " +
      "must be divided by the same number as the frames, as preprocessing with temporal subsampling stores them.",
    bad: "latents/clip.pt with 5 x 16 x 16 latent cells, reference_latents/clip.pt with 5 x 16 x 8",
    good: "latents/clip.pt with 5 x 16 x 16 latent cells, reference_latents/clip.pt with 5 x 8 x 8",
  },
  {
    code: "LTX6140",
    slug: "batch-shapes-differ",
    title: "samples of one batch differ in size",
    explanation:
      "The samples of a batch are stacked, so their tensors must have equal shapes. Data in several resolutions or lengths needs `batch_size: 1`; `gradient_accumulation_steps` makes up for it.",
    bad: "optimization:\n  batch_size: 4",
    good: "optimization:\n  batch_size: 1\n  gradient_accumulation_steps: 4",
  },
  {
    code: "LTX6141",
    slug: "batch-contents-differ",
    title: "samples of one batch hold different things",
    explanation:
      "The samples of a batch must have the same entries in the same storage type: audio features in all text files or in none, all latents in bf16 or all in float32. Preprocess them with the same settings.",
    bad: "conditions/a.pt with audio_prompt_embeds, conditions/b.pt without",
    good: "conditions/a.pt and conditions/b.pt with audio_prompt_embeds",
  },
  {
    code: "LTX6142",
    slug: "data-file-of-another-kind",
    title: "a data file is something else",
    explanation:
      "Files of samples end in `.pt` and are written by `torch.save`. This one holds something else: a web page, a pointer of Git LFS, an archive, a safetensors file, zeros. What it is, its first bytes tell.",
    bad: "latents/clip_1.pt, of 130 bytes: `version https://git-lfs.github.com/spec/v1`",
    good: "latents/clip_1.pt after `git lfs pull`",
  },
  {
    code: "LTX6143",
    slug: "mac-notes-left-out",
    title: "files that macOS made for its own notes are left out",
    explanation:
      "On disks of other systems, macOS stores notes next to each file, as `._clip_1.pt` next to `clip_1.pt`. They hold nothing of the sample. They are not taken for samples. `dot_clean` on macOS removes them.",
    bad: "latents/clip_1.pt and latents/._clip_1.pt",
    good: "latents/clip_1.pt",
  },
  {
    code: "LTX6150",
    slug: "checkpoint-damaged",
    title: "a file that ltxc wrote is damaged",
    explanation:
      "Weights, heads and training states carry a checksum of their content. It no longer fits: a disk, a cable or a copy has changed some of the bytes, or a program has written into the file. Nothing of it is used. Go on from a copy or from the checkpoint before. `ltxc verify outputs` says which files are whole.",
    bad: "model:\n  load_checkpoint: outputs/checkpoints/lora_weights_step_00500.safetensors   # damaged\n",
    good: "model:\n  load_checkpoint: outputs/checkpoints/lora_weights_step_00250.safetensors\n",
  },
  {
    code: "LTX6151",
    slug: "pt-checksum",
    title: "a .pt file is damaged",
    explanation:
      "A .pt file is a zip archive, which has a checksum for each of its entries. One of them does not fit what it belongs to: some bytes of the file are not what was written. `ltxc verify data` reads all files of a folder and says which are whole.",
    bad: "a file of which a disk or a copy has changed a few bytes",
    good: "the same file, copied or preprocessed again",
  },
  {
    code: "LTX6152",
    slug: "data-not-finite",
    title: "a data file holds numbers that are NaN or infinite",
    explanation:
      "One of them makes the loss of its batch NaN, and with it all weights. Preprocessing in 16 bits may have overflowed, or the clip may be damaged. Preprocess the sample again, or take it out of the data.",
    bad: "latents that contain NaN",
    good: "latents of finite numbers only",
  },
  {
    code: "LTX6153",
    slug: "metrics-damaged",
    title: "a metrics file holds lines that are no events",
    explanation:
      "Each line of `metrics.jsonl` is one event of a run in JSON. Some are not: the machine stopped while one was written, or something else has written into the file. The training does not depend on it; `ltxc report` leaves out what it cannot read.",
    bad: "ltxc run | tee -a outputs/metrics.jsonl",
    good: "ltxc run",
  },
  {
    code: "LTX6154",
    slug: "recording-damaged",
    title: "a saved recording is not used",
    explanation:
      "Its content is not what was saved, or it belongs to another user or can be written by others, who could decide with it what a run computes. A run that would need it records anew. Delete it, or give the cache folder back to its user with `chown` and `chmod go-w`.",
    bad: "chmod 777 ~/.cache/ltxc/recordings/*/*",
    good: "chmod -R go-w ~/.cache/ltxc",
  },
  {
    code: "LTX6155",
    slug: "weights-not-finite",
    title: "weights are NaN or infinite",
    explanation:
      "The file itself is whole: these numbers were written to it. A model with such a weight gives NaN. The training that made it had diverged, or a conversion to 16 bits has overflowed.",
    bad: "model:\n  load_checkpoint: lora_weights_step_00500.safetensors   # after the loss was NaN\n",
    good: "model:\n  load_checkpoint: lora_weights_step_00250.safetensors\n",
  },
  {
    code: "LTX6156",
    slug: "cannot-be-verified",
    title: "a file or folder cannot be read",
    explanation:
      "`ltxc verify` reads everything below the paths that it is given. The system does not allow it here, or the disk has an error. Nothing is said of what could not be read.",
    bad: "chmod 000 data/latents",
    good: "chmod -R u+rX data",
  },
  {
    code: "LTX6180",
    slug: "safetensors-missing",
    title: "a safetensors file cannot be opened",
    explanation: "A checkpoint or weights file that the run config names is not there or may not be read.",
    bad: "model:\n  model_path: checkpoints/ltx2.safetensor",
    good: "model:\n  model_path: checkpoints/ltx2.safetensors",
  },
  {
    code: "LTX6181",
    slug: "safetensors-broken",
    title: "a safetensors file is broken",
    explanation:
      "The header claims what the file does not hold: a length beyond the file, ranges that overlap or leave gaps, shapes that do not match their bytes. Most often a download was cut off. Nothing of such a file is loaded.",
    bad: "a file that ends in the middle of a tensor",
    good: "the same file, downloaded again",
  },
] as const satisfies readonly Entry[];

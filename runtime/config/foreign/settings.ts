/**
 * Settings of diffusers' scripts, kohya's sd-scripts, musubi-tuner, ai-toolkit, diffusion-pipe and the Trainer of Hugging Face, and what they
 * are in the official trainer's format. A word stands in lower case without `_`, `-` and spaces; `save.dtype` is `dtype` in a section `save`.
 */

/** What a word is here. */
export interface ForeignSetting {
  /** The official setting that means it; null where there is none. */
  readonly to: string | null;
  /** The value there that means the same, or undefined where that is not certain. Without it, values are the same. */
  readonly value?: (written: unknown) => unknown;
  /** What else is to be known, or what to do instead. */
  readonly say?: string;
}

type Rows = Readonly<Record<string, string | ForeignSetting>>;

const unsure = () => undefined;
/** The setting is the same, its values may not be. */
const like = (to: string, say: string): ForeignSetting => ({ to, value: unsure, say });
const none = (say: string): ForeignSetting => ({ to: null, say });
const ifTrue =
  (value: unknown): NonNullable<ForeignSetting["value"]> =>
  (written) =>
    written === true ? value : undefined;

const epochs = none(
  "a run counts steps, not epochs: `optimization.steps` is epochs x samples / (`batch_size` x `gradient_accumulation_steps`)",
);
const savedByEpoch = none(
  "a run counts steps, not epochs: `checkpoints.interval` is the number of steps between two saves",
);
const warmup = "runtime.optimization.warmup_steps";
const adam = none(
  "AdamW's is fixed, as in the official trainer (betas 0.9 and 0.999, eps 1e-8): leave it out; those of other optimizers are `runtime.optimization.optimizer_params`",
);
const ema = "runtime.optimization.ema_decay";
const size = none(
  "sizes are those of the preprocessed data: leave it out, and preprocess the videos with the size that you want",
);
const captions = none("captions were encoded by the preprocessing: leave it out");
const memory = none("leave it out: `ltxc plan` shows the memory that a run takes and what saves some");
const frozenNumbers = none("frozen weights are not quantized in this version: leave it out");
const kernels = none("each engine takes its fastest way by itself: leave it out");
const kind = none("adapters are LoRAs, and that is `model.training_mode: lora`: leave it out");
const ofStrategy = (write: string) => none(`it is written in the strategy: ${write}`);
const shift = none("the shift of noise levels follows from the number of tokens: leave it out");
const images = "the folder that the official preprocessing wrote, with `latents/` and `conditions/` in it";
const prompts = like("validation.samples", "a list of samples, each with `prompt:`");
const device = like("runtime.provider", "`cuda` for an NVIDIA GPU, `cpu` without one; `auto`, the default, finds it");
const processes = like("runtime.processes", "only with `engine: ltx-trainer`: ltxc itself trains on one GPU");
const accumulation = "optimization.gradient_accumulation_steps";
const checkpointing = "optimization.enable_gradient_checkpointing";
const precision = "acceleration.mixed_precision_mode";
const sampler: ForeignSetting = {
  to: "flow_matching.timestep_sampling_mode",
  value: (written) => (written === "uniform" ? written : undefined),
  say: "it is `shifted_logit_normal`, the default, or `uniform`",
};
const wandb = "wandb.project";
const steps = "optimization.steps";
const batch = "optimization.batch_size";
const rate = "optimization.learning_rate";
const model = "model.model_path";
const data = "data.preprocessed_data_root";

/** Several words with one meaning. */
const words = (list: string, meaning: string | ForeignSetting): Rows =>
  Object.fromEntries(list.split(" ").map((word) => [word, meaning]));

const rows: Rows = {
  ...words("lr baselr unetlr transformerlr ditlr lrate optimizer.lr", rate),
  ...words("textencoderlr telr loraplus loraplusratio", none("there is one learning rate for all: leave it out")),
  ...words(
    "r lorar lorarank networkdim networkrank loradim linear lora.dim network.dim network.rank adapter.rank",
    "lora.rank",
  ),
  ...words("loraalpha networkalpha linearalpha network.alpha adapter.alpha", "lora.alpha"),
  ...words("loradropout networkdropout network.dropout", "lora.dropout"),
  ...words("loratargetmodules targetmodules loralayers lora.modules lora.layers lora.targets lora.target", {
    to: "lora.target_modules",
    value: (written) => (Array.isArray(written) ? written : undefined),
    say: "a list of parts of module names, such as `[to_k, to_q, to_v, to_out.0]`",
  }),
  ...words(
    "layerstotransform lora.layerstotransform lora.blocks lora.blockrange lorablocks trainblocks blockstotrain",
    {
      to: "runtime.lora.blocks",
      say: "blocks such as `24-47`, or several, `0-3, 40-47`",
    },
  ),
  ...words("networkmodule networktype algo adaptertype peft network.type adapter.type", kind),
  ...words(
    "usedora userslora lora.bias loratype",
    none("adapters are plain LoRAs, which count alpha / rank times: leave it out"),
  ),
  ...words(
    "bs batch trainbatchsize perdevicetrainbatchsize microbatchsize microbatchsizepergpu batchsizepergpu",
    batch,
  ),
  ...words("evalbatchsize perdeviceevalbatchsize", none("evaluation takes `optimization.batch_size`: leave it out")),
  ...words("maxsteps maxtrainsteps numsteps trainsteps trainingsteps totalsteps numtrainsteps numtrainingsteps", steps),
  ...words("iterations iters numiterations maxiterations maxiters niter", steps),
  ...words("epoch epochs numepochs numtrainepochs maxtrainepochs maxepochs nepochs trainepochs", epochs),
  ...words("gradaccum gradaccumsteps gradientaccumulation accumulategradbatches gradaccumulationsteps", accumulation),
  ...words("accumulationsteps accumsteps", accumulation),
  ...words(
    "gradclip clipgrad clipgradnorm gradientclip gradientclipval gradientclipping gradnorm maxnorm",
    "optimization.max_grad_norm",
  ),
  ...words("optimizer optim optimizername", "optimization.optimizer_type"),
  ...words("optimizer.type", "optimization.optimizer_type"),
  ...words(
    "lrscheduler lrschedulertype scheduler schedulename lrschedule optimization.schedule",
    "optimization.scheduler_type",
  ),
  ...words("lrschedulerkwargs lrschedulerargs lrschedulerparams schedulerkwargs", "optimization.scheduler_params"),
  ...words("warmup warmupsteps lrwarmupsteps numwarmupsteps lrwarmup", warmup),
  ...words("warmupratio", like(warmup, "a number of steps, not a share of them")),
  ...words("weightdecay adamweightdecay", "runtime.optimization.weight_decay"),
  ...words(
    "paramgroups parametergroups layerlrs",
    like("runtime.optimization.groups", "a list of `{match:, learning_rate:}`"),
  ),
  ...words("betas beta1 beta2 adambeta1 adambeta2 adamepsilon eps optimizerargs optimizerparams", adam),
  ...words("gradientcheckpointing usegradientcheckpointing gradcheckpointing activationcheckpointing", checkpointing),
  ...words("mixedprecision traindtype modeldtype train.dtype acceleration.precision acceleration.dtype", precision),
  ...words("bf16", { to: precision, value: ifTrue("bf16"), say: "`bf16`, the default" }),
  ...words("fp16", {
    to: precision,
    value: ifTrue("fp16"),
    say: "`bf16`, the default, or `no`: nothing is computed in fp16 here",
  }),
  ...words("fp32 fullprecision", { to: precision, value: ifTrue("no"), say: '`"no"` in quotes computes in float32' }),
  ...words(
    "quantize quantizete quantizebase loadin8bit loadin4bit fp8 fp8base fp8scaled qtype baseprecision",
    frozenNumbers,
  ),
  ...words("lowvram blockstoswap blockswap cpuoffload enablemodelcpuoffload offload offloadmodel cachelatents", memory),
  ...words("cachelatentstodisk cachetextencoderoutputs cachetextembeddings", captions),
  ...words(
    "xformers enablexformersmemoryefficientattention sdpa attnmode flashattn flashattention tf32 allowtf32",
    kernels,
  ),
  ...words("compile torchcompile compilemodel", kernels),
  ...words("dataroot preprocesseddata preprocesseddataroot preprocesseddatadir datadir datapath", data),
  ...words(
    "dataset datasets datasetpath datasetdir datasetroot datasetconfig datasetname folderpath",
    like(data, images),
  ),
  ...words(
    "traindatadir instancedatadir traindir imagedir videodir videodirectory cachedirectory instancedataroot",
    like(data, images),
  ),
  ...words(
    "numworkers dataloadernumworkers maxdataloadernworkers workers dataloaderworkers",
    "data.num_dataloader_workers",
  ),
  ...words(
    "resolution resolutions resolutionbuckets width height numframes targetframes maxframes videosize imagesize",
    size,
  ),
  ...words("bucketnoupscale enablebucket centercrop randomflip", size),
  ...words(
    "captioncolumn captionext captionextension maxsequencelength tokenizermaxlength triggerword idtoken instanceprompt",
    captions,
  ),
  ...words(
    "captiondropout captiondropoutrate captiondropoutprob",
    ofStrategy(
      "a source of the empty caption, `empty: {file: empty.pt, kind: text_embeddings}`, and below `video:` the list `text: [empty with probability 0.1, conditions]`",
    ),
  ),
  ...words("pretrainedmodelnameorpath modelnameorpath nameorpath pretrainedmodel basemodel modelid ditpath", model),
  ...words(
    "dit checkpointpath ckpt ckptpath transformerpath model.path model.checkpoint model.transformer diffusionmodel",
    model,
  ),
  ...words("textencoder textencoderpath gemma gemmapath gemmaroot textencodermodel", "model.text_encoder_path"),
  ...words("vae vaepath vaemodel videovae", "model.video_vae_path"),
  ...words("audiovae", "model.audio_vae_path"),
  ...words(
    "networkweights lorapath loraweights pretrainedlorapath loracheckpoint model.lora initlora",
    "model.load_checkpoint",
  ),
  ...words(
    "resume resumefromcheckpoint resumepath resumefrom",
    like(
      "model.load_checkpoint",
      "a LoRA to begin with; to go on with a run that was stopped, call `ltxc run --resume`",
    ),
  ),
  ...words("trainingtype traintype finetuningtype trainmode model.mode", "model.training_mode"),
  ...words("fullfinetune fullfinetuning finetune fulltraining", {
    to: "model.training_mode",
    value: (written) => (typeof written === "boolean" ? (written ? "full" : "lora") : undefined),
    say: "`full` trains all weights, `lora` adapters",
  }),
  ...words("uselora", {
    to: "model.training_mode",
    value: ifTrue("lora"),
    say: "`lora`, the default, trains adapters",
  }),
  ...words(
    "savesteps saveevery saveeverynsteps checkpointingsteps checkpointinterval checkpointevery",
    "checkpoints.interval",
  ),
  ...words(
    "saveinterval savefreq checkpointeverynsteps ckptinterval checkpoints.every checkpoints.steps",
    "checkpoints.interval",
  ),
  ...words("saveeverynepochs checkpointeverynepochs saveepochs", savedByEpoch),
  ...words(
    "savetotallimit checkpointstotallimit maxstepsavestokeep keeplast maxcheckpoints checkpoints.keep",
    "checkpoints.keep_last_n",
  ),
  ...words("saveprecision savedtype save.dtype checkpoints.dtype", "checkpoints.precision"),
  ...words("savestate savetrainingstate", {
    to: "checkpoints.save_training_state",
    value: (written) => (typeof written === "boolean" ? (written ? "full" : "off") : written),
  }),
  ...words("validationsteps validationinterval sampleevery sampleeverynsteps sampleinterval", "validation.interval"),
  ...words("validation.every validation.steps validation.everynsteps", "validation.interval"),
  ...words("validationprompt validationprompts sampleprompts validation.prompt sample.prompts prompt prompts", prompts),
  ...words("numinferencesteps samplesteps sample.steps", "validation.inference_steps"),
  ...words("negprompt neg", "validation.negative_prompt"),
  ...words("cfg cfgscale guidance", "validation.video_cfg_scale"),
  ...words(
    "evalsteps evalinterval evalevery evaluationinterval evaluation.steps evaluation.every",
    "evaluation.interval",
  ),
  ...words("evalsamples numevalsamples holdout evaluation.numsamples evaluation.count", "evaluation.samples"),
  ...words(
    "evaluationstrategy evalstrategy",
    none("held-out samples are counted by `evaluation.samples`: leave it out"),
  ),
  ...words("loadbestmodelatend savebest keepbest", "evaluation.keep_best"),
  ...words(
    "timestepsampling timestepsamplingmode timesteptype weightingscheme timestepweighting noiseschedule sigmasampling",
    sampler,
  ),
  ...words("noisescheduler predictiontype", none("the model is trained by flow matching: leave it out")),
  ...words("discreteflowshift flowshift timestepshift shift sigmoidscale modescale", shift),
  ...words(
    "logitmean logitstd",
    like(
      "flow_matching.timestep_sampling_params",
      "`{std: 1}` is the spread of `shifted_logit_normal`; its mean follows from the number of tokens",
    ),
  ),
  ...words("reportto logwith logger tracker", {
    to: "wandb.enabled",
    value: (written) => (written === "wandb" ? true : undefined),
    say: "it is for `wandb` alone; numbers are always written to `metrics.jsonl` and for TensorBoard",
  }),
  ...words("usewandb wandbenabled", "wandb.enabled"),
  ...words("wandbproject wandbprojectname projectname trackerprojectname logtrackername", wandb),
  ...words("wandbentity", "wandb.entity"),
  ...words(
    "wandbrunname runname expname experimentname jobname",
    none("a run is named by its folder: `output_dir: outputs/{strategy}-{date}`"),
  ),
  ...words(
    "loggingsteps logevery logeverynsteps loginterval logging.steps",
    none("every step is written to `metrics.jsonl`: leave it out"),
  ),
  ...words("hubrepoid hubmodelname repoid", "hub.hub_model_id"),
  ...words(
    "hubtoken wandbapikey wandbkey apikey",
    none("secrets do not belong into this file, and nothing is uploaded: take it out"),
  ),
  ...words("randomseed manualseed rngseed globalseed", "seed"),
  ...words(
    "output out outdir outputpath outputfolder savedir savepath savefolder trainingfolder logdir loggingdir",
    "output_dir",
  ),
  ...words("outputname", none("files are named by their step, in `output_dir`: leave it out")),
  ...words("device accelerator gpu usecuda cuda", device),
  ...words("backend", like("runtime.engine", "`auto`, the default, takes the fastest one that works here")),
  ...words("numgpus numprocesses ngpus gpus worldsize devices numdevices nprocpernode", processes),
  ...words("numthreads numcputhreadsperprocess", "runtime.threads"),
  ...words("strategy strategyname trainingstrategy", "training_strategy.name"),
  ...words("losstype lossfn loss huberc", ofStrategy("`loss:` there, with `mse`, `mae` or `huber`")),
  ...words(
    "minsnrgamma snrgamma",
    ofStrategy("a weight in front of the loss, `min(snr(video.sigma), 5) * video.sigma^2 * mse(…)`"),
  ),
  ...words("noiseoffset", ofStrategy("`noise:` below `video:`")),
  ...words(
    "priorlossweight maskedloss",
    ofStrategy("`loss:` there, with a weight in front of `mse(…)` or a mask behind `over`"),
  ),
  ...words("fps framerate", ofStrategy("`fps: 24` below `video:`; that of samples is `validation.frame_rate`")),
  ...words("emadecay", ema),
  ...words("ema useema emaconfig", like(ema, "the share of the moving average that stays, such as 0.999")),
  ...words(
    "trainunet traintextencoder traintransformer",
    none("the transformer alone is trained, by `lora.target_modules`: leave it out"),
  ),
};

/** A word as the table has it. */
export const plainWord = (word: string): string => word.toLowerCase().replaceAll(/[\s_-]/g, "");

/** What the setting `key` of a section that others call `section` is here, or null. */
export function foreignSetting(section: string, key: string): ForeignSetting | null {
  const plain = plainWord(key);
  const found = [`${plainWord(section)}.${plain}`, plain].find((word) => Object.hasOwn(rows, word));
  const meaning = found === undefined ? undefined : rows[found];
  return typeof meaning === "string" ? { to: meaning } : (meaning ?? null);
}

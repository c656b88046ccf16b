/** What a video VAE's file has next to the two halves. */

/** Prefixes that files give to a VAE's tensors: in a checkpoint, and in a file of its own. */
export const prefixes = ["vae.", "", "first_stage_model."];

const statistics = "per_channel_statistics";

/** Mean and standard deviation of each channel of the latents, `[C]`. */
export const [mean, spread] = [`${statistics}.mean-of-means`, `${statistics}.std-of-means`] as const;

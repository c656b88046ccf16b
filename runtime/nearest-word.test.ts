import { suite } from "uvu";
import * as assert from "uvu/assert";
import { didYouMean, editDistance, suggest } from "./nearest-word.ts";

const test = suite("did you mean");
const keys = ["latents", "noise", "noisy", "noise_mask", "keep", "fps"];

test("counts letters that are dropped, added, changed or swapped", () => {
  const distances = ["noise", "nose", "noisee", "noize", "nosie", "keep"].map((word) => editDistance(word, "noise"));
  assert.equal(distances, [0, 1, 1, 1, 1, 5]);
});

test("suggests the nearest candidate, or nothing", () => {
  assert.equal(
    ["latnets", "nois", "KEEP", "fsp", "noise-mask", "sigma", "x"].map((word) => suggest(word, keys)),
    ["latents", "noise", "keep", "fps", "noise_mask", null, null],
  );
  assert.is(didYouMean("latent", keys), "did you mean `latents`?");
  assert.is(didYouMean("zzz", keys), null);
});

test("a huge word costs nothing", () => {
  assert.is(suggest("x".repeat(1e6), ["y".repeat(1e6)]), null);
});

test.run();

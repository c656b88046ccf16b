// What bundled packages ask to be kept with copies of them.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The licenses of all packages that have a file among these inputs of a bundle, as one text. */
export function licensesOf(inputs) {
  return [...new Set(inputs.flatMap(packageOf))].map(licenseOf).join("\n\n");
}

/** The package's folder that a bundled file belongs to, if it is not ours. */
function packageOf(file) {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  return found === null ? [] : [found[1]];
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8"));
  const file = readdirSync(`${root}${folder}`).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(`${root}${folder}/${file}`, "utf8")}`;
}

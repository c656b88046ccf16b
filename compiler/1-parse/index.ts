/** YAML with the place of every key and value, for run configs as for strategies. Loads no expression grammar and no checks. */
export { moved, movedFinding } from "./moved.ts";
export {
  entryOf,
  mapping,
  nodeAt,
  toPlain,
  type YamlEntry,
  type YamlMapping,
  type YamlNode,
  type YamlScalar,
} from "./tree.ts";
export { parseYaml } from "./yaml.ts";

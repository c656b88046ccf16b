/** The import statements of an emitted module: those that its text needs. */
import { library } from "./library.ts";

/** What the emitter's own lines name, besides what the library names. */
const own: ReadonlyMap<string, string> = new Map([
  ["Any", "from typing import Any"],
  ["ConfigDict", "from pydantic import ConfigDict"],
  ["Field", "from pydantic import Field"],
  ["Literal", "from typing import Literal"],
  ["ModelInputs", "from ltx_trainer.training_strategies.base_strategy import ModelInputs"],
  ["Modality", "from ltx_core.model.transformer.modality import Modality"],
  ["Tensor", "from torch import Tensor"],
  ["TrainingStrategy", "from ltx_trainer.training_strategies.base_strategy import TrainingStrategy"],
  [
    "TrainingStrategyConfigBase",
    "from ltx_trainer.training_strategies.base_strategy import TrainingStrategyConfigBase",
  ],
  ["dataclass", "from dataclasses import dataclass"],
  ["field_validator", "from pydantic import field_validator"],
  ["functional", "from torch.nn import functional"],
  ["logger", "from ltx_trainer import logger"],
  ["math", "import math"],
  ["re", "import re"],
  ["torch", "import torch"],
]);

const thirdParty = new Set(["torch", "pydantic", "yaml", "safetensors", "accelerate", "peft"]);

/** The statement that gives a name, if the module may need it. */
export const importOf = (name: string): string | undefined => own.get(name) ?? library().imports.get(name);

/** Python's own packages, then installed ones, then the trainer's: groups with an empty line between them. */
export function importLines(
  names: ReadonlySet<string>,
  more: readonly (readonly [name: string, line: string])[],
): string {
  const used = [...names].flatMap((name) => {
    const own = more.filter(([each]) => each === name).map(([, line]) => line);
    // `import torch.nn` gives `torch` besides.
    const isGiven = own.some((line) => !/^import \w+\.[\w.]+$/.test(line));
    return isGiven ? own : [...own, ...[importOf(name) ?? []].flat()];
  });
  const groups: [string[], string[], string[]] = [[], [], []];
  for (const line of merged(used)) groups[groupOf(line)].push(line);
  return groups.flatMap((group) => (group.length === 0 ? [] : [group.join("\n")])).join("\n\n");
}

/** One statement for each package; `import math` comes before `from math import ...`. */
function merged(statements: readonly string[]): string[] {
  const plain = statements.filter((statement) => statement.startsWith("import ")).toSorted();
  const froms = new Map<string, string[]>();
  for (const statement of statements.filter((each) => each.startsWith("from "))) {
    const [, from = "", name = ""] = /^from (\S+) import (.+)$/.exec(statement) ?? [];
    froms.set(from, [...(froms.get(from) ?? []), name]);
  }
  const lines = [...froms].map(([from, names]) => `from ${from} import ${[...new Set(names)].toSorted().join(", ")}`);
  return [...new Set(plain), ...lines.toSorted()];
}

function groupOf(line: string): 0 | 1 | 2 {
  const [name = ""] = (line.split(" ")[1] ?? "").split(".");
  if (name.startsWith("ltx_")) return 2;
  return thirdParty.has(name) ? 1 : 0;
}

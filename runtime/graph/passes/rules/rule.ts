import type { Node, Value } from "../../graph.ts";
import type { Edit } from "../edit.ts";

/** Rewrites a node with one output and returns true; returns false, without a change, if the rule does not apply. */
export type Rule = (edit: Edit, node: Node, output: Value) => boolean;

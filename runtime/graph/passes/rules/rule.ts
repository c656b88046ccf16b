import type { Node, Value } from "../../graph.ts";
import type { Edit } from "../edit.ts";

/** A rule either deals with a node of one output, and says so, or leaves it to the next. */
export type Rule = (edit: Edit, node: Node, output: Value) => boolean;

import type { Tensor as TfTensor } from "@tensorflow/tfjs";
import type { HostTensor, Ops, Tensor } from "../../contract.ts";

/** The tfjs module. It is passed to every function that computes with it, so that nothing loads it at start-up. */
export type Tf = typeof import("@tensorflow/tfjs");
export type { TfTensor };
export type TfOperand = TfTensor | number;

/** A type of the contract, with tfjs's tensors in place of the opaque ones. */
type Concrete<X> = X extends HostTensor
  ? X
  : X extends Tensor
    ? TfTensor
    : X extends readonly Tensor[]
      ? TfTensor[]
      : X;

type ConcreteAll<Arguments extends readonly unknown[]> = { [Index in keyof Arguments]: Concrete<Arguments[Index]> };

/** `Ops` as tfjs sees it: the same functions over tfjs's own tensors. */
export type TfOps = {
  [Name in keyof Ops]: (...args: ConcreteAll<Parameters<Ops[Name]>>) => Concrete<ReturnType<Ops[Name]>>;
};

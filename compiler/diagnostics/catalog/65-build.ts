import type { Entry } from "./entry.ts";

/** What is wrong with the compiled strategy that a run config asks for. */
export const entries = [
  {
    code: "LTX6501",
    slug: "not-compiled",
    title: "The strategy is not compiled yet",
    explanation:
      "`ltxc run` trains with what `ltxc compile` made of a strategy. The build folder has nothing under the name that the run " +
      "config asks for, while there is a .strategy file of that name.",
    bad: "ltxc run",
    good: "ltxc compile && ltxc run",
  },
  {
    code: "LTX6502",
    slug: "stale-build",
    title: "The strategy was changed after it was compiled",
    explanation:
      "The compiled strategy carries a hash of the source that it was made of, and the .strategy file (or one that it extends or imports) has another one now. Training " +
      "with the old form would ignore the change in silence.",
    bad: "ltxc compile && echo 'description: new' >> my.strategy && ltxc run",
    good: "ltxc compile && ltxc run",
  },
  {
    code: "LTX6503",
    slug: "build-of-another-version",
    title: "The strategy was compiled by another version of ltxc",
    explanation:
      "What compiled strategies and the trainer expect of each other has a version, and this build was made for another one, or its " +
      "file is damaged. Nothing is lost: the .strategy file is what counts.",
    bad: "ltxc run",
    good: "ltxc compile && ltxc run",
  },
  {
    code: "LTX6504",
    slug: "name-of-official-strategy",
    title: "A strategy has the name of an official one",
    explanation:
      "`flexible` is described by the run config itself, as in the official trainer: `video` and `audio` with their conditions. A " +
      ".strategy file of that name would have to ignore them.",
    bad: "strategy: flexible",
    good: "strategy: my_flexible",
  },
  {
    code: "LTX6505",
    slug: "no-typescript",
    title: "Types are to be checked, but there is no TypeScript that can",
    explanation:
      "`--types` asks TypeScript whether the functions that a strategy imports fit the types that it declares for them. It takes the " +
      "package `typescript` that is installed next to ltxc itself, or the one that `--typescript` names; never one that merely lies " +
      "in the project, because that would be a program of the project. There is none, or it is too old for that.",
    bad: "ltxc check --types",
    good: "ltxc check --typescript node_modules/typescript",
  },
  {
    code: "LTX6506",
    slug: "type-error",
    title: "TypeScript finds an error in an imported function, or in a call of it",
    explanation:
      "The message is that of `tsc` in strict mode. An imported function gets the tensor operations, then its arguments in the order " +
      "that the strategy declares: a `Tensor` each, a `number` for `number`. It is pure: it has no access to files, the network or " +
      "the console, and what it calculates depends on its arguments alone.",
    bad: "export const half = (a: Tensor): Tensor => a;",
    good: "export const half = (ops: Ops, a: Tensor): Tensor => ops.mul(a, 0.5);",
  },
  {
    code: "LTX6507",
    slug: "broken-import",
    title: "An imported file is missing or broken",
    explanation:
      "`imports` names TypeScript files relative to the strategy that writes them, and functions that these export. They are bundled with the step when the strategy is compiled; nothing of them runs before that step does.",
    bad: 'imports:\n  edges: {from: ./egdes.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
    good: 'imports:\n  edges: {from: ./edges.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
  },
  {
    code: "LTX6510",
    slug: "strategy-has-errors",
    title: "The strategy that a run config names has errors",
    explanation:
      "The run config asks for a strategy whose .strategy file does not compile as it is now. `ltxc check` shows what is wrong with it, each at its place.",
    bad: "ltxc plan",
    good: "ltxc check my.strategy && ltxc plan",
  },
  {
    code: "LTX6511",
    slug: "altered-build",
    title: "A build is not what its sources give",
    explanation:
      "Before a compiled strategy runs, ltxc compiles its sources again and compares the two, byte for byte. This build differs, although its sources and the version of ltxc are those that it names: somebody or something has changed it. It does not run.",
    bad: "sed -i 's/0.5/0.6/' build/my.mjs && ltxc run",
    good: "ltxc compile && ltxc run",
  },
  {
    code: "LTX6512",
    slug: "not-trusted",
    title: "Code of somebody else would run",
    explanation:
      "A strategy's imported functions are programs, and what they may do is not limited. If one of their files belongs to another user, ltxc asks before it runs them, once for each project; `ltxc trust` gives the answer in advance, and the environment variable LTXC_TRUST does so where nothing can be asked or kept, as in a container. Files of the user root are trusted. Strategies without imports never ask.",
    bad: "cd /home/somebody/project && ltxc run < /dev/null",
    good: "cd /home/somebody/project && ltxc trust && ltxc run",
  },
  {
    code: "LTX6513",
    slug: "build-without-source",
    title: "A strategy has a build, but no .strategy file",
    explanation:
      "A build is a program. Where the .strategy file is at hand, ltxc compiles it again and so knows that the build holds nothing else. Without it nobody can tell: `ltxc run` takes such a build only if it was named to `ltxc trust` or in LTXC_TRUST; `ltxc trust` keeps its hash, so that another content is refused. `ltxc check` and `ltxc plan` run nothing of it, and so cannot say what it needs.",
    bad: "cp build/my.mjs /mnt/cluster/build/ && cd /mnt/cluster && ltxc run",
    good: "cp my.strategy /mnt/cluster/ && cd /mnt/cluster && ltxc compile && ltxc run",
  },
] as const satisfies readonly Entry[];

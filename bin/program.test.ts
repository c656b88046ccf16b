import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Io } from "./shell/io.ts";
import { main } from "./main.ts";
import { ltxc } from "./testing/testing.ts";

const test = suite("program");
const commands = ["init", "check", "compile", "test", "inspect", "run", "convert", "explain", "doctor", "install"];

test("--help lists the commands and shows examples, on stdout, with exit code 0", async () => {
  const { code, out, err } = await ltxc(["--help"]);
  assert.is(code, 0);
  assert.is(err, "");
  for (const command of commands) assert.match(out, new RegExp(`^  ${command} `, "m"));
  assert.match(out, "ltxc compile && ltxc run");
});

test("each command's help shows examples and the global options", async () => {
  for (const command of commands) {
    const { code, out } = await ltxc([command, "--help"]);
    assert.is(code, 0);
    assert.match(out, new RegExp(`Examples:\n  ltxc ${command}`));
    assert.match(out, "--json");
  }
});

test("without a command the help goes to stderr and the exit code is 2", async () => {
  const { code, out, err } = await ltxc([]);
  assert.is(code, 2);
  assert.is(out, "");
  assert.match(err, "Usage: ltxc");
});

test("unknown commands and options are usage errors with the nearest name", async () => {
  const command = await ltxc(["chekc"]);
  assert.is(command.code, 2);
  assert.match(command.err, /unknown command 'chekc'\nhelp: did you mean `check`\?/);
  const option = await ltxc(["run", "--jsn"]);
  assert.is(option.code, 2);
  assert.match(option.err, /unknown option '--jsn'\nhelp: did you mean `--json`\?/);
  const choice = await ltxc(["init", "--from", "inpaint"]);
  assert.is(choice.code, 2);
  assert.match(choice.err, "there are: audio_extension, audio_inpainting");
  assert.is((await ltxc(["run", "a.yaml", "b.yaml"])).code, 2);
});

test("--version prints the package's version alone", async () => {
  const { code, out } = await ltxc(["--version"]);
  assert.is(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
});

test("a bug of ours gives exit code 70, says so and shows the stack", async () => {
  const broken: Io = {
    cwd: ".",
    get env(): Io["env"] {
      throw new TypeError("made to fail");
    },
    readInput: async () => "",
    out() {},
    data() {},
    err: (text) => void (printed += text),
    columns: { out: null, err: null },
    onOutputLost() {},
    isBehind: () => false,
    onInterrupt: () => () => {},
  };
  let printed = "";
  const code = await main(["explain"], broken);
  assert.is(code, 70);
  assert.match(printed, "a bug of ltxc, not of your files");
  assert.match(printed, /TypeError: made to fail\n\s+at /);
});

test.run();

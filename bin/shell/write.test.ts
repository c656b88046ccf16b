import { execFileSync } from "node:child_process";
import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { open } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("outputs");
const folder = temporaryFolders(test, "outputs");

/** A folder with a run of no steps, whose page is what is written here. */
async function withRun(): Promise<string> {
  const cwd = await folder();
  await mkdir(join(cwd, "outputs"));
  await writeFile(join(cwd, "outputs/metrics.jsonl"), '{"type":"started","globalStep":0}\n');
  return cwd;
}

const isPage = (text: string): boolean => text.startsWith("<!doctype html>") && text.trimEnd().endsWith("</html>");

test("`-` and names of stdout print the page and nothing else", async () => {
  const cwd = await withRun();
  await symlink("/dev/stdout", join(cwd, "link")).catch(() => undefined);
  const names = process.platform === "win32" ? ["-"] : ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"];
  for (const name of names) {
    const { code, out, err } = await ltxc(["report", "--out", name], { cwd });
    assert.equal([code, err, isPage(out)], [0, "", true], name);
  }
  const both = await ltxc(["report", "--json", "--out", "-"], { cwd });
  assert.equal([both.code, both.out], [2, ""]);
  assert.match(both.err, "both print to stdout");
});

test("every command that writes a file prints it for `-`; what makes several files refuses it", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "train.yaml"), "training_strategy: {name: text_to_video}\n");
  const ejected = await ltxc(["eject", "--out", "-"], { cwd });
  assert.is(ejected.code, 0, ejected.err);
  assert.match(ejected.out, /^strategy: my_text_to_video$/m);
  const looked = await ltxc(["inspect", "text_to_video", "--html", "-"], { cwd });
  assert.equal([looked.code, isPage(looked.out)], [0, true], looked.err);
  await writeFile(join(cwd, "lora.safetensors"), "");
  for (const args of [
    ["compile", "text_to_video", "--out", "-"],
    ["schema", "-"],
    ["init", "-"],
    ["convert", "lora.safetensors", "-", "--to", "official"],
    ["convert", "lora.safetensors", "-", "--to", "peft"],
  ]) {
    const { code, err } = await ltxc(args, { cwd });
    assert.is(code, 2, args.join(" "));
    assert.match(err, "stdout", args.join(" "));
  }
  assert.equal((await readdir(cwd)).toSorted(), ["lora.safetensors", "train.yaml"]);
});

const theirs = "model:\n  model_path: a.safetensors\n";

test("what ltxc did not write is not replaced by a page, and the user sees what it is; its own pages and empty files are", async () => {
  const cwd = await withRun();
  const weights = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{}")]);
  for (const [name, content, what] of [
    ["train.yaml", theirs, "it begins with `model:`"],
    ["my.strategy", "\n  strategy: my\u001b[2J\n", "it begins with `strategy: my\\u001b[2J`"],
    ["model.safetensors", weights, "it is a safetensors file"],
    ["other.html", "<!doctype html>\n<html><title>mine</title></html>", "it begins with `<!doctype html>`"],
    ["outputs/report.html", "mine", "it begins with `mine`"],
  ] as const) {
    await writeFile(join(cwd, name), content);
    for (const args of [
      ["report", "--out", name],
      ["inspect", "text_to_video", "--html", name],
    ]) {
      const { code, err } = await ltxc(args, { cwd });
      assert.is(code, 2, args.join(" "));
      assert.match(err, `${name} is there already, and ltxc did not write it: ${what}`);
      assert.match(err, `choose another place with \`${args.at(-2)}\``);
      assert.equal(await readFile(join(cwd, name)), Buffer.from(content));
    }
  }
  const early = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n<title>x</title><style>\n';
  await writeFile(join(cwd, "early.html"), early);
  await writeFile(join(cwd, "empty.html"), "");
  for (const name of ["early.html", "empty.html", "new.html", "new.html"])
    assert.is((await ltxc(["report", "--out", name], { cwd })).code, 0, name);
  assert.is((await ltxc(["inspect", "text_to_video", "--html", "new.html"], { cwd })).code, 0);
  assert.is((await ltxc(["report", "--out", "new.html"], { cwd })).code, 0);
});

test("`compile`, `schema` and `convert` write nothing where one of their files would replace one of the user's", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "train.yaml"), "training_strategy: {name: text_to_video}\n");
  assert.is((await ltxc(["eject", "--out", "mine.strategy"], { cwd })).code, 0);
  await writeFile(join(cwd, "mine.ts"), "export const scale = 2;\n");
  const before = (await readdir(cwd)).toSorted();
  const { code, err } = await ltxc(["compile", "mine.strategy", "--out", "."], { cwd });
  assert.is(code, 2);
  assert.match(err, "mine.ts is there already, and ltxc did not write it: it begins with `export const scale = 2;`");
  assert.match(err, "choose another place with `--out`");
  assert.equal((await readdir(cwd)).toSorted(), before);
  for (const target of ["ltxc", "ltx-trainer", "ltxc", "ltx-trainer"]) {
    const made = await ltxc(["compile", "mine.strategy", "--target", target], { cwd });
    assert.is(made.code, 0, made.err);
  }
  await writeFile(join(cwd, "build/ltxc_mine.py"), "import torch\n");
  assert.is((await ltxc(["compile", "mine.strategy", "--target", "ltx-trainer"], { cwd })).code, 2);
  await mkdir(join(cwd, "own"));
  await writeFile(join(cwd, "own/train.schema.json"), "{}");
  assert.match((await ltxc(["schema", "own"], { cwd })).err, "own/train.schema.json is there already");
  assert.equal(await readdir(join(cwd, "own")), ["train.schema.json"]);
  await mkdir(join(cwd, "peft"));
  for (const name of ["lora.safetensors", "peft/adapter_config.json"]) await writeFile(join(cwd, name), "mine");
  const converted = await ltxc(["convert", "lora.safetensors", "peft", "--to", "peft"], { cwd });
  assert.equal([converted.code, /peft\/adapter_config.json is there already/.test(converted.err)], [2, true]);
  for (let times = 0; times < 2; times++) assert.is((await ltxc(["schema"], { cwd })).code, 0);
});

test("a place that is not there, a folder, an address or `~` is said, and nothing is made", async () => {
  const cwd = await withRun();
  for (const [name, said, help] of [
    ["nodir/page.html", "nodir/page.html cannot be written: there is no folder nodir", "`mkdir -p nodir`"],
    ["outputs", "outputs is a folder", "`--out outputs/page.html`"],
    ["outputs/metrics.jsonl/page.html", "outputs/metrics.jsonl is not a folder", "choose another place with `--out`"],
    ["s3://bucket/page.html", "s3://bucket/page.html is an address, not a path", "and copy it there"],
    ["~/page.html", "~/page.html begins with `~`, which only a shell replaces", "with a space and without quotes"],
  ] as const) {
    const { code, err } = await ltxc(["report", `--out=${name}`], { cwd });
    assert.is(code, 2, name);
    assert.ok(err.includes(said) && err.includes(help), err);
  }
  await writeFile(join(cwd, "a.strategy"), "");
  const compiled = await ltxc(["compile", "--out", "gs://bucket/build"], { cwd });
  assert.equal([compiled.code, /is an address/.test(compiled.err)], [2, true]);
  assert.equal((await readdir(cwd)).toSorted(), ["a.strategy", "outputs"]);
});

if (process.platform !== "win32") {
  test("into a pipe, a device or a socket one writes, also by way of a link, and it stays what it is", async () => {
    const cwd = await withRun();
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    await symlink("pipe", join(cwd, "link"));
    // Open at both ends, so that nobody waits.
    const pipe = await open(join(cwd, "pipe"), "r+");
    for (const name of ["pipe", "link"]) {
      assert.is((await ltxc(["report", "--out", name], { cwd })).code, 0);
      const { buffer, bytesRead } = await pipe.read(Buffer.alloc(65536), 0, 65536, null);
      assert.ok(isPage(buffer.toString("utf8", 0, bytesRead)));
    }
    await pipe.close();
    assert.ok((await lstat(join(cwd, "pipe"))).isFIFO());
    assert.ok((await lstat(join(cwd, "link"))).isSymbolicLink());
  });

  test("a socket gets the page", async () => {
    const cwd = await withRun();
    let got = "";
    const server = createServer((socket) => socket.on("data", (data) => (got += data.toString())));
    await new Promise<void>((done) => server.listen(join(cwd, "s"), done));
    assert.is((await ltxc(["report", "--out", "s"], { cwd })).code, 0);
    await new Promise((done) => server.close(done));
    assert.ok(isPage(got));
  });

  test("a folder option that names something else is a usage error", async () => {
    const cwd = await folder();
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    await writeFile(join(cwd, "a.strategy"), "");
    for (const [name, what] of [
      ["pipe", "a named pipe"],
      ["a.strategy", "a file"],
      ["-", "stdout"],
    ] as const) {
      const { code, err } = await ltxc(["compile", "--out", name], { cwd });
      assert.is(code, 2);
      assert.match(err, `${name} is ${what}, and the results are several files`);
    }
  });

  if (process.platform === "linux" && process.getuid?.() === 0)
    test("a device stays a device", async () => {
      const cwd = await withRun();
      // The numbers of /dev/null.
      execFileSync("mknod", [join(cwd, "device"), "c", "1", "3"]);
      const { code, err } = await ltxc(["report", "--out", "device"], { cwd });
      // Some containers forbid to open devices in a temporary folder.
      if (code !== 0) assert.match(err, "device cannot be written (E");
      assert.ok((await stat(join(cwd, "device"))).isCharacterDevice());
    });

  test("a file keeps its permissions, a link stays a link, and a report's own place is not linked elsewhere", async () => {
    const cwd = await withRun();
    await writeFile(join(cwd, "page.html"), "", { mode: 0o600 });
    await symlink("page.html", join(cwd, "link"));
    assert.is((await ltxc(["report", "--out", "link"], { cwd })).code, 0);
    assert.ok(isPage(await readFile(join(cwd, "page.html"), "utf8")));
    assert.is((await stat(join(cwd, "page.html"))).mode & 0o777, 0o600);
    assert.ok((await lstat(join(cwd, "link"))).isSymbolicLink());
    await symlink("../page.html", join(cwd, "outputs/report.html"));
    const { code, err } = await ltxc(["report"], { cwd });
    assert.is(code, 2);
    assert.match(err, "report.html is a link that leads out of the run's folder");
  });

  test("one file that cannot be read does not keep the others from being looked at", async () => {
    const cwd = await folder();
    execFileSync("mkfifo", [join(cwd, "b.strategy")]);
    await mkdir(join(cwd, "c.strategy"));
    await writeFile(join(cwd, "a.strategy"), "strategy: a\nlos:\n  v: 1\n");
    await writeFile(join(cwd, "d.strategy"), "x".repeat(5_000_000));
    for (const command of ["check", "compile", "fmt", "test"]) {
      const { code, out, err } = await ltxc([command], { cwd });
      assert.is(code, 1, command);
      for (const part of [
        "LTX2001",
        "b.strategy is a named pipe, not a file",
        "c.strategy is a folder, not a file",
        "d.strategy is too large: it has 5,000,000 bytes, and at most 4,194,304 are read",
      ])
        if (command !== "fmt" || !part.startsWith("LTX")) assert.match(out + err, part, command);
    }
    assert.is((await ltxc(["check", "b.strategy"], { cwd })).code, 2);
  });
}

test.run();

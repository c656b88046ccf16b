import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { addonIn, builtPackage, tensorflowFolder } from "./folder.ts";
import { installTensorflow } from "./install.ts";

const test = suite("installing TensorFlow");
const newFolder = temporaryFolders(test, "ltxc-tensorflow");
const isHere = `${process.platform}/${process.arch}` === "linux/x64";

/** Programs of these names that write their arguments to a file and do what the shell script says; nothing else is on PATH but `sh`. */
async function world(programs: Readonly<Record<string, string>>) {
  const folder = await newFolder();
  const bin = join(folder, "bin");
  await mkdir(bin);
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\necho "${name} $@" >> "${folder}/log"\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const log = () => readFile(join(folder, "log"), "utf8").catch(() => "");
  return { folder, bin, log };
}

/** Installs with this PATH and folder for data, and puts the process's own variables back. */
async function installed(bin: string, data: string, environment?: string) {
  const before = { ...process.env };
  const said: string[] = [];
  process.env["PATH"] = bin;
  process.env["XDG_DATA_HOME"] = data;
  if (environment === undefined) delete process.env["VIRTUAL_ENV"];
  else process.env["VIRTUAL_ENV"] = environment;
  try {
    return {
      ...(await installTensorflow({ hasGpu: false, say: (text) => said.push(text) })),
      said,
      folder: tensorflowFolder(),
    };
  } finally {
    for (const name of ["PATH", "XDG_DATA_HOME", "VIRTUAL_ENV"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

/** Elsewhere there is one thing to test, below. */
const testHere = isHere ? test : () => {};

if (!isHere)
  test("elsewhere the platform is the reason", async () => {
    const { folder, bin } = await world({ npm: "", python3: "", "g++": "" });
    assert.match((await installed(bin, folder)).problem ?? "", /on linux\/x64 only/);
  });

testHere("what is missing is named before anything is fetched", async () => {
  const { folder, bin, log } = await world({ npm: "" });
  const { problem } = await installed(bin, folder);
  assert.match(problem ?? "", /^it needs g\+\+, python3: on Debian and Ubuntu, `apt install g\+\+ python3-venv`/);
  assert.is(await log(), "");
});

testHere("what npm and pip say is the reason, and half an environment is not left", async () => {
  const offline = await world({ npm: "echo 'npm error network timeout' >&2; exit 1", python3: "", "g++": "" });
  assert.match(
    (await installed(offline.bin, offline.folder)).problem ?? "",
    /npm could not fetch it: npm error network timeout/,
  );
  const python = `/bin/mkdir -p "$4/bin"; echo '#!/bin/sh
echo "ERROR: No matching distribution" >&2; exit 1' > "$4/bin/python"; /bin/chmod +x "$4/bin/python"`;
  const old = await world({ npm: "", python3: python, "g++": "" });
  const { problem, folder } = await installed(old.bin, old.folder);
  assert.is(problem, "pip could not fetch tensorflow-cpu==2.21.*: ERROR: No matching distribution");
  assert.not(await stat(join(folder, "python")).catch(() => null));
});

testHere("the library of the active environment is built against, and a build that fails says why", async () => {
  const { folder, bin, log } = await world({
    npm: "",
    python3: "",
    "g++": "echo 'x.cc:1:1: fatal error: no such file' >&2; exit 1",
  });
  const library = join(folder, "venv", "lib", "python3.12", "site-packages", "tensorflow");
  await mkdir(library, { recursive: true });
  await writeFile(join(library, "libtensorflow_cc.so.2"), "");
  const { problem, said } = await installed(bin, folder, join(folder, "venv"));
  assert.is(problem, "g++ could not build the addon: x.cc:1:1: fatal error: no such file");
  assert.equal(said, ["fetching @tensorflow/tfjs-node-gpu from npm …", "building the addon …"]);
  const lines = (await log()).split("\n");
  assert.ok(lines.some((line) => line.startsWith("npm install --prefix") && line.includes("--ignore-scripts")));
  assert.ok(lines.some((line) => line.startsWith("g++ -shared") && line.includes(`-Wl,-rpath,${library}`)));
  assert.not(lines.some((line) => line.startsWith("python3")));
});

test("what was built is known by its addon", async () => {
  const folder = await newFolder();
  assert.is(builtPackage(folder), null);
  await mkdir(join(addonIn(folder), ".."), { recursive: true });
  await writeFile(addonIn(folder), "");
  assert.is(builtPackage(folder), join(folder, "package.json"));
});

test.run();

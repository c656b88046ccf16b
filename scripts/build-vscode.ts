/**
 * Makes the extension for VS Code: editors/vscode with its code in one file, and this program as its language server, as a .vsix.
 * npm run build:vscode [-- --out DIR]: DIR is dist-pack/ if not given. Needs a built dist/.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { zipStored } from "../runtime/files/pt/zip-writer.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "editors/vscode");

interface Member {
  readonly name: string;
  readonly data: Uint8Array;
}

interface Manifest {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly publisher: string;
  readonly version: string;
  readonly engines: { readonly vscode: string };
}

/** All files below a folder, by their path in the package. */
function filesBelow(folder: string, as: string, isWanted: (name: string) => boolean = () => true): Member[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return names
    .filter(isWanted)
    .toSorted()
    .map((name) => ({ name: `${as}/${name.split(sep).join("/")}`, data: readFileSync(join(folder, name)) }));
}

/** The extension's own code; `vscode` is what the editor provides. */
async function extensionCode(): Promise<Member> {
  const { outputFiles } = await build({
    entryPoints: [join(source, "src/extension.ts")],
    bundle: true,
    write: false,
    platform: "node",
    target: "node18",
    format: "cjs",
    external: ["vscode"],
    minifySyntax: true,
    tsconfig: join(source, "tsconfig.json"),
    logLevel: "warning",
  });
  const [code] = outputFiles;
  if (code === undefined) throw new Error("esbuild wrote nothing");
  return { name: "extension/dist/extension.js", data: code.contents };
}

/** What `ltxc lsp` needs of this program: no source maps, and no weights of engines, which are found elsewhere or not at all. */
function server(version: string): Member[] {
  const isCode = (name: string) => name.endsWith(".mjs") || name === "LICENSES.txt";
  const manifest = JSON.stringify({ name: "ltxc", version, type: "module" });
  return [
    { name: "extension/server/package.json", data: Buffer.from(manifest) },
    ...filesBelow(join(root, "dist"), "extension/server/dist", (name) => !name.includes(sep) && isCode(name)),
    ...filesBelow(join(root, "schemas"), "extension/server/schemas"),
    ...filesBelow(join(root, "compiler/builtin"), "extension/server/compiler/builtin"),
  ];
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** What the editor reads before it unpacks anything. */
function vsixManifest({ name, displayName, description, publisher, version, engines }: Manifest): string {
  const property = (id: string, value: string) =>
    `<Property Id="Microsoft.VisualStudio.Code.${id}" Value="${value}" />`;
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}" />
    <DisplayName>${escaped(displayName)}</DisplayName>
    <Description xml:space="preserve">${escaped(description)}</Description>
    <Categories>Programming Languages,Linters,Formatters</Categories>
    <Properties>${property("Engine", escaped(engines.vscode))}${property("ExtensionKind", "workspace")}</Properties>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code" /></Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true" />
  </Assets>
</PackageManifest>
`;
}

const contentTypes = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${[
  "json",
  "js",
  "mjs",
  "md",
  "svg",
  "txt",
  "strategy",
  "vsixmanifest",
]
  .map(
    (extension) =>
      `<Default Extension=".${extension}" ContentType="${extension === "json" ? "application/json" : "text/plain"}" />`,
  )
  .join("")}</Types>
`;

const { values } = parseArgs({ options: { out: { type: "string" } } });
const folder = resolve(values.out ?? join(root, "dist-pack"));
const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as Manifest;
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const shown = ["package.json", "README.md", "language-configuration.json"];
const members: readonly Member[] = [
  { name: "[Content_Types].xml", data: Buffer.from(contentTypes) },
  { name: "extension.vsixmanifest", data: Buffer.from(vsixManifest(manifest)) },
  ...shown.map((name) => ({ name: `extension/${name}`, data: readFileSync(join(source, name)) })),
  ...["syntaxes", "snippets", "icons"].flatMap((name) => filesBelow(join(source, name), `extension/${name}`)),
  { name: "extension/LICENSE.txt", data: readFileSync(join(root, "dist/LICENSES.txt")) },
  await extensionCode(),
  ...server(version),
];
mkdirSync(folder, { recursive: true });
const path = join(folder, `${manifest.name}-${manifest.version}.vsix`);
const chunks = zipStored(members);
writeFileSync(path, Buffer.concat(chunks));
console.log(`${relative(process.cwd(), path)} (${(statSync(path).size / 1e6).toFixed(1)} MB)`);

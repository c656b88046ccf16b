/** The command "New strategy": asks for a name and where to start from, and opens a file that checks. */
import { Uri, window, workspace } from "vscode";

const bases: readonly { readonly label: string; readonly description: string }[] = [
  { label: "text_to_video", description: "video from text, some first frames given" },
  { label: "text_to_video_with_audio", description: "video with its sound" },
  { label: "video_to_video", description: "a reference video goes before the target" },
  { label: "inpainting", description: "masked regions are filled" },
];

export async function newStrategy(): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (folder === undefined) {
    await window.showInformationMessage("Open a folder first: a strategy lies next to its train.yaml.");
    return;
  }
  const isName = (text: string) => /^[a-z][a-z0-9_]*$/.test(text);
  const name = await window.showInputBox({
    prompt: "Name of the strategy, as train.yaml names it",
    validateInput: (text) => (isName(text) ? null : "lower-case letters, digits and _, beginning with a letter"),
  });
  if (name === undefined) return;
  const base = await window.showQuickPick(bases, { title: "What it extends" });
  if (base === undefined) return;
  const file = Uri.joinPath(folder, `${name}.strategy`);
  const exists = await workspace.fs.stat(file).then(
    () => true,
    () => false,
  );
  if (!exists)
    await workspace.fs.writeFile(file, new TextEncoder().encode(`strategy: ${name}\nextends: ${base.label}\n`));
  await window.showTextDocument(file);
}

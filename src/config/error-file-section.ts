import type { Context } from "./context.js";
import { type ErrorFile, parseErrorFile } from "./error-file.js";
import { quote } from "./problem.js";
import type { Path } from "./source.js";

/** Reads `errorfiles:`, and the files that it names. */
export function readErrorFiles(
  path: Path,
  shape: Readonly<Record<string, string>> | undefined,
  context: Context,
): ErrorFile[] {
  const files: ErrorFile[] = [];
  for (const [word, file] of context.members(path, shape)) {
    const at = [...path, word];
    if (!/^[45]\d\d$/.test(word)) {
      context.problem(at, `${quote(word)} is no status of an error`, "write one from 400 to 599", "key");
      continue;
    }
    const bytes = context.surroundings.bytes(file);
    const page = bytes.ok ? parseErrorFile(bytes.value) : bytes;
    if (page.ok) files.push({ status: Number(word), path: file, page: page.value });
    else context.problem(at, `${file} cannot be sent for ${word}: ${page.message}`, page.advice);
  }
  return files;
}

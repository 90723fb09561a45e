import { type Document, visit } from "yaml";
import { type Parsed, parsed, quote, refused } from "./problem.js";
import { besideFile, type Surroundings } from "./surroundings.js";

/**
 * References in the values of a configuration file:
 *
 *     ${NAME}            the environment variable NAME, which must be set
 *     ${NAME:-8080}      the same, or 8080 where it is not set or empty
 *     ${file:/etc/key}   the text of a file, without the line ends behind it; a relative path is beside the configuration
 *     $${NAME}           the seven characters ${NAME} themselves
 *
 * A value without quotes that becomes a number or a truth by it is one (`priority: ${PRIORITY}`); what comes from a
 * file stays text.
 */
const reference = /\$(\$+\{)|\$\{([^}]*)\}|\$\{/g;
const variableWord = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** A text with its references filled in, or the first of them that cannot be. */
export function expandText(text: string, file: string, surroundings: Surroundings): Parsed<string> {
  let refusal: Parsed<never> | null = null;
  const value = text.replace(reference, (_whole, escaped?: string, word?: string) => {
    if (escaped !== undefined) return escaped;
    const result = lookUp(word, file, surroundings);
    if (result.ok) return result.value;
    refusal ??= result;
    return "";
  });
  return refusal ?? parsed(value);
}

/** The text that `expandText` turns into `text`. */
export function escapeReferences(text: string): string {
  return text.replace(/\$+\{/g, (signs) => `$${signs}`);
}

function lookUp(word: string | undefined, file: string, surroundings: Surroundings): Parsed<string> {
  if (word?.startsWith("file:")) {
    const read = surroundings.read(besideFile(file, word.slice("file:".length)));
    return read.ok ? parsed(read.value.replace(/[\r\n]+$/, "")) : read;
  }
  const parts = word === undefined ? null : variableWord.exec(word);
  if (parts === null) {
    return refused(
      `${quote(`\${${word ?? ""}`)} begins no reference`,
      "write ${NAME}, ${NAME:-default} or ${file:/path}, or $${ if these signs themselves are meant",
    );
  }
  const [, name, fallback] = parts;
  const value = surroundings.variable(name);
  // As the shell has it: `:-` stands in for an empty value too.
  if (value !== undefined && (value !== "" || fallback === undefined)) return parsed(value);
  if (fallback !== undefined) return parsed(fallback);
  return refused(
    `the environment variable ${name} is not set`,
    `set it, or write \${${name}:-default}; $\${ if these signs themselves are meant`,
  );
}

/** Fills in the references of all values of a document, in place; keys are left as they are. */
export function expandDocument(
  document: Document,
  file: string,
  surroundings: Surroundings,
  refuse: (offset: number, message: string, advice: string) => void,
): void {
  visit(document, {
    Scalar(key, scalar) {
      if (key === "key" || typeof scalar.value !== "string" || !scalar.value.includes("${")) return;
      const isPlain = scalar.type === "PLAIN" && !scalar.value.includes("${file:");
      const result = expandText(scalar.value, file, surroundings);
      if (!result.ok) {
        refuse(scalar.range?.[0] ?? 0, result.message, result.advice);
        return;
      }
      scalar.source = result.value;
      scalar.value = isPlain ? typed(result.value) : result.value;
    },
  });
}

/** The number or the truth that YAML would read in this plain text. */
function typed(text: string): string | number | boolean {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text;
}

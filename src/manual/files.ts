import { completionFor } from "../cli/completion.js";
import { editorSchema } from "./json-schema.js";
import { configurationReference } from "./markdown.js";
import { commandPage, configurationPage } from "./roff.js";

/** The files that are made from the schema and the usage, by their paths in this repository. */
export function generatedFiles(version: string): ReadonlyMap<string, string> {
  return new Map([
    ["docs/configuration.md", configurationReference()],
    ["docs/lb.schema.json", editorSchema()],
    ["packaging/man/lb.8", commandPage(version)],
    ["packaging/man/lb.yaml.5", configurationPage(version)],
    ["packaging/completion/lb.bash", completionFor("bash")],
    ["packaging/completion/_lb", completionFor("zsh")],
  ]);
}

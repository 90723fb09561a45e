import { type Section, schemaSections } from "./schema-words.js";

/** `docs/configuration.md`: the words of `lb.yaml`, from its schema. Pure. */
export function configurationReference(): string {
  return `${introduction}\n${schemaSections().map(describeSection).join("\n")}`;
}

const introduction = `# Configuration

Every word of \`lb.yaml\`, made from its schema by \`npm run docs\`. Editors that know the YAML language server take the schema itself:
\`# yaml-language-server: $schema=/opt/lb/docs/lb.schema.json\` in the file's first line. [examples/](../examples/) has a small file for
each feature. \`lb check\` says everything that is wrong, with line and column; \`lb check --print\` shows the file with all defaults
and without its secrets; \`lb plan\` says what a reload would do.

## References

In any value, but not in a word:

| written | stands for |
|---|---|
| \`\${NAME}\` | the environment variable NAME; that it is not set is a mistake |
| \`\${NAME:-8080}\` | the same, or \`8080\` where it is not set or empty |
| \`\${file:/etc/lb/password}\` | the text of a file, without the line end behind it; a relative path is beside the file it stands in |
| \`$\${NAME}\` | the characters \`\${NAME}\` themselves |

A value without quotes that becomes a number, \`true\` or \`false\` by it is one: \`priority: \${PRIORITY}\`. What comes from a file stays text. Inside of
\`{ … }\` YAML wants it in quotes. A reload
reads them anew. Under systemd, variables come from \`/etc/default/lb\`.

\`include:\` names further files, alone or as \`conf.d/*.yaml\`. Their words join those that are there, and where a word has a mapping in
several files (\`proxies:\`, \`vrrp:\`) member by member. The same member twice is a mistake, and never a silent winner.

Times have a unit: \`500ms\`, \`5s\`, \`1m\`, \`1h\`, \`2d\`. Without one, keepalived's words count seconds and HAProxy's milliseconds, as there.
`;

function describeSection({ path, words }: Section): string {
  const rows = words.map(
    ({ name, value, default: fallback, meaning, section }) =>
      `| \`${name}\` | ${cell(section === null ? value : link(value, section))} | ${cell(fallback ?? "")} | ${cell(meaning)} |`,
  );
  const title = path === "" ? "## The file" : `## ${path}`;
  return `${title}\n\n| word | value | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function link(value: string, section: string): string {
  // GitHub's anchors: lower case, without dots.
  return `[${value === "" ? section : value}](#${section.toLowerCase().replaceAll(".", "")})`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

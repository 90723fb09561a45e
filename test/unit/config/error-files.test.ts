import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { parseErrorFile } from "../../../src/config/error-file.js";
import { loadConfig } from "../../../src/config/load.js";
import { describeProblem } from "../../../src/config/problem.js";
import { theseSurroundings } from "../../../src/config/read-file.js";
import { serializeConfig } from "../../../src/config/serialize.js";

const folder = mkdtempSync(join(tmpdir(), "lb-errors-"));
const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content, "latin1");
  return path;
};

function load(errorfiles: string) {
  const text = `proxies:\n  http:\n    bind: 192.0.2.1:80\n    servers: { web01: 10.0.0.1:80 }\n    errorfiles: ${errorfiles}\n`;
  const { config, problems } = loadConfig(
    text,
    "lb.yaml",
    { hostname: "lb", cores: 1 },
    theseSurroundings({}),
  );
  return { config, files: config?.proxies[0].errorFiles, problems: problems.map(describeProblem) };
}

t.test("a file is read with the configuration, and its own framing is not taken", async (t) => {
  const path = write(
    "503.http",
    "HTTP/1.0 503 Service Unavailable\r\nContent-Length: 3\r\nConnection: close\r\nContent-Type:text/html \r\n\r\n<h1>\xe4</h1>\n",
  );
  const { config, files, problems } = load(`{ 503: ${path}, 502: /dev/null }`);
  t.same(problems, []);
  t.same(files, [
    {
      status: 503,
      path,
      page: {
        statusLine: "HTTP/1.1 503 Service Unavailable",
        fields: ["Content-Type: text/html"],
        body: "<h1>\xe4</h1>\n",
      },
    },
    { status: 502, path: "/dev/null", page: null },
  ]);
  if (config === null) return;
  const written = loadConfig(
    serializeConfig(config, "shown"),
    "f",
    { hostname: "lb", cores: 1 },
    theseSurroundings({}),
  );
  t.same(written.config?.proxies, config.proxies);
});

t.test("lines may end with LF alone, and another status than the word's is sent as it is", async (t) => {
  t.match(parseErrorFile(Buffer.from("HTTP/1.1 200 OK\nA: b\n\nfine")), {
    ok: true,
    value: { statusLine: "HTTP/1.1 200 OK", fields: ["A: b"], body: "fine" },
  });
});

for (const [name, content, expected] of [
  [
    "a page without a head",
    "<html>sorry</html>\n",
    /503: it has no empty line between its fields and its body/,
  ],
  [
    "no status line",
    "Content-Type: a/b\r\n\r\nx",
    /it begins with "Content-Type: a\/b"\. Begin it with a status/,
  ],
  ["an interim status", "HTTP/1.1 100 Continue\r\n\r\n", /it begins with "HTTP\/1\.1 100 Continue"/],
  ["a line that is no field", "HTTP/1.1 503 No\r\nwhat\r\n\r\n", /"what" in it is no field/],
  ["a 204 with a body", "HTTP/1.1 204 No\r\n\r\nx", /a 204 has no body/],
  [
    "a large one",
    `HTTP/1.1 503 No\r\n\r\n${"x".repeat(65_536)}`,
    /it has 65555 bytes\. Make it at most 65536/,
  ],
] as const) {
  t.test(`refused: ${name}`, async (t) => {
    const { config, problems } = load(`{ 503: ${write("bad.http", content)} }`);
    t.equal(config, null);
    t.match(problems, [expected]);
    t.match(problems[0], /^lb\.yaml:5:24: /);
  });
}

t.test("refused: no file, no absolute path, no error", async (t) => {
  t.match(load("{ 503: /nowhere/503.http }").problems, [/cannot be read \(ENOENT\)/]);
  t.match(load("{ 503: 503.http }").problems, [/this path is not absolute/]);
  t.match(load(`{ 503: ${folder} }`).problems, [/it is a directory/]);
  t.match(load("{ 200: /dev/null, moved: /dev/null }").problems, [
    /"200" is no status of an error\. Write one from 400 to 599/,
    /"moved" is no status/,
  ]);
});

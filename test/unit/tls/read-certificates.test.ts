import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { Authority } from "../../../lab/authority.js";
import { makeCertificate } from "../../../lab/certificate.js";
import { describeProblem } from "../../../src/config/problem.js";
import { readCertificates } from "../../../src/process/read-certificates.js";

const folder = mkdtempSync(join(tmpdir(), "lb-crt-"));
t.teardown(() => rmSync(folder, { recursive: true }));

const read = (file: string): string => readFileSync(file, "utf8");
/** Writes a file of the folder and returns its path. */
function write(name: string, ...texts: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, texts.join("\n"));
  return path;
}

const site = makeCertificate(folder, "site.example", { names: ["*.site.example"], days: 90 });
const other = makeCertificate(folder, "other.example", { days: 90 });
const [siteCrt, siteKey, otherCrt] = [site.certificate, site.key, other.certificate].map(read);

async function judge(...crt: readonly string[]) {
  const proxy = { name: "web", listen: [{ address: "0.0.0.0", port: 443, tls: { crt } }], servers: [] };
  const { certificates, problems, warnings } = await readCertificates([proxy], Date.now());
  const found = crt.flatMap((path) => certificates.byPath.get(path) ?? []);
  const short = (text: string): string => text.replaceAll(`${folder}/`, "");
  return {
    found: found.map(({ file, names }) => `${short(file)}: ${names.join(" ")}`),
    problems: problems.map((problem) => short(describeProblem(problem))),
    warnings: warnings.map((warning) => short(describeProblem(warning))),
  };
}

t.test("a file with a certificate, its chain and its key, in any order", async (t) => {
  for (const text of [
    [siteCrt, siteKey, otherCrt],
    [siteKey, siteCrt],
  ]) {
    t.same(await judge(write("site.pem", ...text)), {
      found: ["site.pem: site.example *.site.example"],
      problems: [],
      warnings: [],
    });
  }
});

t.test("the key may lie beside it, as HAProxy has it", async (t) => {
  const file = write("beside.pem", siteCrt);
  write("beside.pem.key", siteKey);
  t.same((await judge(file)).problems, []);
});

t.test(
  "a directory: every certificate in it, by name, and what lies beside them is passed over",
  async (t) => {
    const path = join(folder, "all");
    mkdirSync(path);
    write("all/b.pem", siteCrt, siteKey);
    write("all/a.pem", otherCrt);
    write("all/a.pem.key", read(other.key));
    write("all/b.pem.ocsp", "x");
    write("all/.hidden", "x");
    t.same(await judge(path), {
      found: ["all/a.pem: other.example", "all/b.pem: site.example *.site.example"],
      problems: [],
      warnings: [],
    });
  },
);

t.test("what is wrong is said with the file and what to do, all of it at once", async (t) => {
  const encrypted = execFileSync("openssl", ["pkcs8", "-topk8", "-in", site.key, "-passout", "pass:x"], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  mkdirSync(join(folder, "empty"));
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const { problems } = await judge(
    join(folder, "nowhere.pem"),
    join(folder, "empty"),
    write("text.pem", "not PEM"),
    write("keyless.pem", siteCrt),
    write("broken.pem", broken, siteKey),
    write("badkey.pem", siteCrt, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
    write("locked.pem", siteCrt, encrypted),
    write("mismatch.pem", otherCrt, siteKey),
    write("reversed.pem", otherCrt, siteCrt, siteKey),
  );
  t.match(problems, [
    "nowhere.pem: it is not there. Correct the path, or who may read the file.",
    /\/empty: there is no certificate in this directory\. |^empty: there is no certificate in this directory\. /,
    /^text\.pem: there is no certificate in it\. /,
    /^keyless\.pem: there is no private key in it\. Append the key, or put it into keyless\.pem\.key\./,
    /^broken\.pem: its certificate cannot be read\. /,
    /^badkey\.pem: its key cannot be read\. /,
    "locked.pem: its key is encrypted. Decrypt it with openssl pkey.",
    /^mismatch\.pem: its key is not that of its first certificate\. Put the key there/,
    /^reversed\.pem: its key is not that of its first certificate\. Put the server's own certificate in front/,
  ]);
  t.equal(problems.length, 9);
});

t.test("a certificate that has expired, or is about to, is served with a warning", async (t) => {
  const soon = makeCertificate(folder, "soon.example", { days: 3 });
  const file = write("soon.pem", read(soon.certificate), read(soon.key));
  const now = await judge(file);
  t.match(now.warnings, [/^soon\.pem: it expires on .* GMT\. Renew it, and reload\.$/]);
  t.same(now.found, ["soon.pem: soon.example"]);
  const proxy = {
    name: "web",
    listen: [{ address: "0.0.0.0", port: 443, tls: { crt: [file] } }],
    servers: [],
  };
  const later = await readCertificates([proxy], Date.now() + 10 * 86_400_000);
  t.match(later.warnings, [{ message: /^it expired on / }]);
  const before = await readCertificates([proxy], Date.now() - 10 * 86_400_000);
  t.match(before.warnings, [{ message: /^it is not valid before / }]);
});

t.test("who is trusted, and what is shown to servers", async (t) => {
  const server = (name: string, caFile: string, crt: string) =>
    ({ name, host: "192.0.2.1", port: 443, tls: { verify: "required", caFile, crt } }) as const;
  const good = write("client.pem", siteCrt, siteKey);
  const authorities = write("ca.pem", siteCrt, otherCrt);
  const servers = [
    server("a", authorities, good),
    server("b", write("none.pem", siteKey), write("keyless2.pem", siteCrt)),
    server("c", join(folder, "missing.pem"), good),
    server("d", write("odd.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), folder),
  ];
  const { certificates, problems } = await readCertificates(
    [{ name: "web", listen: [], servers }],
    Date.now(),
  );
  t.same([...certificates.authorities], [[authorities, siteCrt + otherCrt]]);
  t.equal(certificates.byPath.get(good)?.[0].key, siteKey);
  t.same(
    problems.map(({ where, message }) => `${where.slice(folder.length)} ${message}`),
    [
      "/keyless2.pem there is no private key in it",
      " it cannot be read (EISDIR)",
      "/none.pem there is no certificate in it",
      "/missing.pem it is not there",
      "/odd.pem one of its certificates cannot be read",
    ],
  );
});

t.test("ciphers that OpenSSL does not know are found before a thread meets them", async (t) => {
  const file = write("good.pem", siteCrt, siteKey);
  const judgeCiphers = async (ciphers: string) => {
    const listen = [{ address: "0.0.0.0", port: 443, tls: { crt: [file], ciphers } }];
    const { problems } = await readCertificates([{ name: "web", listen, servers: [] }], Date.now());
    return problems.map(describeProblem);
  };
  t.same(await judgeCiphers("ECDHE+AESGCM:!aNULL"), []);
  t.match(await judgeCiphers("ROT13"), ['web: OpenSSL knows none of the ciphers "ROT13". Write a list']);
});

t.test("who signs clients' certificates, and what they have revoked", async (t) => {
  const authority = new Authority(folder, "clients-ca");
  const [ca, crl] = [authority.certificate, authority.revocations()];
  const file = write("own.pem", siteCrt, siteKey);
  const judgeClients = async (caFile: string, crlFile: string) => {
    const tls = { crt: [file], clients: { verify: "required" as const, caFile, crlFile } };
    const proxy = { name: "web", listen: [{ address: "0.0.0.0", port: 443, tls }], servers: [] };
    const { certificates, problems } = await readCertificates([proxy], Date.now());
    return { certificates, problems: problems.map(describeProblem) };
  };
  const { certificates, problems } = await judgeClients(ca, crl);
  t.same(problems, []);
  t.equal(certificates.authorities.get(ca), read(ca));
  t.match(certificates.authorities.get(crl), /^-----BEGIN X509 CRL-----/);
  const broken = write("broken.pem", read(crl).replace(/[A-Z]{4}/g, "AAAA"));
  for (const [caFile, crlFile, expected] of [
    [crl, crl, /there is no certificate in it\. Write those in PEM/],
    [ca, ca, /there is no list of revoked certificates in it/],
    [ca, broken, /there is no list of revoked certificates in it/],
    [ca, join(folder, "nowhere"), /nowhere: it is not there/],
  ] as const)
    t.match((await judgeClients(caFile, crlFile)).problems, [expected]);
});

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { ProxyConfig } from "../config/config.js";
import { type Problem, quote } from "../config/problem.js";
import type { Certificate, Certificates } from "../proxy/tls/certificate.js";
import { parsePem } from "../proxy/tls/parse-pem.js";

export interface ReadCertificates {
  readonly certificates: Certificates;
  /** `where` is the file. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** HAProxy passes these over in a directory: they belong to a certificate beside them. */
const besides = /^\.|\.(key|ocsp|issuer|sctl|dh)$/;
const soonMs = 7 * 24 * 3_600_000;

/**
 * Reads and judges every certificate that the proxies show, and those whom they trust to sign servers' and clients' ones, with what
 * those have revoked. Never throws: what is wrong comes back as problems, all of them at once.
 */
export async function readCertificates(
  proxies: readonly Pick<ProxyConfig, "name" | "listen" | "servers">[],
  nowEpochMs: number,
): Promise<ReadCertificates> {
  const findings: Findings = { problems: [], warnings: [], nowEpochMs };
  const byPath = new Map<string, readonly Certificate[]>();
  const authorities = new Map<string, string>();
  const shown = proxies.flatMap(({ listen }) => listen.flatMap(({ tls }) => tls?.crt ?? []));
  const clients = proxies.flatMap(({ listen }) => listen.flatMap(({ tls }) => tls?.clients ?? []));
  const towardsServers = proxies.flatMap(({ servers }) => servers.flatMap(({ tls }) => tls ?? []));
  const own = towardsServers.flatMap(({ crt }) => crt ?? []);
  for (const path of new Set([...shown, ...own])) {
    const found: Certificate[] = [];
    for (const file of shown.includes(path) ? await filesOf(path, findings) : [path]) {
      const certificate = await readOne(file, findings);
      if (certificate !== null) found.push(certificate);
    }
    byPath.set(path, found);
  }
  for (const path of new Set([...towardsServers, ...clients].flatMap(({ caFile }) => caFile ?? []))) {
    const text = await readAuthorities(path, findings);
    if (text !== null) authorities.set(path, text);
  }
  for (const path of new Set(clients.flatMap(({ crlFile }) => crlFile ?? []))) {
    const text = await readRevocations(path, findings);
    if (text !== null) authorities.set(path, text);
  }
  for (const { name, listen } of proxies) {
    for (const { tls } of listen) checkCiphers(name, tls?.ciphers, findings);
  }
  return {
    certificates: { byPath, authorities },
    problems: findings.problems,
    warnings: findings.warnings,
  };
}

/** What OpenSSL makes of the list; nobody else knows all of its words. */
function checkCiphers(name: string, ciphers: string | undefined, { problems }: Findings): void {
  if (ciphers === undefined) return;
  try {
    createSecureContext({ ciphers });
  } catch {
    const message = `OpenSSL knows none of the ciphers ${quote(ciphers)}`;
    if (problems.some((known) => known.where === name && known.message === message)) return;
    problems.push({
      where: name,
      message,
      advice: "write a list that openssl ciphers takes, or leave it out",
    });
  }
}

async function readAuthorities(path: string, { problems }: Findings): Promise<string | null> {
  try {
    const { certificates } = parsePem(await readFile(path, "utf8"));
    for (const certificate of certificates) new X509Certificate(certificate);
    if (certificates.length > 0) return certificates.join("");
    problems.push({
      where: path,
      message: "there is no certificate in it",
      advice: "write those in PEM who sign the certificates of the other side",
    });
  } catch (error) {
    const isFile = error instanceof Error && "syscall" in error;
    problems.push(
      isFile
        ? unreadable(path, error)
        : {
            where: path,
            message: "one of its certificates cannot be read",
            advice: "write it again; openssl x509 -noout -text reads it",
          },
    );
  }
  return null;
}

async function readRevocations(path: string, { problems }: Findings): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    problems.push(unreadable(path, error));
    return null;
  }
  const { revocations } = parsePem(text);
  try {
    if (revocations.length > 0) {
      createSecureContext({ crl: [...revocations] });
      return revocations.join("");
    }
  } catch {
    // Told below: there is none that can be read.
  }
  problems.push({
    where: path,
    message: "there is no list of revoked certificates in it",
    advice: "write those in PEM, one of each who signs; openssl crl -noout -text reads them",
  });
  return null;
}

interface Findings {
  readonly problems: Problem[];
  readonly warnings: Problem[];
  readonly nowEpochMs: number;
}

async function filesOf(path: string, { problems }: Findings): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => !besides.test(name)).sort();
    if (names.length > 0) return names.map((name) => join(path, name));
    problems.push({
      where: path,
      message: "there is no certificate in this directory",
      advice: "put a PEM file with a certificate and its key there",
    });
  } catch (error) {
    problems.push(unreadable(path, error));
  }
  return [];
}

async function readOne(file: string, findings: Findings): Promise<Certificate | null> {
  const refuse = (message: string, advice: string): null => {
    findings.problems.push({ where: file, message, advice });
    return null;
  };
  let text: string;
  let besideText: string | null;
  try {
    text = await readFile(file, "utf8");
    besideText = await readFile(`${file}.key`, "utf8").catch(() => null);
  } catch (error) {
    findings.problems.push(unreadable(file, error));
    return null;
  }
  const { certificates, key: ownKey } = parsePem(text);
  if (certificates.length === 0)
    return refuse(
      "there is no certificate in it",
      "write it in PEM: the certificate, its chain, and its key",
    );
  const keyText = ownKey ?? (besideText === null ? null : parsePem(besideText).key);
  if (keyText === null)
    return refuse("there is no private key in it", `append the key, or put it into ${file}.key`);
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificates[0]);
  } catch {
    return refuse("its certificate cannot be read", "write it again; openssl x509 -noout -text reads it");
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(keyText);
  } catch {
    const isEncrypted = keyText.includes("ENCRYPTED");
    return refuse(
      isEncrypted ? "its key is encrypted" : "its key cannot be read",
      isEncrypted ? "decrypt it with openssl pkey" : "write it again; openssl pkey -noout -text reads it",
    );
  }
  if (!leaf.checkPrivateKey(key)) {
    const isOther = certificates.slice(1).some((one) => isKeyOf(one, key));
    return refuse(
      "its key is not that of its first certificate",
      isOther
        ? "put the server's own certificate in front of its chain"
        : "put the key there that the certificate was made for",
    );
  }
  const chain = certificates.join("");
  try {
    createSecureContext({ cert: chain, key: keyText });
  } catch (error) {
    return refuse(
      `OpenSSL does not take it (${reasonOf(error)})`,
      "make it anew with a key of today's strength",
    );
  }
  warnOfTime(file, leaf, findings);
  return { file, chain, key: keyText, names: namesOf(leaf) };
}

function isKeyOf(certificate: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(key);
  } catch {
    return false;
  }
}

/** Served all the same, as HAProxy does: an expired certificate is for clients to judge. */
function warnOfTime(file: string, leaf: X509Certificate, { warnings, nowEpochMs }: Findings): void {
  const untilMs = Date.parse(leaf.validTo);
  if (untilMs <= nowEpochMs)
    warnings.push({ where: file, message: `it expired on ${leaf.validTo}`, advice: "renew it, and reload" });
  else if (untilMs <= nowEpochMs + soonMs)
    warnings.push({ where: file, message: `it expires on ${leaf.validTo}`, advice: "renew it, and reload" });
  if (Date.parse(leaf.validFrom) > nowEpochMs)
    warnings.push({
      where: file,
      message: `it is not valid before ${leaf.validFrom}`,
      advice: "look at the clock, and at the certificate",
    });
}

/** RFC 6125 §6.4.4: the common name counts only where no DNS name stands among the alternative ones. */
function namesOf(leaf: X509Certificate): string[] {
  const alternative = [...(leaf.subjectAltName ?? "").matchAll(/(?:^|, )DNS:("[^"]*"|[^,]+)/g)].map(
    ([, name]) => name.replaceAll('"', "").toLowerCase(),
  );
  if (alternative.length > 0) return alternative;
  const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

function unreadable(path: string, error: unknown): Problem {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return {
    where: path,
    message: code === "ENOENT" ? "it is not there" : `it cannot be read (${code})`,
    advice: "correct the path, or who may read the file",
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && "reason" in error) return String(error.reason);
  return error instanceof Error ? error.message : String(error);
}

import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateWords {
  /** DNS names besides its common name, which is one too. */
  readonly names?: readonly string[];
  /** How long it is valid from now on; negative: it expired so long ago. */
  readonly days?: number;
  readonly key?: "ec" | "rsa";
}

/** A self-signed certificate for `name`, made anew in `folder`. */
export function makeCertificate(folder: string, name: string, words: CertificateWords = {}): Certificate {
  const { names = [], days = 2, key: kind = "ec" } = words;
  const certificate = join(folder, `${name}.crt`);
  const key = join(folder, `${name}.key`);
  const algorithm =
    kind === "ec" ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] : ["-newkey", "rsa:2048"];
  const alternative = [name, ...names].map((one) => `DNS:${one}`).join(",");
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alternative}`];
  const options = [...algorithm, "-nodes", "-days", `${days}`, ...subject];
  execFileSync("openssl", ["req", "-x509", ...options, "-keyout", key, "-out", certificate], {
    stdio: "pipe",
  });
  return { certificate, key };
}

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificate } from "./certificate.js";

/** Signs certificates of clients, and revokes them: `openssl ca` in a folder of its own. */
export class Authority {
  private readonly folder: string;

  constructor(scratch: string, name: string) {
    this.folder = join(scratch, name);
    mkdirSync(this.folder);
    const settings: Record<string, string> = {
      database: "index.txt",
      new_certs_dir: ".",
      serial: "serial",
      crlnumber: "crlnumber",
      certificate: "ca.crt",
      private_key: "ca.key",
      default_md: "sha256",
      default_days: "2",
      default_crl_days: "2",
      policy: "any",
    };
    const lines = Object.entries(settings).map(([word, value]) => `${word}=${value}`);
    const policy = ["[any]", "organizationName=optional", "commonName=supplied"];
    this.write("ca.cnf", ["[ca]", "default_ca=own", "[own]", ...lines, ...policy].join("\n"));
    this.write("index.txt", "");
    this.write("serial", "01\n");
    this.write("crlnumber", "01\n");
    this.openssl(
      "req",
      "-x509",
      ...newKey,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      ...["-keyout", "ca.key"],
      ...["-out", "ca.crt"],
    );
  }

  /** PEM file of its own certificate. */
  get certificate(): string {
    return join(this.folder, "ca.crt");
  }

  /** A certificate that it has signed for `subject`, such as `/O=Org/CN=ann`. */
  sign(name: string, subject: string): Certificate {
    this.openssl("req", ...newKey, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    this.openssl("ca", "-batch", "-config", "ca.cnf", "-notext", "-in", `${name}.csr`, "-out", `${name}.crt`);
    return { certificate: join(this.folder, `${name}.crt`), key: join(this.folder, `${name}.key`) };
  }

  revoke({ certificate }: Certificate): void {
    this.openssl("ca", "-config", "ca.cnf", "-revoke", certificate);
  }

  /** PEM file with the list of what has been revoked up to now. */
  revocations(): string {
    this.openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.pem");
    return join(this.folder, "crl.pem");
  }

  private write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  private openssl(...words: string[]): void {
    execFileSync("openssl", words, { cwd: this.folder, stdio: "pipe" });
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

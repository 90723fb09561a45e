import Type from "typebox";
import { closed, oneOrMore, text, truth } from "./schema-words.js";

/** The shape of a proxy's `bind:`, HAProxy's. */

const addressTitle = "an address such as 192.168.33.84:80";

const tlsMapping = Type.Object(
  {
    crt: oneOrMore(
      "a PEM file or a directory of them",
      "Certificates, each with its chain and key in one file; the first is for clients that name no other.",
    ),
    alpn: oneOrMore(
      "a protocol such as h2",
      "Protocols offered, best first; in mode http h2 and http/1.1. Default: none, and clients speak HTTP/1.1.",
    ),
    min_version: Type.Optional(
      Type.Enum(["TLSv1.2", "TLSv1.3"], {
        title: "TLSv1.2 or TLSv1.3",
        description: "The oldest version that is spoken. Default TLSv1.2.",
      }),
    ),
    verify: Type.Optional(
      Type.Enum(["none", "optional", "required"], {
        title: "none, optional or required",
        description: "Whether clients show a certificate; one that is shown must be good. Default none.",
      }),
    ),
    ca_file: text("a PEM file", "Who signs the clients' certificates, where verify asks for them."),
    crl_file: text("a PEM file", "Lists of the certificates that those have revoked, one of each of them."),
    strict_sni: truth("Who names no server that a certificate is for is refused. Default false."),
    ciphers: text("a list such as ECDHE+AESGCM", "OpenSSL's list for TLS 1.2. Default: Node's."),
  },
  { ...closed, title: "a mapping such as { crt: /etc/lb/certs }" },
);

const bindMapping = Type.Object(
  {
    address: oneOrMore(addressTitle, "Where the clients come in."),
    accept_proxy: truth("Each connection begins with a PROXY header, version 1 or 2. Default false."),
    tls: Type.Optional(tlsMapping),
  },
  { ...closed, title: "a mapping with address" },
);

const bind = Type.Union([Type.String(), bindMapping], { title: addressTitle });

export const bindSchema = Type.Optional(
  Type.Union([Type.String(), bindMapping, Type.Array(bind)], {
    title: `${addressTitle}, or a list of them`,
    description:
      "Where the clients come in: an address, *:80, [::]:80, or a range of ports such as *:8000-8009; a mapping with address says more.",
  }),
);

export type BindTlsShape = Type.Static<typeof tlsMapping>;
export type BindShape = Type.Static<typeof bindSchema>;

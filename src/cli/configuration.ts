import type { Config } from "../config/config.js";
import { demoConfig } from "../config/defaults.js";
import { applyFlags } from "../config/flags.js";
import { loadConfig } from "../config/load.js";
import type { Problem } from "../config/problem.js";
import { defaultConfigPath, readConfigFile, theseSurroundings, thisMachine } from "../config/read-file.js";
import { readCertificates } from "../process/read-certificates.js";
import { type Certificates, noCertificates } from "../proxy/tls/certificate.js";
import type { Arguments } from "./arguments.js";
import { unitConfinement } from "./read-unit.js";

/** What the file, the flags and the defaults come to: a configuration, or everything that is wrong. */
export interface Configuration {
  readonly config: Config | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** The file's path, or "the built-in demo". */
  readonly from: string;
}

/** A configuration, and what its files of certificates hold. */
export interface FullConfiguration extends Configuration {
  readonly certificates: Certificates;
}

/** `readConfiguration`, with the certificates that it names: what is wrong with them is wrong with the configuration. */
export async function readFullConfiguration(args: Arguments): Promise<FullConfiguration> {
  const read = await readConfiguration(args);
  if (read.config === null) return { ...read, certificates: noCertificates };
  const { certificates, problems, warnings } = await readCertificates(read.config.proxies, Date.now());
  return {
    ...read,
    config: problems.length > 0 ? null : read.config,
    problems: [...read.problems, ...problems],
    warnings: [...read.warnings, ...warnings],
    certificates,
  };
}

/** Reads the configuration that a command line asks for. Throws LbError LB_NO_CONFIG, LB_CONFIG_UNREADABLE. */
async function readConfiguration(args: Arguments): Promise<Configuration> {
  const file = await readConfigFile(args.config, process.env);
  // Another file may be for a daemon that is started by hand.
  const confinement = file?.path === defaultConfigPath ? unitConfinement() : null;
  const machine = { ...thisMachine(), confinement };
  const loaded =
    file === null
      ? { config: demoConfig(machine), problems: [], warnings: [] }
      : loadConfig(file.text, file.path, machine, theseSurroundings(process.env));
  const from = file?.path ?? "the built-in demo";
  const { warnings } = loaded;
  if (loaded.config === null) return { config: null, problems: loaded.problems, warnings, from };
  const merged = applyFlags(loaded.config, args.flags, file === null);
  return { config: merged.config, problems: merged.problems, warnings, from };
}

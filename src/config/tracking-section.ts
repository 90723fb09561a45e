import { parseInterface } from "./address.js";
import { parseCommand } from "./command-words.js";
import { type Context, each } from "./context.js";
import { defaultFitness } from "./defaults.js";
import { quote } from "./problem.js";
import type { FileShape } from "./schema.js";
import type { Path } from "./source.js";
import { suggestion } from "./suggest.js";
import type {
  FitnessConfig,
  ScriptConfig,
  TrackConfig,
  TrackedItem,
  TrackedThings,
  TrackFileConfig,
  TrackProcessConfig,
  UserConfig,
} from "./tracking-config.js";
import type {
  FitnessShape,
  ScriptShape,
  SyncGroupShape,
  TrackFileShape,
  TrackProcessShape,
} from "./tracking-schema.js";

/** A weight as a user writes it. */
export interface Weighing {
  readonly weight: number;
  readonly reverse: boolean;
}

/** What is declared at the top of the file, and with which weights. */
export interface Declared {
  readonly things: TrackedThings;
  readonly weights: {
    readonly scripts: ReadonlyMap<string, Weighing>;
    readonly files: ReadonlyMap<string, Weighing>;
    readonly processes: ReadonlyMap<string, Weighing>;
  };
}

const noFault: Weighing = { weight: 0, reverse: false };
const defaultWeight: Weighing = { weight: 1, reverse: false };

/** Reads `vrrp_script:`, `vrrp_track_file:` and `vrrp_track_process:`. */
export function readDeclared(file: FileShape, defaultUser: UserConfig | null, context: Context): Declared {
  const scripts = context.members(["vrrp_script"], file.vrrp_script);
  const files = context.members(["vrrp_track_file"], file.vrrp_track_file);
  const processes = context.members(["vrrp_track_process"], file.vrrp_track_process);
  return {
    things: {
      scripts: scripts.map(([name, shape]) => readScript(name, shape, defaultUser, context)),
      files: files.map(([name, shape]) => readTrackFile(name, shape, context)),
      processes: processes.map(([name, shape]) => readTrackProcess(name, shape, context)),
    },
    weights: {
      scripts: weights("vrrp_script", scripts, 253, noFault, context),
      files: weights("vrrp_track_file", files, 2_147_483_647, defaultWeight, context),
      processes: weights("vrrp_track_process", processes, 254, defaultWeight, context),
    },
  };
}

function weights(
  section: string,
  members: readonly [string, { readonly weight?: number | string }][],
  most: number,
  fallback: Weighing,
  context: Context,
): Map<string, Weighing> {
  return new Map(
    members.map(([name, { weight }]) => [
      name,
      weight === undefined ? fallback : readWeight([section, name, "weight"], String(weight), most, context),
    ]),
  );
}

/** `-20`, or `-20 reverse`. */
function readWeight(path: Path, text: string, most: number, context: Context): Weighing {
  const match = /^([+-]?\d{1,10})(?:\s+(reverse|noreverse|no_reverse))?$/.exec(text.trim());
  const weight = Number(match?.[1]);
  if (match === null || Math.abs(weight) > most) {
    context.problem(
      path,
      `${quote(text)} is not a weight`,
      `write a number from -${most} to ${most}, and reverse behind it to turn it round`,
    );
    return noFault;
  }
  // Adding 0 turns -0 into 0.
  return { weight: weight + 0, reverse: match[2] === "reverse" };
}

function readScript(
  name: string,
  shape: ScriptShape,
  defaultUser: UserConfig | null,
  context: Context,
): ScriptConfig {
  const path = ["vrrp_script", name];
  if (shape.script === undefined) {
    context.missing([...path, "script"], `${name} has no script`, "add script: with a command");
  }
  const intervalMs = context.duration([...path, "interval"], shape.interval, "s", 1000, 20);
  return {
    name,
    script: readCommand([...path, "script"], shape.script, context),
    intervalMs,
    timeoutMs: context.duration([...path, "timeout"], shape.timeout, "s", intervalMs, 1),
    rise: shape.rise ?? 1,
    fall: shape.fall ?? 1,
    initFail: shape.init_fail ?? false,
    user: shape.user === undefined ? defaultUser : readUser([...path, "user"], shape.user, context),
  };
}

function readTrackFile(name: string, shape: TrackFileShape, context: Context): TrackFileConfig {
  const path = ["vrrp_track_file", name];
  if (shape.file === undefined) {
    context.missing([...path, "file"], `${name} has no file`, "add file: with a path");
  } else if (!shape.file.startsWith("/")) {
    context.problem([...path, "file"], `${quote(shape.file)} is not an absolute path`, "begin it with /");
  }
  return {
    name,
    file: shape.file ?? "",
    init: readInitFile([...path, "init_file"], shape.init_file, context),
  };
}

function readInitFile(
  path: Path,
  value: string | number | boolean | undefined,
  context: Context,
): TrackFileConfig["init"] {
  if (value === undefined || value === false) return null;
  const text = value === true ? "0" : String(value);
  const match = /^([+-]?\d{1,10})?\s*(overwrite)?$/.exec(text.trim());
  if (match === null) {
    context.problem(
      path,
      `${quote(text)} cannot begin a file`,
      "write a number, and overwrite behind it if need be",
    );
    return null;
  }
  return { value: Number(match[1] ?? 0) + 0, overwrite: match[2] !== undefined };
}

function readTrackProcess(name: string, shape: TrackProcessShape, context: Context): TrackProcessConfig {
  const path = ["vrrp_track_process", name];
  if (shape.process === undefined) {
    context.missing([...path, "process"], `${name} has no process`, "add process: with its name");
  }
  const process = readCommand([...path, "process"], shape.process, context);
  const fullCommand = shape.full_command ?? false;
  if (process.length === 1 && !fullCommand && new TextEncoder().encode(process[0]).length > 15) {
    context.warning(
      [...path, "process"],
      `the kernel cuts the name ${process[0]} to 15 bytes, and so it is compared`,
      "write the first 15 bytes, or add full_command: true",
    );
  }
  const delayMs = context.duration([...path, "delay"], shape.delay, "s", 0, 0);
  return {
    name,
    process,
    fullCommand,
    quorum: shape.quorum ?? 1,
    forkDelayMs: context.duration([...path, "fork_delay"], shape.fork_delay, "s", delayMs, 0),
    terminateDelayMs: context.duration([...path, "terminate_delay"], shape.terminate_delay, "s", delayMs, 0),
  };
}

/** A command's words; empty with a problem. */
export function readCommand(path: Path, text: string | undefined, context: Context): readonly string[] {
  return text === undefined ? [] : context.take(path, parseCommand(text), []);
}

/** `nobody`, or `nobody nogroup`. */
export function readUser(path: Path, text: string | undefined, context: Context): UserConfig | null {
  if (text === undefined) return null;
  const [user, group, ...others] = text.trim().split(/\s+/);
  if (others.length > 0 || user === "") {
    context.problem(path, `${quote(text)} is not a user`, "write a user's name, and a group's behind it");
    return null;
  }
  return { user, group: group ?? null };
}

/** Reads `track_interface:`, `track_script:`, `track_file:` and `track_process:` of an instance or a group. */
export function readTrack(
  path: Path,
  shape: Pick<SyncGroupShape, "track_interface" | "track_script" | "track_file" | "track_process">,
  { weights }: Declared,
  context: Context,
): TrackConfig {
  return {
    interfaces: readItems([...path, "track_interface"], shape.track_interface, null, 253, context),
    scripts: readItems([...path, "track_script"], shape.track_script, weights.scripts, 253, context),
    files: readItems([...path, "track_file"], shape.track_file, weights.files, 2_147_483_647, context),
    processes: readItems([...path, "track_process"], shape.track_process, weights.processes, 254, context),
  };
}

/** `name`, `name weight N`, `name weight N reverse`. `declared` null: any name will do. */
function readItems(
  path: Path,
  value: string | readonly string[] | undefined,
  declared: ReadonlyMap<string, Weighing> | null,
  most: number,
  context: Context,
): TrackedItem[] {
  const items: TrackedItem[] = [];
  for (const [at, text] of each(path, value)) {
    const [name, word, ...rest] = text.trim().split(/\s+/);
    if (declared === null) context.take(at, parseInterface(name), "");
    const known = declared === null ? noFault : declared.get(name);
    if (known === undefined) {
      const words = [...(declared?.keys() ?? [])];
      const section = path.at(-1)?.replace("track_script", "script");
      context.problem(
        at,
        `there is no vrrp_${section} ${quote(name)}`,
        words.length === 0 ? `declare it at the top, as vrrp_${section}:` : suggestion(name, words),
      );
      continue;
    }
    if (word !== undefined && word !== "weight") {
      context.problem(at, `${quote(word)} is not known behind ${name}`, `write ${name} weight -20`);
      continue;
    }
    const weighing = word === undefined ? known : readWeight(at, rest.join(" "), most, context);
    if (items.some((item) => item.name === name)) {
      context.problem(at, `${name} is tracked twice`, "keep one of them");
    }
    items.push({ name, ...weighing });
  }
  return items;
}

/** Reads `fitness:`. */
export function readFitness(shape: FitnessShape | undefined): FitnessConfig {
  const pick = <T>(value: T | false | undefined, fallback: T): T | null =>
    value === undefined ? fallback : value === false ? null : value;
  return {
    threads: pick(shape?.threads, defaultFitness.threads),
    listeners: pick(shape?.listeners, defaultFitness.listeners),
    servers: pick(shape?.servers, defaultFitness.servers),
    control: pick(shape?.control, defaultFitness.control),
  };
}

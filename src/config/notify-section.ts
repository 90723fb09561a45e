import { type Context, each } from "./context.js";
import { defaultAlerts, defaultMail } from "./defaults.js";
import { quote } from "./problem.js";
import type { Path } from "./source.js";
import type {
  AlertConfig,
  FifoConfig,
  MailConfig,
  NotifyConfig,
  NotifyScript,
  UserConfig,
} from "./tracking-config.js";
import type { GlobalDefsShape, SyncGroupShape } from "./tracking-schema.js";
import { readCommand, readUser } from "./tracking-section.js";

type ScriptWord = SyncGroupShape["notify"];

/** What instances and groups take from `global_defs:` where they say nothing. */
export interface NotifyDefaults {
  readonly user: UserConfig | null;
  readonly smtpAlert: boolean;
}

export function readNotifyDefaults(shape: GlobalDefsShape | undefined, context: Context): NotifyDefaults {
  return {
    user: readUser(["global_defs", "script_user"], shape?.script_user, context),
    smtpAlert: shape?.smtp_alert ?? false,
  };
}

/** Reads the notify words of an instance or a group. */
export function readNotify(
  path: Path,
  shape: Omit<SyncGroupShape, "group">,
  defaults: NotifyDefaults,
  context: Context,
): NotifyConfig {
  const script = (word: string, value: ScriptWord): NotifyScript | null =>
    readNotifyScript([...path, word], value, defaults, context);
  return {
    master: script("notify_master", shape.notify_master),
    backup: script("notify_backup", shape.notify_backup),
    fault: script("notify_fault", shape.notify_fault),
    stop: script("notify_stop", shape.notify_stop),
    any: script("notify", shape.notify),
    priorityChanges: shape.notify_priority_changes ?? false,
    smtpAlert: shape.smtp_alert ?? defaults.smtpAlert,
  };
}

function readNotifyScript(
  path: Path,
  value: ScriptWord,
  defaults: NotifyDefaults,
  context: Context,
): NotifyScript | null {
  if (value === undefined) return null;
  if (typeof value === "string") {
    return { script: readCommand(path, value, context), user: defaults.user };
  }
  if (value.script === undefined) {
    context.missing([...path, "script"], `${path.at(-1)} has no script`, "add script: with a command");
  }
  return {
    script: readCommand([...path, "script"], value.script, context),
    user: value.user === undefined ? defaults.user : readUser([...path, "user"], value.user, context),
  };
}

/** Reads what `global_defs:` says of the FIFO and of mail. */
export function readAlerts(
  shape: GlobalDefsShape | undefined,
  node: string,
  defaults: NotifyDefaults,
  context: Context,
): AlertConfig {
  const path = ["global_defs"];
  return {
    fifo: readFifo(path, shape, defaults, context),
    mail: readMail(path, shape, node, context),
    scriptTimeoutMs: context.duration(
      [...path, "notify_timeout"],
      shape?.notify_timeout,
      "s",
      defaultAlerts.scriptTimeoutMs,
      100,
    ),
  };
}

function readFifo(
  path: Path,
  shape: GlobalDefsShape | undefined,
  defaults: NotifyDefaults,
  context: Context,
): FifoConfig | null {
  const script = readNotifyScript(
    [...path, "notify_fifo_script"],
    shape?.notify_fifo_script,
    defaults,
    context,
  );
  if (shape?.notify_fifo === undefined) {
    if (script !== null) {
      context.missing([...path, "notify_fifo"], "notify_fifo_script has no notify_fifo", "add notify_fifo:");
    }
    return null;
  }
  if (!shape.notify_fifo.startsWith("/")) {
    const message = `${quote(shape.notify_fifo)} is not an absolute path`;
    context.problem([...path, "notify_fifo"], message, "begin it with /");
  }
  return { path: shape.notify_fifo, script };
}

function readMail(
  path: Path,
  shape: GlobalDefsShape | undefined,
  node: string,
  context: Context,
): MailConfig | null {
  const to = each([...path, "notification_email"], shape?.notification_email).flatMap(([at, text]) =>
    isMailAddress(at, text, context) ? [text] : [],
  );
  if (shape?.notification_email_from !== undefined)
    isMailAddress([...path, "notification_email_from"], shape.notification_email_from, context);
  const server = readServer([...path, "smtp_server"], shape?.smtp_server, context);
  const user = context.text([...path, "smtp_user"], shape?.smtp_user, "");
  const password = context.text([...path, "smtp_password"], shape?.smtp_password, "");
  if ((user === "") !== (password === "")) {
    const [there, missing] = user === "" ? ["smtp_password", "smtp_user"] : ["smtp_user", "smtp_password"];
    context.missing([...path, missing], `${there} has no ${missing}`, `add ${missing}:`);
  }
  if (to.length === 0) return null;
  const tls = shape?.smtp_tls ?? defaultMail.tls;
  if (user !== "" && (tls === "auto" || tls === "off")) {
    context.warning(
      [...path, "smtp_password"],
      `with smtp_tls ${tls} nobody checks who gets the password`,
      "write smtp_tls: starttls or implicit",
    );
  }
  return {
    to,
    from: shape?.notification_email_from ?? `root@${node.replaceAll(/[^\w.-]/g, "-")}`,
    ...server,
    heloName: shape?.smtp_helo_name ?? null,
    connectTimeoutMs: context.duration(
      [...path, "smtp_connect_timeout"],
      shape?.smtp_connect_timeout,
      "s",
      defaultMail.connectTimeoutMs,
      100,
    ),
    credentials: user === "" ? null : { user, password },
    tls,
    routerId: context.text([...path, "router_id"], shape?.router_id, node),
  };
}

/** `10.0.0.1`, `10.0.0.1 25`, `mail.example.org 587`. */
function readServer(
  path: Path,
  text: string | undefined,
  context: Context,
): { readonly host: string; readonly port: number } {
  const [host, port, ...rest] = (text ?? defaultMail.host).trim().split(/\s+/);
  const number = port === undefined ? defaultMail.port : Number(port);
  const isPort = Number.isInteger(number) && number >= 1 && number <= 65_535;
  if (rest.length > 0 || !isPort || !/^[\w.:-]+$/.test(host)) {
    context.problem(path, `${quote(text ?? "")} is not a mail server`, "write a host, and a port behind it");
  }
  return { host, port: number };
}

/** `ops@example.org`, or with a name: `Ops <ops@example.org>`. No line end may get into a header. */
function isMailAddress(path: Path, text: string, context: Context): boolean {
  const address = /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text;
  if (/^[^\s<>@]+@[^\s<>@]+$/.test(address) && !/[\r\n]/.test(text)) return true;
  context.problem(path, `${quote(text)} is not a mail address`, "write, for example, ops@example.org");
  return false;
}

/** What a systemd unit with ProtectSystem=strict leaves its service to write (systemd.exec(5)). */
export interface Confinement {
  /** Folders, without a slash at the end. */
  readonly writable: readonly string[];
  /** What is under /tmp and /var/tmp is there for the service alone. */
  readonly hasOwnTmp: boolean;
}

const serviceFolders = {
  RuntimeDirectory: "/run",
  StateDirectory: "/var/lib",
  CacheDirectory: "/var/cache",
  LogsDirectory: "/var/log",
} as const;

function isServiceFolder(key: string): key is keyof typeof serviceFolders {
  return Object.hasOwn(serviceFolders, key);
}

/** Reads the texts of a unit and its drop-ins, in their order. Null: it confines its service to no folders. Pure. */
export function readConfinement(texts: readonly string[]): Confinement | null {
  const folders = new Map<string, string[]>();
  let protectsSystem = "";
  let hasOwnTmp = false;
  for (const [key, value] of texts.flatMap(serviceSettings)) {
    if (key === "ProtectSystem") protectsSystem = value;
    else if (key === "PrivateTmp") hasOwnTmp = /^(yes|true|on|1|disconnected)$/.test(value);
    else if (key === "ReadWritePaths" || isServiceFolder(key)) {
      const base = key === "ReadWritePaths" ? "/" : serviceFolders[key];
      // `-` and `+` in front of a path, and `:link` behind a folder, say nothing of where.
      const more = value
        .split(/\s+/)
        .filter((word) => word !== "")
        .map((word) => normalize(`${base}/${word.replace(/^[-+]+/, "").replace(/:.*$/, "")}`));
      folders.set(key, value === "" ? [] : [...(folders.get(key) ?? []), ...more]);
    }
  }
  return protectsSystem === "strict" ? { writable: [...folders.values()].flat(), hasOwnTmp } : null;
}

/** Why the service may not make a file there, and what to do; null: it may. */
export function refusalOf(
  { writable, hasOwnTmp }: Confinement,
  path: string,
): { readonly message: string; readonly advice: string } | null {
  const folder = normalize(`${path}/..`).replace(/^\/var\/run(?=\/|$)/, "/run");
  if (hasOwnTmp && /^(\/var)?\/tmp(\/|$)/.test(folder)) {
    return {
      message: `lb.service has a ${folder.startsWith("/var") ? "/var/tmp" : "/tmp"} of its own: nobody else finds ${path}`,
      advice: "choose a path elsewhere, such as in /run/lb",
    };
  }
  if (writable.some((one) => folder === one || folder.startsWith(`${one}/`))) return null;
  return {
    message: `lb.service may not write to ${folder}`,
    advice: `choose another path, or run systemctl edit lb and write ${leave(folder)} under [Service]`,
  };
}

/** What gives the service that folder, as its own user's where systemd makes it. */
function leave(folder: string): string {
  for (const [key, base] of Object.entries(serviceFolders)) {
    if (folder.startsWith(`${base}/`)) return `${key}=${folder.slice(base.length + 1)}`;
  }
  return `ReadWritePaths=${folder}`;
}

/** An absolute path without `.`, `..` and double slashes. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Key and value of the lines of `[Service]`; a backslash at its end goes on with the next line. */
function serviceSettings(text: string): [string, string][] {
  let section = "";
  const settings: [string, string][] = [];
  for (const line of text.replace(/\\\r?\n/g, " ").split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed.startsWith("[")) section = trimmed;
    const equals = trimmed.indexOf("=");
    if (section !== "[Service]" || equals < 1 || /^[#;]/.test(trimmed)) continue;
    settings.push([trimmed.slice(0, equals).trim(), trimmed.slice(equals + 1).trim()]);
  }
  return settings;
}

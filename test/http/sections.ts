import type { CookieConfig } from "../../src/config/cookie-config.js";
import type { AccessLogConfig } from "../../src/config/log-config.js";

/** Sections of a configuration as they are without further words. */

/** `cookie: { name: SRV }`. */
export const plainCookie: CookieConfig = {
  name: "SRV",
  indirect: false,
  nocache: false,
  postonly: false,
  preserve: false,
  httponly: false,
  secure: false,
  attributes: [],
};

/** Every line to stdout, where a scenario's `proxy.lines` come from. */
export function stdoutLog(format: AccessLogConfig["format"]): AccessLogConfig {
  const targets = [{ kind: "stdout" as const }];
  return { targets, format, facility: "local0", dontLogNull: false, dontLogNormal: false };
}

/**
 * An error that a user can act on. Every code stands in `docs/errors.md`.
 *
 * `message` says what is wrong with which value; `advice` says what to do about it.
 */
export class LbError extends Error {
  readonly code: string;
  readonly advice: string;

  constructor(code: string, message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LbError";
    this.code = code;
    this.advice = advice;
  }
}

/** Exit codes of `lb`, the ones that keepalived uses. */
export const ExitCode = {
  ok: 0,
  fatal: 1,
  config: 2,
  permission: 4,
  noConfig: 6,
  software: 70,
} as const;

/** The exit code that an error which ends the process stands for. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof LbError)) return ExitCode.software;
  switch (error.code) {
    case "LB_PERMISSION":
      return ExitCode.permission;
    case "LB_NO_CONFIG":
      return ExitCode.noConfig;
    case "LB_CONFIG":
    case "LB_CONFIG_UNREADABLE":
    case "LB_USAGE":
    case "LB_UPGRADE_REFUSED":
      return ExitCode.config;
    default:
      return ExitCode.fatal;
  }
}

import { Cause, Stage } from "./termination.js";

/** What an exchange leaves behind for its log line beside its own state. One object serves all of a connection. */
export class ExchangeTrace {
  cause: Cause = Cause.none;
  stage: Stage = Stage.none;
  /** Of the final response; −1: the client got none. */
  status = -1;
  /** The last server that was chosen; −1: none. */
  server = -1;
  retries = 0;
  isRedispatched = false;
  serverQueue = 0;
  backendQueue = 0;
  cookies = "--";

  begin(): void {
    this.cause = Cause.none;
    this.stage = Stage.none;
    this.status = -1;
    this.server = -1;
    this.retries = 0;
    this.isRedispatched = false;
    this.serverQueue = 0;
    this.backendQueue = 0;
    this.cookies = "--";
  }

  /** How it ends; what was said first holds. */
  ends(cause: Cause, stage: Stage): void {
    if (this.cause !== Cause.none) return;
    this.cause = cause;
    this.stage = stage;
  }
}

import { Cause, Stage } from "./termination.js";

/** What an exchange leaves behind for its log line beside its own state. One object serves all of a connection. */
export class ExchangeTrace {
  cause: Cause = Cause.none;
  stage: Stage = Stage.none;
  /** Of the final response; −1: the client got none. */
  status = -1;
  retries = 0;
  isRedispatched = false;
  cookies = "--";

  begin(): void {
    this.cause = Cause.none;
    this.stage = Stage.none;
    this.status = -1;
    this.retries = 0;
    this.isRedispatched = false;
    this.cookies = "--";
  }

  /** How it ends; what was said first holds. */
  ends(cause: Cause, stage: Stage): void {
    if (this.cause !== Cause.none) return;
    this.cause = cause;
    this.stage = stage;
  }
}

import { ErrorCode } from "./frame.js";

/** The other side broke a rule that the whole connection rests on (RFC 9113 §5.4.1): GOAWAY, and the end. */
export class ConnectionFault extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export const protocolError = (message: string): ConnectionFault =>
  new ConnectionFault(ErrorCode.protocolError, message);

export const frameSizeError = (frame: string): ConnectionFault =>
  new ConnectionFault(ErrorCode.frameSizeError, `${frame} has not the length that it must have`);

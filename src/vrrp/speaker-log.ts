/** Where the speaker tells what happens; a pino logger fits. */
export interface SpeakerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

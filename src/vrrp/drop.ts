/** The stable codes under which drops are counted. */
export type DropReason =
  | "malformed"
  | "destination"
  | "unicast-source"
  | "ttl"
  | "short"
  | "version"
  | "type"
  | "checksum"
  | "unknown-vrid"
  | "own-source"
  | "auth-type"
  | "auth-data"
  | "replay"
  | "address-list"
  | "interval";

export interface Drop {
  readonly reason: DropReason;
  /** Literal, or `?` where there was no IPv4 header. */
  readonly source: string;
  /** Null: the message was too short to say. */
  readonly virtualRouterId: number | null;
  /** What is wrong with which value, and what to do, without a full stop. */
  readonly sentence: string;
}

/** What is wrong with an advert that counts all the same. */
export interface Remark {
  readonly reason: DropReason;
  readonly sentence: string;
}

/** HAProxy's `cookie` of a backend: which server a client's next requests go to. */
export interface CookieConfig {
  readonly name: string;
  /**
   * The cookie is the servers' own: `rewrite` puts the server's value in the place of what it set, `prefix` in front of that,
   * with `~` between, and takes it out of requests. Left out: insert, the proxy sets it itself.
   */
  readonly mode?: "rewrite" | "prefix";
  /** The servers do not see it. */
  readonly indirect: boolean;
  /** A response that sets it is marked as private, if caches might keep it. */
  readonly nocache: boolean;
  /** Only answers to POST set it. */
  readonly postonly: boolean;
  /** A server's own cookie of that name passes, and none is set beside it; else it is dropped. */
  readonly preserve: boolean;
  readonly httponly: boolean;
  readonly secure: boolean;
  readonly domain?: string;
  /** Seconds: a client that has not come for so long is balanced anew. */
  readonly maxIdleS?: number;
  /** Seconds since the client got its first cookie: then it is balanced anew. */
  readonly maxLifeS?: number;
  /** Further attributes, as they stand in Set-Cookie: `SameSite=Lax`. */
  readonly attributes: readonly string[];
}

import type { IncomingHttpHeaders } from "node:http";

/** Why a request that changes something is not taken: a browser says that another site's page sends it. null: none says so. */
export function foreignOrigin({ origin, host, ...headers }: IncomingHttpHeaders): string | null {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return "another site's page asks for this";
  }
  if (origin !== undefined && origin.replace(/^https?:\/\//, "") !== host) {
    return `a page of ${origin} asks for this`;
  }
  return null;
}

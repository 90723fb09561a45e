/** `show stat`: rows by `proxy/server`, cells by column. */
export type Stat = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function parseStat(csv: string): Stat {
  const [header, ...lines] = csv.trim().split("\n");
  const columns = header.replace(/^# /, "").split(",");
  const rows = new Map<string, Map<string, string>>();
  for (const line of lines) {
    const cells = splitCsv(line);
    rows.set(`${cells[0]}/${cells[1]}`, new Map(columns.map((column, i) => [column, cells[i] ?? ""])));
  }
  return rows;
}

function splitCsv(line: string): string[] {
  return [...line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
}

/** Columns that are not compared, each with why. */
export const uncompared: Readonly<Record<string, string>> = {
  bin: "bytes: HAProxy counts its inner form of a message, Tandem what was on the wire; in mode tcp both are compared",
  bout: "as bin",
  h1_bytes_in: "as bin",
  h1_bytes_out: "as bin",
  lastchg: "seconds that went by",
  downtime: "seconds that went by",
  lastsess: "seconds that went by",
  qtime: "how long things took",
  ctime: "how long things took",
  rtime: "how long things took",
  ttime: "how long things took",
  qtime_max: "how long things took",
  ctime_max: "how long things took",
  rtime_max: "how long things took",
  ttime_max: "how long things took",
  check_duration: "how long a check took",
  agent_duration: "how long a question to an agent took",
  rate: "what came in the last second",
  rate_max: "how close together things came",
  conn_rate: "what came in the last second",
  conn_rate_max: "how close together things came",
  req_rate: "what came in the last second",
  req_rate_max: "how close together things came",
  need_conn_est: "HAProxy's guess of how many connections it will need",
  idle_conn_cur: "HAProxy tells idle connections that it trusts from others; how many there are is srv_icur",
  safe_conn_cur: "as idle_conn_cur",
  srv_icur: "how many idle connections are kept for how long is each one's own affair",
  connect: "as srv_icur; connect and reuse together are compared",
  reuse: "as connect",
  h1_open_connections: "as srv_icur",
  h2_data_rcvd: "frames by their kind: what speaks HTTP/2 for Tandem does not tell of them",
  h2_settings_rcvd: "as h2_data_rcvd",
  h2_rst_stream_rcvd: "as h2_data_rcvd",
  h2_goaway_rcvd: "as h2_data_rcvd",
  h2_rst_stream_resp: "as h2_data_rcvd",
  h2_goaway_resp: "as h2_data_rcvd",
  h2_detected_conn_protocol_errors: "as h2_data_rcvd",
  h2_detected_strm_protocol_errors: "as h2_data_rcvd",
  addr: "the ports of each peer's own servers",
};

/** The same for the rows of servers. */
export const uncomparedOfServers: Readonly<Record<string, string>> = {
  req_tot:
    "HAProxy counts the heads of responses there, 1xx and all; Tandem the requests, so that the sums agree",
};

/** The same for the rows of backends. */
export const uncomparedOfBackends: Readonly<Record<string, string>> = {
  h1_total_connections: "as srv_icur",
};

/** Columns that grow; of the others the value is compared and not how much it grew. */
const counters = new Set(
  (
    "stot bin bout dreq dresp ereq econ eresp wretr wredis chkfail chkdown lbtot hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx " +
    "hrsp_5xx hrsp_other hanafail ssl_sess ssl_reused_sess ssl_failed_handshake req_tot cli_abrt srv_abrt conn_tot intercepted dcon dses wrew eint " +
    "h2_headers_rcvd h2_total_connections h2_backend_total_streams h1_total_connections h1_total_streams h1_bytes_in h1_bytes_out h1_spliced_bytes_in h1_spliced_bytes_out"
  ).split(" "),
);

/** How much the counters of a proxy's rows grew, and what the others are: cells that are 0 or empty are left out. */
export function growth(before: Stat, after: Stat, proxy: string, isTcp: boolean): Map<string, string> {
  const cells = new Map<string, string>();
  for (const [row, columns] of after) {
    if (!row.startsWith(`${proxy}/`)) continue;
    const grew = (column: string): number =>
      Number(columns.get(column) ?? 0) - Number(before.get(row)?.get(column) ?? 0);
    const place = row.slice(proxy.length + 1);
    const attempts = grew("connect") + grew("reuse");
    if (attempts > 0) cells.set(`${place} connect + reuse`, String(attempts));
    for (const [column, value] of columns) {
      const compared = !(column in uncompared) || (isTcp && (column === "bin" || column === "bout"));
      if (!compared || column === "") continue;
      if (columns.get("type") === "2" && column in uncomparedOfServers) continue;
      if (columns.get("type") === "1" && column in uncomparedOfBackends) continue;
      // HAProxy's star says that a check is running just now.
      const grown = counters.has(column) ? String(grew(column)) : value.replace(/^\* /, "");
      if (grown !== "0" && grown !== "") cells.set(`${place} ${column}`, grown);
    }
  }
  return cells;
}

/** Counters whose sum over the servers must be the backend's. */
const summed = ["bin", "bout", "lbtot", "hrsp_2xx", "connect", "reuse", "wretr", "wredis", "econ"];

/** What does not add up in a peer's own table. */
export function wrongSums(stat: Stat): string[] {
  const wrong: string[] = [];
  for (const [row, cells] of stat) {
    if (!row.endsWith("/BACKEND")) continue;
    const proxy = row.slice(0, -"/BACKEND".length);
    const servers = [...stat].filter(
      ([name, other]) => name.startsWith(`${proxy}/`) && other.get("type") === "2",
    );
    for (const column of summed) {
      const sum = servers.reduce((total, [, server]) => total + Number(server.get(column)), 0);
      const own = Number(cells.get(column));
      if (sum !== own) wrong.push(`${row} ${column} is ${own}, its servers together ${sum}`);
    }
  }
  return wrong;
}

import type { NodeReport, ProxyReport, ServerReport } from "../control/show-node.js";
import type { Change } from "../flight/changes.js";
import type { PartnerStatus } from "../peer-link/status.js";
import type { VrrpStatus } from "../vrrp/status.js";

/**
 * The picture of `lb watch`: lines of at most `columns` characters, at most `rows` of them. Pure; colours are ANSI
 * codes that take no room.
 */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
}

const styles = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const;
type Style = keyof typeof styles;

/** A piece of a line. */
type Piece = string | readonly [Style, string];

export function renderWatch(report: NodeReport, changes: readonly Change[], screen: Screen): string[] {
  const lines: Piece[][] = [
    [
      ["bold", `${report.node}`],
      `  lb ${report.version}, ${report.engine} engine, up ${describeSpan(report.uptimeSeconds * 1000)}`,
      ["dim", `  ${new Date(report.nowEpochMs).toISOString().slice(11, 19)}Z`],
    ],
    [
      `${report.connections} connections  ${report.requestsPerSecond} requests/s  ${describeRate(report.bytesOutPerSecond)} out`,
    ],
    [],
    ...report.vrrp.flatMap((instance) => [...renderInstance(report, instance), []]),
    ...(report.findings ?? []).flatMap(({ tone, text }): Piece[][] => [
      [[tone === "bad" ? "red" : "yellow", text]],
      [],
    ]),
    ...report.proxies.flatMap((proxy) => [...renderProxy(proxy), []]),
  ];
  const told = changes.toSorted((a, b) => b.epochMs - a.epochMs);
  const room = Math.max(3, screen.rows - lines.length - 1);
  if (told.length > 0) {
    lines.push([["bold", "Last changes"]]);
    for (const { epochMs, tone, text } of told.slice(0, room - 1)) {
      const time: Piece = ["dim", `  ${new Date(epochMs).toISOString().slice(11, 19)}  `];
      lines.push([time, tone === "bad" ? ["red", text] : tone === "warn" ? ["yellow", text] : text]);
    }
  }
  return lines.slice(0, screen.rows).map((line) => draw(line, screen));
}

function renderInstance(report: NodeReport, instance: VrrpStatus): Piece[][] {
  const { name, state, interface: on, virtualRouterId, addresses, sinceEpochMs, reason, priority } = instance;
  const since = describeSpan(report.nowEpochMs - sinceEpochMs);
  const lines: Piece[][] = [
    [
      ["bold", name],
      `  ${addresses.join(" ")} on ${on}, router ${virtualRouterId}`,
      ...(instance.splitBrain.active ? [["red", "  SPLIT BRAIN"] as const] : []),
    ],
    row(report.node, "this node", state, priority, since, `${reason}${instance.drained ? ", drained" : ""}`),
  ];
  const linked = instance.peerLink?.partners ?? [];
  for (const partner of linked) {
    const router = partner.routers.find((one) => one.virtualRouterId === virtualRouterId);
    const who = partner.node ?? partner.address;
    lines.push(
      router === undefined || partner.phase !== "up"
        ? row(who, partner.address, "?", null, "", `link ${partner.phase}: ${partner.reason}`)
        : row(
            who,
            partner.address,
            router.state,
            router.priority,
            "",
            `${router.reason}${describeLoad(partner)}`,
          ),
    );
  }
  for (const { address, priority: theirs, lastHeardEpochMs } of instance.partners) {
    if (linked.some((partner) => partner.address === address)) continue;
    const ago = report.nowEpochMs - lastHeardEpochMs;
    const isMaster = ago < 5000 && theirs > 0;
    lines.push(
      row(address, "heard", isMaster ? "MASTER" : "?", theirs, "", `advert ${describeSpan(ago)} ago`),
    );
  }
  return lines;
}

function describeLoad({ load }: Pick<PartnerStatus, "load">): string {
  if (load === null) return "";
  return `, ${load.connections} connections, ${load.serversUp} of ${load.serversTotal} servers up`;
}

function row(
  who: string,
  where: string,
  state: string,
  priority: number | null,
  since: string,
  reason: string,
): Piece[] {
  return [
    `  ${fill(who, 14)} ${fill(where, 16)} `,
    [stateStyle(state), fill(state, 8)],
    ` ${fill(priority === null ? "" : `prio ${priority}`, 9)} ${fill(since, 8)} `,
    ["dim", reason],
  ];
}

function renderProxy(proxy: ProxyReport): Piece[][] {
  const { name, listen, isUp, sessions, requestsPerSecond, errors, responseMs } = proxy;
  return [
    [
      ["bold", name],
      `  ${listen.join(" ")}  `,
      isUp ? ["green", "UP"] : ["red", "DOWN"],
      `  ${sessions} sessions  ${requestsPerSecond}/s  ${responseMs} ms  ${errors} errors`,
    ],
    ...proxy.servers.map(renderServer),
  ];
}

function renderServer(server: ServerReport): Piece[] {
  const style: Style = server.takesRequests ? "green" : server.admin === "ready" ? "red" : "yellow";
  return [
    `  ${fill(server.name.split("/")[1] ?? server.name, 14)} ${fill(server.address, 22)} `,
    [style, fill(server.status, 10)],
    ` w ${fill(`${server.weight}`, 4)} ${fill(`${server.sessions} sess`, 9)} ${fill(`${server.requestsPerSecond}/s`, 8)} ${fill(`${server.responseMs} ms`, 7)} `,
    server.errors > 0 ? ["yellow", `${server.errors} errors `] : "",
    ["dim", server.check],
  ];
}

function stateStyle(state: string): Style {
  if (state === "MASTER") return "green";
  if (state === "BACKUP") return "cyan";
  return state === "FAULT" ? "red" : "yellow";
}

/** Cuts what is too long, and adds the colours. Control characters in names or reasons would move the cursor. */
function draw(line: readonly Piece[], { columns, colours }: Screen): string {
  let left = columns;
  let drawn = "";
  for (const piece of line) {
    const [style, raw] = typeof piece === "string" ? [null, piece] : piece;
    const characters = [...raw.replace(/[^\P{C}]/gu, "?")];
    const text =
      characters.length <= left
        ? characters.join("")
        : `${characters.slice(0, Math.max(0, left - 1)).join("")}…`;
    if (left <= 0 || text === "") continue;
    left -= characters.length;
    drawn += style === null || !colours ? text : `\u001b[${styles[style]}m${text}\u001b[0m`;
  }
  return drawn;
}

function fill(text: string, width: number): string {
  return [...text].length <= width ? text.padEnd(width) : `${[...text].slice(0, width - 1).join("")}…`;
}

export function describeSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48
    ? `${hours}h${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}m`
    : `${Math.floor(hours / 24)}d`;
}

function describeRate(bytesPerSecond: number): string {
  if (bytesPerSecond < 10_000) return `${bytesPerSecond} B/s`;
  if (bytesPerSecond < 10_000_000) return `${(bytesPerSecond / 1000).toFixed(0)} kB/s`;
  return `${(bytesPerSecond / 1_000_000).toFixed(0)} MB/s`;
}

import { normalizeIpLiteral } from "../netlink/ip-literal.js";
import { isIP, parseInterface } from "./address.js";
import type { VirtualRoute, VirtualRule } from "./config.js";
import { type Parsed, parsed, quote, refused } from "./problem.js";
import { suggestion } from "./suggest.js";

/** A network: `10.0.0.0/8`, `fd00::/8`, a single address, or `default`. */
interface Prefix {
  readonly address: string;
  readonly prefixLength: number;
}

const routeKinds = ["blackhole", "unreachable", "prohibit"] as const;
const routeWords = ["to", "via", "gw", "dev", "src", "table", "metric"];
const ruleWords = ["from", "to", "iif", "oif", "fwmark", "priority", "preference", "table"];
const namedTables: ReadonlyMap<string, number> = new Map([
  ["default", 253],
  ["main", 254],
  ["local", 255],
]);

/**
 * One line of virtual_routes, in the words of `ip route` and keepalived: `10.0.0.0/8 via 192.168.33.1 dev eth1 table 100`,
 * `src 192.168.33.84 to default via 192.168.33.1`, `blackhole 10.9.0.0/16`; and keepalived's `no_track`.
 */
export function parseVirtualRoute(text: string): Parsed<VirtualRoute> {
  const { words, noTrack } = takeNoTrack(text);
  const kind = routeKinds.find((known) => known === words[0]);
  const options = readOptions(kind === undefined ? words : words.slice(1), routeWords, "to");
  if (!options.ok) return options;
  const { to, via = options.value.gw, dev, src, table, metric } = options.value;
  if (to === undefined) {
    return refused(`${quote(text)} names no destination`, "write, for example, 10.0.0.0/8 via 192.168.33.1");
  }
  const gateway = via === undefined ? parsed(undefined) : parseAddress(via);
  const source = src === undefined ? parsed(undefined) : parseAddress(src);
  const isV6 = [to, via, src].some((word) => word?.includes(":") ?? false);
  const destination = parsePrefix(to, isV6);
  const device = dev === undefined ? parsed(undefined) : parseInterface(dev);
  const tableNumber = table === undefined ? parsed(undefined) : parseTable(table);
  const metricNumber = metric === undefined ? parsed(undefined) : parseNumber(metric, "a metric");
  if (!destination.ok) return destination;
  if (!gateway.ok) return gateway;
  if (!source.ok) return source;
  if (!device.ok) return device;
  if (!tableNumber.ok) return tableNumber;
  if (!metricNumber.ok) return metricNumber;
  if (kind === undefined && via === undefined && dev === undefined) {
    return refused(`${quote(text)} leads nowhere`, "add via and a gateway, or dev and an interface");
  }
  if (
    [to, via, src].some((word) => word !== undefined && word !== "default" && word.includes(":") !== isV6)
  ) {
    return refused(`${quote(text)} mixes IPv4 and IPv6`, "write addresses of one family");
  }
  return parsed({
    ...destination.value,
    ...(kind !== undefined && { kind }),
    ...(gateway.value !== undefined && { gateway: gateway.value }),
    ...(source.value !== undefined && { source: source.value }),
    ...(device.value !== undefined && { interface: device.value }),
    ...(tableNumber.value !== undefined && { table: tableNumber.value }),
    ...(metricNumber.value !== undefined && { metric: metricNumber.value }),
    ...noTrack,
  });
}

/** The form in which it is read back. */
export function describeVirtualRoute(route: VirtualRoute): string {
  return [
    ...(route.kind === undefined ? [] : [route.kind]),
    `${route.address}/${route.prefixLength}`,
    ...option("via", route.gateway),
    ...option("dev", route.interface),
    ...option("src", route.source),
    ...option("table", route.table),
    ...option("metric", route.metric),
    ...(route.noTrack ? ["no_track"] : []),
  ].join(" ");
}

/** One line of virtual_rules, in the words of `ip rule` and keepalived: `from 192.168.33.84 table 100`. */
export function parseVirtualRule(text: string): Parsed<VirtualRule> {
  const { words, noTrack } = takeNoTrack(text);
  const options = readOptions(words, ruleWords, null);
  if (!options.ok) return options;
  const { from, to, iif, oif, fwmark, priority = options.value.preference, table } = options.value;
  if (table === undefined) {
    return refused(`${quote(text)} names no table`, "add table and a number, such as table 100");
  }
  const isV6 = [from, to].some((word) => word?.includes(":") ?? false);
  const source = from === undefined ? parsed(undefined) : parsePrefix(from, isV6);
  const destination = to === undefined ? parsed(undefined) : parsePrefix(to, isV6);
  const input = iif === undefined ? parsed(undefined) : parseInterface(iif);
  const output = oif === undefined ? parsed(undefined) : parseInterface(oif);
  const mark = fwmark === undefined ? parsed(undefined) : parseNumber(fwmark, "a mark");
  const priorityNumber = priority === undefined ? parsed(undefined) : parseNumber(priority, "a priority");
  const tableNumber = parseTable(table);
  if (!source.ok) return source;
  if (!destination.ok) return destination;
  if (!input.ok) return input;
  if (!output.ok) return output;
  if (!mark.ok) return mark;
  if (!priorityNumber.ok) return priorityNumber;
  if (!tableNumber.ok) return tableNumber;
  if (source.value === undefined && destination.value === undefined && !iif && !oif && !fwmark) {
    return refused(`${quote(text)} matches everything`, "say what it is for, such as from 192.168.33.84");
  }
  return parsed({
    table: tableNumber.value,
    ...(source.value !== undefined && { from: source.value }),
    ...(destination.value !== undefined && { to: destination.value }),
    ...(input.value !== undefined && { inputInterface: input.value }),
    ...(output.value !== undefined && { outputInterface: output.value }),
    ...(mark.value !== undefined && { mark: mark.value }),
    ...(priorityNumber.value !== undefined && { priority: priorityNumber.value }),
    ...noTrack,
  });
}

/** The form in which it is read back. */
export function describeVirtualRule(rule: VirtualRule): string {
  const network = (prefix: Prefix | undefined) =>
    prefix === undefined ? undefined : `${prefix.address}/${prefix.prefixLength}`;
  return [
    ...option("from", network(rule.from)),
    ...option("to", network(rule.to)),
    ...option("iif", rule.inputInterface),
    ...option("oif", rule.outputInterface),
    ...option("fwmark", rule.mark),
    ...option("priority", rule.priority),
    ...option("table", rule.table),
    ...(rule.noTrack ? ["no_track"] : []),
  ].join(" ");
}

/** keepalived's own word, the only one without a value; it may stand anywhere. */
function takeNoTrack(text: string): { readonly words: string[]; readonly noTrack: { noTrack?: true } } {
  const all = text.trim().split(/\s+/);
  const words = all.filter((word) => word !== "no_track");
  return { words, noTrack: words.length < all.length ? { noTrack: true } : {} };
}

function option(word: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [word, String(value)];
}

/** Pairs of word and value; `bare`: the word that may be left out in front of its value. */
function readOptions(
  words: readonly string[],
  known: readonly string[],
  bare: string | null,
): Parsed<Readonly<Partial<Record<string, string>>>> {
  const options: Record<string, string> = {};
  let at = 0;
  while (at < words.length) {
    const isBare = bare !== null && options[bare] === undefined && !known.includes(words[at]);
    const word = isBare ? bare : words[at];
    const value = words[isBare ? at : at + 1];
    if (!known.includes(word)) {
      return refused(`${quote(word)} is not known here`, suggestion(word, known));
    }
    if (value === undefined) return refused(`${word} has no value`, `write it behind ${word}`);
    if (options[word] !== undefined) return refused(`${word} stands twice`, "keep one of them");
    options[word] = value;
    at += isBare ? 1 : 2;
  }
  return parsed(options);
}

function parsePrefix(text: string, isV6: boolean): Parsed<Prefix> {
  if (text === "default") return parsed({ address: isV6 ? "::" : "0.0.0.0", prefixLength: 0 });
  const [address, length, ...rest] = text.split("/");
  const longest = address.includes(":") ? 128 : 32;
  const prefixLength = length === undefined ? longest : /^\d{1,3}$/.test(length) ? Number(length) : 129;
  if (!isIP(address) || rest.length > 0 || prefixLength > longest) {
    return refused(`${quote(text)} is not a network`, "write, for example, 10.0.0.0/8 or default");
  }
  return parsed({ address: normalizeIpLiteral(address), prefixLength });
}

function parseAddress(text: string): Parsed<string> {
  return isIP(text)
    ? parsed(normalizeIpLiteral(text))
    : refused(`${quote(text)} is not an IP address`, "write, for example, 192.168.33.1");
}

function parseTable(text: string): Parsed<number> {
  const named = namedTables.get(text);
  return named === undefined ? parseNumber(text, "a table's number") : parsed(named);
}

function parseNumber(text: string, what: string): Parsed<number> {
  const value = /^(\d{1,10}|0x[\da-fA-F]{1,8})$/.test(text) ? Number(text) : Number.NaN;
  return value <= 0xffff_ffff
    ? parsed(value)
    : refused(`${quote(text)} is not ${what}`, "write a whole number");
}

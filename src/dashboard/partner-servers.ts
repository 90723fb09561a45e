import type { Finding, PartnerServer, PartnerServersSummary } from "../control/dashboard/shape.js";
import { describeAge, describeCount, element } from "./elements.js";

/** Where both nodes see the same server differently: said above everything that is shown of servers. */
export function findingCards(findings: readonly Finding[]): HTMLElement[] {
  return findings.map(({ tone, text }) => element("p", `card pad finding ${tone}`, text));
}

/** The partner's servers as it tells of them: to look at, since what is changed here changes this node alone. */
export function partnerSections({
  node,
  isCurrent,
  note,
  proxies,
  left,
}: PartnerServersSummary): HTMLElement[] {
  const heading = element("h2", "", `At ${node} `, element("span", isCurrent ? "dim" : "warn", note));
  const tables = proxies.map(({ name, servers }) => partnerTable(name, servers, isCurrent));
  const more = left === 0 ? [] : [element("p", "dim", `and ${left} more that are not shown`)];
  return [heading, ...tables, ...more];
}

function partnerTable(proxy: string, servers: readonly PartnerServer[], isCurrent: boolean): HTMLElement {
  const titles = ["Status", "Last check", "For", "Requests/s", "Sessions", "Errors", "Weight"];
  const head = element(
    "tr",
    "",
    element("th", "left", proxy),
    ...titles.map((title, i) => element("th", i < 2 ? "left" : "", title)),
  );
  const rows = servers.map((server) =>
    element(
      "tr",
      "",
      element("th", "", server.name, " ", element("span", "dim", server.address)),
      element("td", `left ${server.tone}`, server.status),
      element("td", "left dim", server.check),
      element("td", "", describeAge(server.sinceMs)),
      element("td", "", describeCount(server.requestsPerSecond)),
      element("td", "", describeCount(server.sessions)),
      element("td", server.errors > 0 ? "warn" : "", describeCount(server.errors)),
      element("td", "", String(server.weight)),
    ),
  );
  return element(
    "div",
    `card scroll partner${isCurrent ? "" : " silent"}`,
    element("table", "", element("thead", "", head), element("tbody", "", ...rows)),
  );
}

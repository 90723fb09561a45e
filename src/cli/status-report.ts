import { parseJson } from "../json.js";

/* What commands read of the answer to `show vrrp json`; a daemon of another version may have less in it. */

export function hasMaster(report: string): boolean {
  return listOf(parseJson(report), "vrrp").some((instance) => memberOf(instance, "state") === "MASTER");
}

/** Somebody who is linked has not told of its servers, or not lately: it does so once it knows that somebody asks. */
export function awaitsPartners(report: string): boolean {
  const value = parseJson(report);
  const [first] = listOf(value, "vrrp");
  const linked = listOf(memberOf(first, "peerLink"), "partners").filter(
    (partner) => memberOf(partner, "phase") === "up",
  );
  const told = listOf(value, "partners").filter((partner) => memberOf(partner, "isCurrent") === true);
  // A daemon before this command's version says nothing of partners' servers.
  return memberOf(value, "partners") !== undefined && told.length < linked.length;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = memberOf(value, name);
  return Array.isArray(list) ? list : [];
}

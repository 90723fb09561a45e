import t from "tap";
import type { ServerConfig } from "../../../src/config/config.js";
import { setAddress, setCheckPort } from "../../../src/control/set-server-address.js";
import { defaultCheck as check } from "../health/check-config.js";

const configured: ServerConfig = { name: "a", host: "192.0.2.1", port: 80, check };
const home = { configured, host: "192.0.2.1", port: 80, checkPort: 80 };
const moved = { configured, host: "192.0.2.9", port: 8080, checkPort: 8080 };

t.test("an address and a port are changed, and told of as HAProxy does", async (t) => {
  t.same(setAddress(home, ["192.0.2.9", "port", "8080"]), {
    text: "IP changed from '192.0.2.1' to '192.0.2.9', port changed from '80' to '8080' by 'stats socket command'\n",
    target: { host: "192.0.2.9", port: 8080, checkPort: null },
  });
  t.same(setAddress(home, ["2001:db8::1"]).target, { host: "2001:db8::1", port: null, checkPort: null });
});

t.test("back at the configuration's address nothing of an operator's is left", async (t) => {
  t.same(setAddress(moved, ["192.0.2.1", "port", "80"]).target, { host: null, port: null, checkPort: null });
  t.equal(setAddress(moved, ["192.0.2.9", "port", "8080"]).target, null, "where it is already");
});

t.test("what is no address or no port changes nothing", async (t) => {
  for (const [words, said] of [
    [[], "set server <b>/<s> addr requires an address and optionally a port.\n"],
    [["web"], "Invalid addr 'web' by 'stats socket command'\n"],
    [["192.0.2.9", "port"], "problem converting port '' to an int by 'stats socket command'\n"],
    [["192.0.2.9", "port", "0"], "problem converting port '0' to an int by 'stats socket command'\n"],
    [["192.0.2.9", "port", "65536"], "problem converting port '65536' to an int by 'stats socket command'\n"],
    [["192.0.2.9", "port", "80x"], "problem converting port '80x' to an int by 'stats socket command'\n"],
  ] as const)
    t.same(setAddress(home, words), { text: said, target: null });
});

t.test("a port of the checks' own stays where it was put", async (t) => {
  const checked = setCheckPort(home, ["9000"]);
  t.same(checked.target, { host: null, port: null, checkPort: 9000 });
  t.same(setAddress({ ...home, checkPort: 9000 }, ["192.0.2.9", "port", "8080"]).target, {
    ...{ host: "192.0.2.9", port: 8080, checkPort: 9000 },
  });
  t.same(setCheckPort({ ...home, checkPort: 9000 }, ["80"]).target?.checkPort, null);
  t.equal(setCheckPort({ ...home, checkPort: null }, ["80"]).target, null, "without checks there is none");
  t.equal(setCheckPort(home, ["x"]).target, null);
});

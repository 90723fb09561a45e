import t from "tap";
import { ServerReportCarrier } from "../../../src/process/server-reports.js";

function start() {
  const told: unknown[] = [];
  const carrier = new ServerReportCarrier({
    vrrp: () => ({
      tellWatching: () => told.push(["watching", carrier.isWatching()]),
      tellServers: (report) => told.push(["servers", report]),
    }),
    control: () => ({ post: (message) => told.push(message) }),
  });
  return { carrier, told };
}

t.test("the partners hear when somebody begins to look here and when nobody does any more", async (t) => {
  const { carrier, told } = start();
  for (const isWatching of [true, true, false]) carrier.onControl({ kind: "watching", isWatching });
  carrier.onControl({ kind: "servers", report: "r" });
  carrier.onReport("192.168.33.81", "theirs");
  t.same(told, [
    ["watching", true],
    ["watching", false],
    ["servers", "r"],
    { kind: "partner-servers", address: "192.168.33.81", report: "theirs" },
  ]);
});

t.test(
  "a control thread that begins knows who watches, and nobody looks at it before it says so",
  async (t) => {
    const { carrier, told } = start();
    carrier.onWatched(true);
    carrier.onControl({ kind: "watching", isWatching: true });
    told.splice(0);
    carrier.onControlReady();
    t.same(told.splice(0), [["watching", false], { kind: "watched", isWatched: true }]);
    carrier.onWatched(false);
    told.splice(0);
    carrier.onControlReady();
    t.same(told, []);
  },
);

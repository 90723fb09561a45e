import t from "tap";
import { parseFlows } from "../../../src/handover/own-flows.js";

const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const rest = "00000000:00000000 00:00000000 00000000     0        0 0";

const line = (local: string, remote: string, state: string): string =>
  `   0: ${local} ${remote} ${state} ${rest}\n`;

t.test("connections to the addresses, with both ends", async (t) => {
  const text =
    head +
    line("5421A8C0:0050", "0A21A8C0:9C40", "01") +
    line("5021A8C0:0050", "0A21A8C0:9C41", "01") +
    line("5421A8C0:01BB", "0A21A8C0:9C42", "03");
  t.same(parseFlows(text, ["192.168.33.84"]), [
    { remoteAddress: "192.168.33.10", remotePort: 40000, localAddress: "192.168.33.84", localPort: 80 },
    { remoteAddress: "192.168.33.10", remotePort: 40002, localAddress: "192.168.33.84", localPort: 443 },
  ]);
});

t.test("what has nothing to say any more is none: listening, closed, in TIME_WAIT", async (t) => {
  const text = ["06", "07", "0A"].map((state) => line("5421A8C0:0050", "0A21A8C0:9C40", state)).join("");
  t.same(parseFlows(head + text, ["192.168.33.84"]), []);
});

t.test("what is closing still has", async (t) => {
  const states = ["02", "04", "05", "08", "09", "0B", "0C"];
  const text = states.map((state) => line("5421A8C0:0050", "0A21A8C0:9C40", state)).join("");
  t.equal(parseFlows(head + text, ["192.168.33.84"]).length, states.length);
});

t.test("IPv6, however the address is written", async (t) => {
  const text =
    head + line("B80D0120000000000000000054000000:0050", "B80D012000000000000000000A000000:9C40", "01");
  t.same(parseFlows(text, ["2001:0db8::0:54"]), [
    {
      remoteAddress: "2001:db8::a",
      remotePort: 40000,
      localAddress: "2001:db8::54",
      localPort: 80,
    },
  ]);
});

t.test("a busy node's 50,000 in TIME_WAIT are passed over in a moment", async (t) => {
  const many = Array.from({ length: 50_000 }, (_, port) =>
    line("5421A8C0:0050", `0A21A8C0:${port.toString(16).toUpperCase().padStart(4, "0")}`, "06"),
  );
  const text = head + many.join("") + line("5421A8C0:0050", "0A21A8C0:9C40", "01");
  t.equal(parseFlows(text, ["192.168.33.84"]).length, 1);
});

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startNginx } from "../../lab/backend.js";
import { waitFor } from "../../lab/clock.js";
import { run, tryRun } from "../../lab/command.js";
import { Network, virtualAddress } from "../../lab/network.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";

/** A node may start late, find the other as master, and take over from it. */
const electionMs = 2 * 3609 + 45_000;
const lb = join(projectRoot, "bin/lb.js");

/** `lb` with these words, about a running node. */
function ask(node: Tandem, ...words: string[]) {
  return tryRun(process.execPath, [lb, ...words, "--stats-socket", node.statsSocket]);
}

function example(name: string): string {
  return join(projectRoot, "examples/import", name);
}

t.test(
  "the demo's four files are what keepalived and HAProxy take, and what is imported of them runs",
  async (t) => {
    const network = await Network.create();
    t.teardown(() => network.close());
    for (const web of ["web-box1", "web-box2"] as const) await startNginx(network, network.host(web));
    const nodes: Tandem[] = [];
    for (const name of ["lb-box1", "lb-box2"] as const) {
      const [haproxy, keepalived] = [example(`${name}/haproxy.cfg`), example(`${name}/keepalived.conf`)];
      const judged = await tryRun("haproxy", ["-c", "-f", haproxy]);
      // The user haproxy and its folder may be missing here; the words are what is judged.
      t.notMatch(
        `${judged.stdout}${judged.stderr}`,
        /unknown keyword|parsing \[.*\] :.*(expects|unexpected)/,
      );
      const { yaml } = JSON.parse(
        await run(process.execPath, [
          lb,
          "import",
          "--json",
          "--haproxy",
          haproxy,
          "--keepalived",
          keepalived,
        ]),
      );
      const file = writeConfiguration(network, network.host(name), yaml);
      t.equal((await tryRun(process.execPath, [lb, "check", "--config", file])).code, 0);
      nodes.push(startTandem(network, network.host(name), "--config", file));
    }
    const [box1, box2] = nodes;
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    const client = network.host("client");
    await waitFor("both web servers' answers", 30_000, async () => {
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => client.tryRun("curl", "-sS", "-m", "10", `http://${virtualAddress}/`)),
      );
      return (
        new Set(answers.map(({ stdout }) => stdout)).size === 2 && answers.every(({ code }) => code === 0)
      );
    });

    const judge = await tryRun("keepalived", ["-t", "-f", example("lb-box1/keepalived.conf")]);
    t.notMatch(`${judge.stdout}${judge.stderr}`, /Unknown keyword|Unterminated|unexpected/i);

    await t.test("lb watch shows both nodes, in a terminal until q, and once", async (t) => {
      let once = await ask(box2, "watch", "--once");
      await waitFor("the backup's own state", electionMs, async () => {
        once = await ask(box2, "watch", "--once");
        return /this node +BACKUP/.test(once.stdout) && once.stdout.includes("192.168.33.80");
      });
      t.match(once.stdout, /VI_1 .*192\.168\.33\.84\/24 on eth1, router 51/);
      t.match(once.stdout, /this node +BACKUP +prio 100/);
      t.match(once.stdout, /192\.168\.33\.80 +heard +MASTER +prio 101/);
      const line = `${process.execPath} ${lb} watch --interval 200ms --stats-socket ${box1.statsSocket}`;
      const [done, typescript] = ["watch.done", "watch.typescript"].map((name) =>
        join(network.scratch, name),
      );
      const watching = run("bash", [
        "-c",
        `(until [ -e ${done} ]; do sleep 0.2; done; printf q) | env -u NO_COLOR timeout 60 script -qfec 'stty cols 100 rows 30; ${line}' ${typescript}`,
      ]);
      const isShown = (text: string) => async () =>
        existsSync(typescript) && readFileSync(typescript, "utf8").includes(text);
      await waitFor("the first picture", 30_000, isShown("web01"));
      t.equal((await ask(box1, "server", "drain", "web02")).code, 0);
      await waitFor("the drained server", 30_000, isShown("http/web02: DRAIN, an operator asked for it"));
      writeFileSync(done, "");
      const seen = await watching;
      t.equal((await ask(box1, "server", "enable", "web02")).code, 0);
      t.ok(
        seen.includes("\u001b[?1049h") && seen.endsWith("\u001b[?25h\u001b[?1049l"),
        "the terminal is given back",
      );
      t.match(seen, "\u001b[32mMASTER");
      t.match(seen, "web01");
      t.match(seen, "VI_1: BACKUP → MASTER", "from before it was looked at");
    });

    await t.test("lb server takes a server out and back in", async (t) => {
      t.equal((await ask(box1, "server", "drain", "web01")).code, 0);
      t.match((await ask(box1, "server", "list")).stdout, /http\/web01 +192\.168\.33\.68:80 +DRAIN/);
      t.equal((await ask(box1, "server", "enable", "http/web01")).code, 0);
      t.match(JSON.parse((await ask(box1, "server", "list", "--json")).stdout)[0], {
        name: "http/web01",
        admin: "ready",
      });
      t.equal((await ask(box1, "server", "weight", "web01", "7")).code, 0);
      t.match(
        (await ask(box1, "explain", "--since", "5m")).stdout,
        / {2}http\/web01: DRAIN, an operator asked for it\n(?:.*\n)*.* {2}http\/web01: has weight 7 instead of 1, as an operator asked\n/,
      );
      t.match(await ask(box1, "server", "weight", "web01", "999"), { code: 1, stderr: /between 0 and 256/ });
      t.match(await ask(box1, "server", "drain", "web09"), { code: 2, stderr: /there is no server "web09"/ });
    });

    await box1.stop();
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);

    await t.test("lb explain tells the failover in order, and tshark reads the adverts", async (t) => {
      const { stdout } = await ask(box2, "explain");
      t.match((await ask(box2, "watch", "--once")).stdout, "VI_1: BACKUP → MASTER", "of the same memory");
      // The last of each but the first: a node that started late has met this one as master before.
      const order = [
        stdout.indexOf("192.168.33.80 advertises router 51 on eth1 with priority 101"),
        ...[
          "192.168.33.80 advertises priority 0: it gives router 51 up",
          "VI_1: BACKUP → MASTER",
          "this node advertises router 51 on eth1 with priority 100",
        ].map((text) => stdout.lastIndexOf(text)),
      ];
      t.ok(
        order.every((at) => at >= 0),
        stdout,
      );
      // The new master's first advert and its line in the log are of the same millisecond.
      const given = order.slice(0, 3);
      const sorted = given.toSorted((a, b) => a - b);
      t.same(given, sorted, stdout);

      const file = join(network.scratch, "adverts.pcap");
      t.equal((await ask(box2, "explain", "--pcap", file)).code, 0);
      const fields = ["vrrp.prio", "vrrp.virt_rtr_id", "vrrp.checksum.status", "ip.src"].flatMap((name) => [
        "-e",
        name,
      ]);
      const packets = (
        await run("tshark", ["-r", file, "-T", "fields", "-o", "vrrp.v3_checksum_as_in_v2:TRUE", ...fields])
      )
        .trim()
        .split("\n")
        .map((line) => line.split("\t"));
      t.ok(packets.length > 3);
      t.ok(
        packets.every(([, router, checksum]) => router === "51" && checksum === "1"),
        "each is whole",
      );
      for (const [priority, source] of [
        ["101", "192.168.33.80"],
        ["0", "192.168.33.80"],
        ["100", "192.168.33.81"],
      ]) {
        t.ok(
          packets.some((packet) => packet[0] === priority && packet[3] === source),
          `${priority} of ${source}`,
        );
      }
    });

    await t.test("lb plan says what a reload does, and lb reload does it", async (t) => {
      const file = join(network.scratch, "lb-box2/lb.yaml");
      const text = readFileSync(file, "utf8");
      writeConfiguration(network, network.host("lb-box2"), text.replace("priority: 100", "priority: 90"));
      t.match((await ask(box2, "plan")).stdout, "vrrp: VI_1 changed in place: priority");
      t.match(await ask(box2, "status"), { stdout: /priority 100/ }, "nothing has changed yet");
      t.match(await ask(box2, "reload"), {
        code: 0,
        stdout: /reloaded, in these steps:\n {2}vrrp: VI_1 changed in place: priority/,
      });
      t.match(await ask(box2, "status"), { stdout: /priority 90/ });
      writeConfiguration(network, network.host("lb-box2"), text.replace("priority:", "priorty:"));
      t.match(await ask(box2, "reload"), {
        code: 2,
        stderr: /"priorty" is not known here\. Did you mean priority\?/,
      });
      t.match(await ask(box2, "status"), { stdout: /priority 90/ });
    });
  },
);

t.test("groff reads the manual pages without a word of complaint", async (t) => {
  for (const page of ["packaging/man/lb.8", "packaging/man/lb.yaml.5"]) {
    const read = await tryRun("groff", ["-man", "-Tutf8", "-ww", "-Kutf8", join(projectRoot, page)]);
    t.match(read, { code: 0, stderr: /^$/ }, page);
    t.ok(read.stdout.length > 2000);
  }
});

import { join } from "node:path";
import type { Page } from "playwright-core";
import t from "tap";
import { startNginx } from "../../lab/backend.js";
import { startBrowser } from "../../lab/browser.js";
import { sleep, waitFor } from "../../lab/clock.js";
import { tryRun } from "../../lab/command.js";
import { demoPlan, Network, virtualAddress } from "../../lab/network.js";
import { Probe } from "../../lab/probe.js";
import { projectRoot } from "../../lab/project-root.js";
import { startTandem, type Tandem, writeConfiguration } from "../../lab/tandem.js";

const electionMs = 2 * 3609 + 45_000;
const password = "one of the lab's own";
const credentials = { username: "admin", password };
/** Where pictures for the documentation go, if anywhere. */
const pictures = process.env.PICTURES;

t.test("the dashboard in a browser shows both nodes, moves with them, and acts", async (t) => {
  const network = await Network.create(demoPlan);
  t.teardown(() => network.close());
  for (const name of ["web-box1", "web-box2"]) await startNginx(network, network.host(name));
  const box1 = startBalancer(network, "lb-box1", 101);
  const box2 = startBalancer(network, "lb-box2", 100);
  await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
  const probe = Probe.start(network.host("client"));
  await probe.waitForService(30_000);

  await t.test(
    "lb status waits for the partner's word of its servers, where nobody has asked before",
    async (t) => {
      for (const box of [box1, box2])
        await box.process.waitForLine((text) => /peer link to .* is open/.test(text), 40_000);
      t.match(
        (await tandem(box1, "status")).stdout,
        "\nServers at lb-box2, as it says itself\n  http          2 of 2 up; here as well\n",
      );
      t.match(JSON.parse((await tandem(box2, "status", "--json")).stdout), {
        vrrp: [{ name: "VI_1" }],
        partners: [{ node: "lb-box1", isCurrent: true, proxies: [{ name: "http" }] }],
        findings: [],
      });
    },
  );

  const browser = await startBrowser(network, network.host("client"));
  t.teardown(() => browser.close());
  const context = await browser.newContext({
    httpCredentials: credentials,
    viewport: { width: 1280, height: 1000 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto("http://192.168.33.80:8404/dashboard");

  await t.test("both nodes, the address and why, charts that move", async (t) => {
    const nodes = page.locator("#nodes .card");
    await shows(nodes.nth(0), ["lb-box1", "this node", "MASTER", "Requests/s"]);
    await shows(nodes.nth(1), ["lb-box2", "peer link up", "BACKUP", "Servers up", "2 of 2"]);
    await shows(page.locator("#instances"), [`${virtualAddress}/24`, "MASTER", "If this node stopped"]);
    await shows(page.locator("#events"), ["VI_1: BACKUP → MASTER"]);
    t.match(await box1.ask("show info"), /^CumReq: [1-9]/m);
    const rate = nodes.nth(0).locator("dd").first();
    await waitFor("requests a second", 30_000, async () => Number(await rate.textContent()) > 0);
    t.equal(await page.locator("#charts canvas").count(), 3);
    const live = (): Promise<string | null> => page.locator("#live").textContent();
    const before = await live();
    await waitFor("the next second", 30_000, async () => (await live()) !== before);
    await waitFor("a line in a chart", 30_000, () => hasInk(page));
    const latency = page.locator("#proxies tbody tr", { hasText: "web01" }).locator("td").nth(4);
    await waitFor("p50 and p99", 30_000, async () =>
      /^≤ \d+ \/ ≤ \d/.test((await latency.textContent()) ?? ""),
    );
  });

  await t.test("a server is drained and comes back, and gets another weight", async (t) => {
    const row = page.locator("#proxies tbody tr", { hasText: "web02" });
    await row.getByRole("button", { name: "Drain" }).click();
    await shows(row, ["DRAIN"]);
    t.match(await box1.ask("show stat"), /^http,web02,.*,DRAIN/m);
    await row.getByRole("button", { name: "Ready" }).click();
    await shows(row, ["UP"]);
    await row.getByRole("spinbutton").fill("7");
    await row.getByRole("spinbutton").press("Enter");
    await waitFor("the weight", 30_000, async () =>
      (await box1.ask("get weight http/web02")).startsWith("7 "),
    );
    await shows(page.locator("#events"), ["http/web02: DRAIN", "http/web02: UP"]);
  });

  if (pictures !== undefined) {
    await sleep(60_000);
    await takePictures(page, pictures, "light");
  }

  await t.test("dark, and on a phone, nothing sticks out", async (t) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.reload();
    await waitFor("a line in a chart", 30_000, () => hasInk(page));
    if (pictures !== undefined) await takePictures(page, pictures, "dark");
    t.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(18, 22, 28)");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await shows(page.locator("#nodes"), ["lb-box2"]);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    t.ok(Number(width) <= 390, `${width}`);
    if (pictures !== undefined) await takePictures(page, pictures, "phone");
    await page.setViewportSize({ width: 1280, height: 1000 });
  });

  await t.test("the partner's servers, and what it alone cannot reach", async (t) => {
    const partners = page.locator("#partners");
    await shows(partners, ["At lb-box2", "as it says itself", "web01", "192.168.33.68:80", "UP"]);
    await shows(partners, ["L4OK"]);
    const agreed = () =>
      waitFor(
        "both see the same",
        30_000,
        async () => (await page.locator("#findings").textContent()) === "",
      );
    await agreed();
    const host = network.host("lb-box2");
    const chain = "add table ip cut; add chain ip cut out { type filter hook output priority 0; }";
    await host.run("nft", `${chain}; add rule ip cut out ip daddr 192.168.33.69 tcp dport 80 drop`);
    const finding = "http/web02 is UP here and DOWN at lb-box2";
    await shows(page.locator("#findings"), [finding]);
    await shows(partners.locator("tbody tr", { hasText: "web02" }), ["DOWN", "L4TOUT"]);
    await shows(page.locator("#proxies tbody tr", { hasText: "web02" }), ["UP"]);
    t.match((await tandem(box1, "watch", "--once")).stdout, finding);
    const status = (await tandem(box1, "status")).stdout;
    t.match(status, /^Servers at lb-box2, as it says itself\n {2}http {10}1 of 2 up: web02 DOWN \(L4TOUT/m);
    t.match(status, `; here 2 of 2 up\n  differs       ${finding}`);
    await host.run("nft", "delete table ip cut");
    await agreed();
    await box2.stop();
    await shows(partners, ["ago, and its peer link is", "web01"]);
    startBalancer(network, "lb-box2", 100);
    await shows(partners, ["as it says itself"], electionMs);
  });

  await t.test("Drain this node: the partner is master, and the page says so", async () => {
    await page.getByRole("button", { name: "Drain this node" }).click();
    await network.waitForHolder(virtualAddress, "lb-box2", electionMs);
    await shows(page.locator("#nodes .card").nth(1), ["lb-box2", "MASTER"]);
    await shows(page.locator("#instances"), ["BACKUP", "Serve again"]);
    await page.getByRole("button", { name: "Serve again" }).click();
    await network.waitForHolder(virtualAddress, "lb-box1", electionMs);
    await shows(page.locator("#nodes .card").nth(0), ["MASTER"]);
  });

  await t.test("while the node is away the page says so, and it goes on by itself afterwards", async () => {
    await box1.stop();
    await shows(page.locator("#live"), ["does not answer"]);
    // That it could not connect is what it complains of meanwhile.
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("ERR_")));
    startBalancer(network, "lb-box1", 101);
    await shows(page.locator("#live"), ["live"], 60_000);
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("ERR_")));
  });

  t.same(complaints, [], "no error in the console");
  await probe.stop();
});

function startBalancer(network: Network, name: "lb-box1" | "lb-box2", priority: number): Tandem {
  const host = network.host(name);
  const configuration = `node: ${name}
vrrp:
  VI_1:
    interface: eth1
    virtual_router_id: 51
    priority: ${priority}
    virtual_ipaddress: ${virtualAddress}/24
peer_link: { key: "a key for the lab, long enough" }
proxies:
  http:
    bind: ${virtualAddress}:80
    default_server: { check: { inter: 500ms } }
    servers: { web01: 192.168.33.68:80, web02: 192.168.33.69:80 }
admin: { bind: "${host.address}:8404", stats: { password: "${password}" } }
drain_timeout: 3s
`;
  return startTandem(network, host, "--config", writeConfiguration(network, host, configuration));
}

/** A command against a node's stats socket. */
function tandem(node: Tandem, ...words: string[]) {
  const lb = join(projectRoot, "bin/lb.js");
  return tryRun(process.execPath, [lb, ...words, "--stats-socket", node.statsSocket]);
}

async function shows(
  place: ReturnType<Page["locator"]>,
  texts: readonly string[],
  timeoutMs = 40_000,
): Promise<void> {
  let seen = "";
  await waitFor(`the page to show ${texts.join(", ")}`, timeoutMs, async () => {
    seen = (await place.textContent()) ?? "";
    return texts.every((text) => seen.includes(text));
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it shows: ${seen}`);
  });
}

/** The first chart has a pixel of the first line's colour. */
function hasInk(page: Page): Promise<boolean> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector("#charts canvas");
    if (canvas === null) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4)
      if (data[i] === 0x2f && data[i + 1] === 0x7e && data[i + 2] === 0xd8) return true;
    return false;
  })()`);
}

async function takePictures(page: Page, folder: string, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `dashboard-${name}.png`), fullPage: true });
}

import t from "tap";
import { startSmallBackend } from "../../lab/backend.js";
import { startBrowser } from "../../lab/browser.js";
import { waitFor } from "../../lab/clock.js";
import { Network } from "../../lab/network.js";
import { startTandem, writeConfiguration } from "../../lab/tandem.js";

const password = "one of the lab's own";

t.test(
  "the stats page acts on servers, in a browser, and for nobody who does not come from it",
  async (t) => {
    const network = await Network.create();
    t.teardown(() => network.close());
    const host = network.host("lb-box1");
    for (const name of ["web-box1", "web-box2"]) await startSmallBackend(network, network.host(name));
    const configuration = `proxies:
  http:
    bind: ${host.address}:8080
    servers: { web01: 192.168.33.68:80, web02: 192.168.33.69:80 }
admin: { bind: "${host.address}:8404", stats: { password: "${password}", admin: true } }
`;
    const file = writeConfiguration(network, host, configuration);
    const tandem = startTandem(network, host, "--no-vrrp", "--config", file);
    const status = async (server: string) =>
      new RegExp(`^http,${server},(?:[^,]*,){15}([^,]*),`, "m").exec(await tandem.ask("show stat"))?.[1];
    await waitFor("the stats socket", 30_000, async () => (await status("web01").catch(() => null)) ?? null);

    const browser = await startBrowser(network, network.host("client"));
    t.teardown(() => browser.close());
    const page = await (
      await browser.newContext({ httpCredentials: { username: "admin", password } })
    ).newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    const url = `http://${host.address}:8404/stats`;
    const apply = async (action: string, ...servers: string[]) => {
      // Anew, so that the last action's answer is not taken for this one's.
      await page.goto(url);
      for (const server of servers) await page.getByRole("checkbox", { name: server }).check();
      await page.getByRole("combobox").selectOption({ label: action });
      await page.getByRole("button", { name: "Apply" }).click();
      await page.waitForURL(/;st=/);
      return await page.getByRole("status").textContent();
    };
    t.match(await apply("Set state to MAINT", "web01", "web02"), "DONE Action processed successfully.");
    t.same([await status("web01"), await status("web02")], ["MAINT", "MAINT"]);
    t.match(await page.locator("tbody").textContent(), "MAINT", "the page shows it too");
    t.match(await apply("Set state to READY", "web02"), "DONE");
    t.same([await status("web01"), await status("web02")], ["MAINT", "no check"]);
    t.match(await apply("Set state to READY"), "NONE Nothing has changed.");
    t.match(await apply("Health: force DOWN", "web02"), "ERRP", "it has no checks");
    t.equal(await status("web02"), "no check");

    const client = network.host("client");
    const curl = async (...words: string[]) => {
      const credentials = ["-u", `admin:${password}`];
      const shown = ["-sS", "-o", "/dev/null", "-w", "%{http_code} %header{location}"];
      return (await client.tryRun("curl", ...credentials, ...shown, ...words, url)).stdout;
    };
    const maint = ["-d", "s=web02", "-d", "action=maint", "-d", "b=http"];
    const token = (await client.tryRun("curl", "-sS", "-u", `admin:${password}`, url)).stdout.match(
      /name="token" value="([^"]+)"/,
    )?.[1];
    t.equal(await curl(...maint), `303 /stats;st=DENY`, "without a token");
    t.equal(await curl(...maint, "-d", "token=guessed"), `303 /stats;st=DENY`, "with a false one");
    const foreign = ["-H", "Origin: http://elsewhere.example"];
    t.equal(await curl(...maint, "-d", `token=${token}`, ...foreign), `303 /stats;st=DENY`, "from elsewhere");
    t.equal(await status("web02"), "no check", "nothing has changed");
    t.equal(await curl(...maint, "-d", `token=${token}`), `303 /stats;st=DONE`);
    t.equal(await status("web02"), "MAINT");
    t.same(complaints, [], "no error in the console");
  },
);

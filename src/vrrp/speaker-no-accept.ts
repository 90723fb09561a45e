import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import type { VrrpInstanceConfig } from "../config/config.js";
import { mustNotAccept, noAcceptScript, noAcceptTable, staleTables } from "./no-accept.js";
import type { SpeakerLog } from "./speaker-log.js";

const nftPaths = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"];
const nftTimeoutMs = 5000;

/**
 * Keeps packets to the virtual addresses of `accept: false` instances out, by nftables: from the start to the stop, for
 * as long as this node does not hold an address there is nothing to keep out. Also clears away what a killed process
 * left. Where there is no nft, or it refuses, the instance runs all the same and the log says that it accepts.
 */
export class NoAccept {
  #configs: readonly VrrpInstanceConfig[];
  readonly #log: SpeakerLog;
  readonly #nft = nftPaths.find((path) => existsSync(path));
  /** What each table was made by. */
  readonly #tables = new Map<string, string>();

  constructor(configs: readonly VrrpInstanceConfig[], log: SpeakerLog) {
    this.#configs = configs;
    this.#log = log;
  }

  /** Never rejects. */
  async start(): Promise<void> {
    const wanted = this.#configs.filter(mustNotAccept);
    if (this.#nft === undefined) {
      for (const config of wanted)
        this.#unenforced(config, "nft is not installed (apt-get install nftables)");
      return;
    }
    try {
      await this.#delete(staleTables(await this.#run(["list", "tables"], ""), this.#configs));
    } catch (error) {
      // Without the privilege or the kernel's part there is nothing of ours either.
      if (wanted.length > 0) this.#log.warn({ err: error }, "nft could not list its tables");
    }
    for (const config of wanted) await this.#keepOut(config);
  }

  /** A reload: tables come, change and go as the instances do. Never rejects. */
  async change(configs: readonly VrrpInstanceConfig[]): Promise<void> {
    this.#configs = configs;
    const wanted = configs.filter(mustNotAccept);
    const names = wanted.map(({ name }) => noAcceptTable(name));
    for (const table of [...this.#tables.keys()].filter((table) => !names.includes(table))) {
      await this.#delete([table]).catch(() => {});
      this.#tables.delete(table);
    }
    for (const config of wanted) {
      if (this.#tables.get(noAcceptTable(config.name)) === noAcceptScript(config)) continue;
      if (this.#nft === undefined) {
        this.#unenforced(config, "nft is not installed (apt-get install nftables)");
      } else {
        await this.#keepOut(config);
      }
    }
  }

  async #keepOut(config: VrrpInstanceConfig): Promise<void> {
    try {
      const script = noAcceptScript(config);
      await this.#run(["-f", "-"], script);
      this.#tables.set(noAcceptTable(config.name), script);
    } catch (error) {
      this.#unenforced(config, error instanceof Error ? error.message.trim() : String(error));
    }
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    await this.#delete([...this.#tables.keys()]).catch((error: unknown) =>
      this.#log.warn({ err: error }, "an nftables table of accept: false could not be removed"),
    );
    this.#tables.clear();
  }

  async #delete(tables: readonly string[]): Promise<void> {
    for (const table of tables) {
      await this.#run(["delete", "table", "inet", table], "");
    }
  }

  #unenforced({ name }: VrrpInstanceConfig, why: string): void {
    this.#log.warn(
      { event: "vrrp-no-accept", instance: name },
      `${name}: accept: false is not enforced, packets to its addresses are accepted: ${why}`,
    );
  }

  #run(parameters: readonly string[], input: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        this.#nft ?? "nft",
        [...parameters],
        { timeout: nftTimeoutMs },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(stderr === "" ? error.message : stderr));
        },
      );
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    });
  }
}

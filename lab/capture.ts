import { join } from "node:path";
import { run } from "./command.js";
import type { HostProcess } from "./host-process.js";
import type { Host, Network } from "./network.js";

/** A packet capture on a host's eth1, read back with tshark. */
export class Capture {
  readonly #process: HostProcess;
  readonly #file: string;

  private constructor(process: HostProcess, file: string) {
    this.#process = process;
    this.#file = file;
  }

  /** @param filter what to keep, in tcpdump's language. */
  static async start(network: Network, host: Host, filter: string): Promise<Capture> {
    captures += 1;
    const file = join(network.scratch, `${host.name}-${captures}.pcap`);
    // -Z root: tcpdump would give up root and then could not write into the lab's folder.
    const options = ["-i", "eth1", "-n", "-U", "--immediate-mode", "-Z", "root", "-w", file, filter];
    const process = host.spawn("tcpdump", "tcpdump", ...options);
    await process.waitForLine((text) => text.includes("listening on"), 30_000);
    return new Capture(process, file);
  }

  async stop(): Promise<void> {
    if (this.#process.exit === null) await this.#process.stop("SIGTERM");
  }

  /** Ends the capture and gives each packet's fields (tshark's names), as text, "" where a packet has none. */
  async fields<Name extends string>(names: readonly Name[], filter = ""): Promise<Record<Name, string>[]> {
    await this.stop();
    const columns = names.flatMap((name) => ["-e", name]);
    const options = ["-r", this.#file, "-T", "fields", ...columns];
    const text = await run("tshark", filter === "" ? options : [...options, "-Y", filter]);
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const values = line.split("\t");
        return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])) as Record<
          Name,
          string
        >;
      });
  }
}

let captures = 0;

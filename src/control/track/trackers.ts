import type { TrackedThings } from "../../config/tracking-config.js";
import type { TrackedFact } from "../../process/messages.js";
import type { Found } from "../../vrrp/tracking.js";
import type { ControlLog } from "../control.js";
import { TrackedFile } from "./tracked-file.js";
import { TrackedProcess } from "./tracked-process.js";
import { TrackedScript } from "./tracked-script.js";

/** Everything that the instances track, as this thread follows it: each change is told to the main thread. */
export class Trackers {
  private readonly all: readonly { start(): void | Promise<void>; stop(): void }[];

  /** `known`: what was found before, when this thread follows one that has died. */
  constructor(
    things: TrackedThings,
    known: readonly TrackedFact[],
    private readonly log: ControlLog,
    private readonly tell: (fact: TrackedFact) => void,
  ) {
    const before = (of: "script" | "process", name: string): Found => {
      const fact = known.find((one) => one.of === of && one.name === name);
      return fact === undefined || fact.of === "file" ? "unknown" : fact.found;
    };
    this.all = [
      ...things.scripts.map((config) => {
        const { name } = config;
        return new TrackedScript(config, before("script", name), (found, reason) =>
          this.note({ of: "script", name, found }, reason),
        );
      }),
      ...things.files.map((config) => {
        const { name } = config;
        const fact = known.find((one) => one.of === "file" && one.name === name);
        const value = fact?.of === "file" ? fact.value : null;
        return new TrackedFile(config, value, (value, reason) =>
          this.note({ of: "file", name, value }, reason),
        );
      }),
      ...things.processes.map((config) => {
        const { name } = config;
        return new TrackedProcess(config, before("process", name), (found, reason) =>
          this.note({ of: "process", name, found }, reason),
        );
      }),
    ];
  }

  start(): void {
    for (const tracker of this.all) void tracker.start();
  }

  stop(): void {
    for (const tracker of this.all) tracker.stop();
  }

  private note(fact: TrackedFact, reason: string): void {
    this.tell(fact);
    const { of, name } = fact;
    if (fact.of === "file") {
      this.log.info({ event: "tracked", file: name, value: fact.value, reason }, "tracked file has changed");
    } else {
      const level = fact.found === "down" ? "warn" : "info";
      this.log[level](
        { event: "tracked", [of]: name, found: fact.found, reason },
        `tracked ${of} is ${fact.found}`,
      );
    }
  }
}

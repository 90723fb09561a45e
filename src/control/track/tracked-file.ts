import { type FSWatcher, watch } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { TrackFileConfig } from "../../config/tracking-config.js";

/** For changes that no event tells: a folder that came late, a network file system. */
const readAgainMs = 1000;

/** Follows the number in a `vrrp_track_file`. */
export class TrackedFile {
  private value: number | null;
  private watcher: FSWatcher | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isReading = false;
  private readAgain = false;
  private isStopped = false;

  /** `known`: what the control thread before this one had read; then the file is not begun anew. */
  constructor(
    private readonly config: TrackFileConfig,
    private readonly known: number | null,
    private readonly tell: (value: number, reason: string) => void,
  ) {
    this.value = known;
  }

  async start(): Promise<void> {
    if (this.known === null) await this.begin();
    await this.read();
    if (this.isStopped) return;
    this.timer = setInterval(() => {
      this.watch();
      void this.read();
    }, readAgainMs);
    this.watch();
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer ?? undefined);
    this.watcher?.close();
  }

  private async begin(): Promise<void> {
    const { init, file } = this.config;
    if (init === null) return;
    try {
      await writeFile(file, `${init.value}\n`, { flag: init.overwrite ? "w" : "wx" });
    } catch {
      // It is there already, or cannot be made: reading tells.
    }
  }

  /** The folder, because a file that is replaced by a rename is another one. */
  private watch(): void {
    if (this.watcher !== null || this.isStopped) return;
    const name = basename(this.config.file);
    try {
      const watcher = watch(dirname(this.config.file), (_, changed) => {
        if (changed === null || changed === name) void this.read();
      });
      watcher.on("error", () => {
        watcher.close();
        this.watcher = null;
      });
      this.watcher = watcher;
    } catch {
      // The folder is not there yet.
    }
  }

  private async read(): Promise<void> {
    if (this.isReading) {
      this.readAgain = true;
      return;
    }
    this.isReading = true;
    do {
      this.readAgain = false;
      const { value, reason } = await this.readOnce();
      if (!this.isStopped && value !== this.value) {
        this.value = value;
        this.tell(value, reason);
      }
    } while (this.readAgain);
    this.isReading = false;
  }

  private async readOnce(): Promise<{ value: number; reason: string }> {
    try {
      const value = parseTrackFile(await readFile(this.config.file, "utf8"));
      return value === null ? { value: 0, reason: "it holds no number" } : { value, reason: "read" };
    } catch (error) {
      return { value: 0, reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** The number that a file begins with; null: none, or one beyond 32 bits. */
export function parseTrackFile(text: string): number | null {
  const match = /^\s*([+-]?\d{1,10})(?!\d)/.exec(text);
  if (match === null) return null;
  const value = Number(match[1]);
  return Math.abs(value) <= 2_147_483_647 ? value + 0 : null;
}

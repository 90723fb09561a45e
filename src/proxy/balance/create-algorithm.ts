import type { Balance } from "../../config/balance.js";
import type { Algorithm, Loads } from "./algorithm.js";
import { ConsistentHash } from "./consistent-hash.js";
import { First } from "./first.js";
import { hashText, randomFrom } from "./key-hash.js";
import { LeastConnections } from "./least-connections.js";
import { MapHash } from "./map-hash.js";
import { RandomChoices } from "./random-choices.js";
import { SmoothWeighted } from "./smooth-weighted.js";

export interface AlgorithmOptions {
  readonly balance: Balance;
  readonly hashType: "map-based" | "consistent";
  readonly serverNames: readonly string[];
  readonly loads: Loads;
  /** So that the threads' first requests do not all meet the same server, and each draws numbers of its own. */
  readonly threadIndex: number;
}

export function createAlgorithm(options: AlgorithmOptions): Algorithm {
  const { balance, serverNames, loads, threadIndex } = options;
  const servers = serverNames.length;
  if (balance === "leastconn") return new LeastConnections(servers, loads, threadIndex);
  if (balance === "first") return new First();
  if (typeof balance !== "string" && balance.by === "random")
    return new RandomChoices(balance.draws, loads, randomFrom(threadIndex));
  const turns = new SmoothWeighted(servers, threadIndex);
  if (balance === "roundrobin") return turns;
  return options.hashType === "consistent"
    ? new ConsistentHash(serverNames.map(hashText), turns)
    : new MapHash(turns);
}

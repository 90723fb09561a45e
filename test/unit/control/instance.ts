import type { VrrpStatus } from "../../../src/vrrp/status.js";

export function makeInstance(changes: Partial<VrrpStatus> = {}): VrrpStatus {
  return {
    name: "VI_1",
    interface: "eth1",
    virtualRouterId: 51,
    state: "BACKUP",
    sinceEpochMs: 1_795_403_400_000,
    reason: "a higher priority was heard from 192.168.33.80",
    priority: 100,
    basePriority: 100,
    contributions: [],
    advice: [],
    addresses: ["192.168.33.84/24"],
    partners: [{ address: "192.168.33.80", priority: 101, lastHeardEpochMs: 1_795_403_599_000 }],
    advertsSent: 0,
    advertsReceived: 200,
    drops: {},
    dropDetails: [],
    becameMaster: 0,
    master: "192.168.33.80 with priority 101: it is higher than 100 here",
    ifStopped: "nothing would move: 192.168.33.80 is master; it would have one backup less",
    drained: false,
    splitBrain: { active: false, sinceEpochMs: null, other: null, how: null, times: 0 },
    peerLink: null,
    ...changes,
  };
}

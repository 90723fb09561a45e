import t from "tap";
import { packetProperties } from "./packet-fuzz.js";

for (const { name, run } of packetProperties) {
  t.test(name, async () => run(4000));
}

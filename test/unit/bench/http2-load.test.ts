import t from "tap";
import { reportOf } from "../../../bench/http2-load.js";

const said = (failed: number, data: number, protocol = "h2"): string =>
  `starting benchmark...
Application protocol: ${protocol}

finished in 2.00s, 1.50 req/s, 1.2KB/s
requests: 5 total, 5 started, 3 done, 3 succeeded, ${failed} failed, 0 errored, 0 timeout
status codes: 3 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 2.4KB (2431) total, 104B (104) headers (space savings 85.88%), 1.8KB (${data}) data
`;
const log = "1000\t200\t30\n1010\t200\t10\n1020\t200\t20\n";

t.test("h2load's output and its log become what wrk's script says", async (t) => {
  t.match(reportOf(said(0, 1_836), log, 612, 2), {
    answers: 3,
    wrong: 0,
    bytes: 1_836,
    durationUs: 2_000_000,
    p50Us: 20,
    p99Us: 30,
    readErrors: 0,
  });
});

t.test("an answer with another status, or a body that is short, is wrong", async (t) => {
  t.match(reportOf(said(0, 1_836), log.replace("\t200\t10", "\t503\t10"), 612, 2), {
    wrong: 1,
    firstWrong: "status 503",
  });
  t.match(reportOf(said(0, 1_835), log, 612, 2), { wrong: 1, firstWrong: "1835 bytes in all" });
  t.match(reportOf(said(2, 1_836), log, 612, 2), { readErrors: 2 });
});

t.test("another protocol than HTTP/2 is no measurement", async (t) => {
  t.throws(() => reportOf(said(0, 1_836, "http/1.1"), log, 612, 2), /has not loaded over HTTP\/2/);
});

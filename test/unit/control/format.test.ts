import t from "tap";
import {
  describeBytes,
  describeCount,
  describeDuration,
  describeEndpoint,
  describeTime,
} from "../../../src/control/format.js";

t.test("durations show their two greatest units", async (t) => {
  t.equal(describeDuration(-5), "0 s");
  t.equal(describeDuration(59_999), "59 s");
  t.equal(describeDuration(192_000), "3 min 12 s");
  t.equal(describeDuration(3_723_000), "1 h 2 min");
  t.equal(describeDuration(90_000_000), "1 day 1 h");
  t.equal(describeDuration(200_000_000), "2 days 7 h");
});

t.test("bytes have decimal units and about three figures, without 1000 of any", async (t) => {
  t.equal(describeBytes(0), "0 B");
  t.equal(describeBytes(999), "999 B");
  t.equal(describeBytes(1_000), "1.0 kB");
  t.equal(describeBytes(99_949), "99.9 kB");
  t.equal(describeBytes(99_950), "100 kB");
  t.equal(describeBytes(999_499), "999 kB");
  t.equal(describeBytes(999_500), "1.0 MB");
  t.equal(describeBytes(5_000_000_000), "5.0 GB");
});

t.test("counts are grouped by thousands", async (t) => {
  t.equal(describeCount(999), "999");
  t.equal(describeCount(1_234_567), "1\u202f234\u202f567");
});

t.test("times are in UTC, endpoints have IPv6 in brackets", async (t) => {
  t.equal(describeTime(0), "1970-01-01 00:00:00 UTC");
  t.equal(describeEndpoint("10.0.0.1", 80), "10.0.0.1:80");
  t.equal(describeEndpoint("::1", 80), "[::1]:80");
});

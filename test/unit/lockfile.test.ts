import { readFileSync } from "node:fs";
import t from "tap";

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

t.test(
  "the lockfile has every optional package of every platform: npm ci refuses it otherwise",
  async (t) => {
    // npm leaves out the ones that its registry could not give when it wrote the file.
    const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) =>
          !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      ),
    );
    t.same(missing, []);
  },
);

t.test("the lockfile names no registry: everybody's own is asked", async (t) => {
  const resolved = Object.values(lock.packages).flatMap((entry) => entry.resolved ?? []);
  t.same(resolved, []);
});

import { parseVirtualAddress } from "../config/virtual-address.js";
import type { Draft, Place } from "./draft.js";
import { parseKeepalived, type Statement } from "./keepalived-parse.js";
import { globalReasons, instanceReasons, topReasons } from "./keepalived-words.js";
import { entries, isNumber, isTrue, StatementWriter } from "./keepalived-writer.js";
import { freeName, plainName } from "./names.js";

/** What an import of keepalived's file must know of the rest. */
export interface KeepalivedOptions {
  /** HAProxy's file comes along, so nothing called haproxy will run any more. */
  readonly withHaproxy: boolean;
}

/** Words of `global_defs` that are defaults of instances here. */
interface InstanceDefaults {
  readonly words: Map<string, { readonly value: string | number | boolean; readonly place: Place }>;
}

/** Carries a keepalived.conf over into `draft`. Pure, and never throws. */
export function importKeepalived(text: string, file: string, options: KeepalivedOptions, draft: Draft): void {
  new KeepalivedImport(file, options, draft).read(parseKeepalived(text));
}

class KeepalivedImport {
  private readonly defaults: InstanceDefaults = { words: new Map() };
  /** Names here of what is declared, by its section and its name there. */
  private readonly names = new Map<string, string>();
  /** Of the defaults, those that an instance has taken. */
  private readonly used = new Set<Place>();
  /** Scripts that only watched HAProxy. */
  private readonly needless = new Set<string>();

  private readonly writer: StatementWriter;

  constructor(
    file: string,
    private readonly options: KeepalivedOptions,
    private readonly draft: Draft,
  ) {
    this.writer = new StatementWriter(file, draft);
  }

  read(statements: readonly Statement[]): void {
    // keepalived takes blocks in any order; instances refer to what is declared behind them.
    const rank = ({ words: [word] }: Statement): number =>
      word === "global_defs" ? 0 : word === "vrrp_instance" ? 2 : word === "vrrp_sync_group" ? 3 : 1;
    for (const statement of statements.toSorted((a, b) => rank(a) - rank(b))) this.readTop(statement);
    for (const { place } of this.defaults.words.values()) {
      if (!this.used.has(place)) this.draft.note(place, "", "there is no instance for which it could count");
    }
  }

  private readTop(statement: Statement): void {
    const [word, name = "unnamed"] = statement.words;
    switch (word) {
      case "global_defs":
      case "global":
        for (const inner of statement.block ?? []) this.readGlobal(inner);
        this.writer.heading(statement, "global_defs");
        return;
      case "vrrp_script":
        this.readScript(statement, name);
        return;
      case "vrrp_track_file":
      case "track_file":
        this.readDeclared(statement, "vrrp_track_file", name, {
          file: "file",
          weight: "weight",
          init_file: "init_file",
        });
        return;
      case "vrrp_track_process":
      case "track_process":
        this.readDeclared(statement, "vrrp_track_process", name, {
          process: "process",
          full_command: "full_command",
          quorum: "quorum",
          weight: "weight",
          delay: "delay",
          fork_delay: "fork_delay",
          terminate_delay: "terminate_delay",
        });
        return;
      case "vrrp_instance":
        this.readInstance(statement, name);
        return;
      case "vrrp_sync_group":
        this.readGroup(statement, name);
        return;
      default:
        this.writer.skip(statement, reasonOf(topReasons, word, "Tandem has no such block"));
    }
  }

  private readGlobal(statement: Statement): void {
    const [word, ...rest] = statement.words;
    const path = ["global_defs"];
    const place = this.writer.place(statement);
    const listed = [...rest, ...(statement.block ?? []).flatMap(({ words }) => words)];
    switch (word) {
      case "router_id":
      case "lvs_id":
        this.writer.text([...path, "router_id"], rest, statement);
        return;
      case "notification_email":
        this.writer.list([...path, "notification_email"], statement, listed);
        return;
      case "notification_email_from":
      case "smtp_server":
      case "smtp_helo_name":
      case "script_user":
        this.writer.text([...path, word], rest, statement);
        return;
      case "smtp_connect_timeout":
        this.writer.number([...path, word], rest, statement);
        return;
      case "smtp_alert":
      case "smtp_alert_vrrp":
        this.writer.truth([...path, "smtp_alert"], rest, statement);
        return;
      case "notify_fifo":
      case "vrrp_notify_fifo":
        this.writer.text([...path, "notify_fifo"], rest.slice(0, 1), statement);
        return;
      case "notify_fifo_script":
      case "vrrp_notify_fifo_script":
        this.writer.command([...path, "notify_fifo_script"], statement);
        return;
      case "vrrp_version":
        this.remember("version", Number(rest[0]), place);
        return;
      case "vrrp_startup_delay":
        this.remember("startup_delay", Number(rest[0]), place);
        return;
      case "vrrp_garp_master_delay":
      case "vrrp_garp_master_repeat":
      case "vrrp_garp_master_refresh":
        this.remember(word.slice("vrrp_".length), Number(rest[0]), place);
        return;
      case "vrrp_notify_priority_changes":
        this.remember("notify_priority_changes", isTrue(rest[0]), place);
        return;
      case "default_interface":
        this.remember("interface", rest[0] ?? "", place);
        return;
      default:
        this.writer.skip(statement, reasonOf(globalReasons, word, "Tandem has no such word in global_defs"));
    }
  }

  private remember(word: string, value: string | number | boolean, place: Place): void {
    this.defaults.words.set(word, { value, place });
  }

  private readScript(statement: Statement, name: string): void {
    const script = statement.block?.find(({ words: [word] }) => word === "script");
    const command = script === undefined ? "" : script.words.slice(1).join(" ");
    if (
      this.options.withHaproxy &&
      /\b(killall|pidof|pgrep|systemctl|kill|ps|pid)\b.*haproxy|haproxy\.pid/.test(command)
    ) {
      this.needless.add(name);
      const reason = "HAProxy no longer runs: Tandem watches its own threads, sockets and servers (fitness:)";
      this.writer.skip(statement, reason);
      return;
    }
    this.readDeclared(statement, "vrrp_script", name, {
      script: "script",
      interval: "interval",
      timeout: "timeout",
      weight: "weight",
      rise: "rise",
      fall: "fall",
      user: "user",
      init_fail: "init_fail",
    });
  }

  /** A declared thing whose words are the same here. */
  private readDeclared(
    statement: Statement,
    section: string,
    name: string,
    known: Readonly<Record<string, string>>,
  ): void {
    const path = [section, this.declare(section, name)];
    for (const inner of statement.block ?? []) {
      const [word, ...rest] = inner.words;
      const target = Object.hasOwn(known, word) ? known[word] : undefined;
      if (target === undefined) this.writer.skip(inner, `${section} has no such word in Tandem`);
      else if (target === "init_fail" || target === "full_command")
        this.writer.truth([...path, target], rest, inner);
      else if (rest.length === 1 && isNumber(rest[0])) this.writer.number([...path, target], rest, inner);
      else this.writer.text([...path, target], rest, inner);
    }
    if (this.draft.has(path)) this.draft.join(path, this.writer.place(statement));
    else this.writer.skip(statement, "it says nothing that Tandem could use");
  }

  private declare(section: string, name: string): string {
    const known = `${section} ${name}`;
    const fresh = freeName(name, new Set(this.draft.keys([section])));
    this.names.set(known, fresh);
    return fresh;
  }

  private readInstance(statement: Statement, name: string): void {
    const plain = freeName(name, new Set(this.draft.keys(["vrrp"])));
    this.names.set(`vrrp ${name}`, plain);
    const path = ["vrrp", plain];
    for (const inner of statement.block ?? []) this.readInstanceWord(path, inner);
    for (const [word, { value, place }] of this.defaults.words) {
      this.used.add(place);
      if (this.draft.has([...path, word])) this.draft.join([...path, word], place);
      else this.draft.set([...path, word], value, place);
    }
    this.draft.join(path, this.writer.place(statement));
    if (plain !== name)
      this.draft.note(this.writer.place(statement), name, `the name is ${plain} in lb.yaml`);
  }

  private readInstanceWord(path: readonly string[], statement: Statement): void {
    const [word, ...rest] = statement.words;
    const place = this.writer.place(statement);
    switch (word) {
      case "interface":
      case "mcast_src_ip":
      case "unicast_src_ip":
        this.writer.text([...path, word], rest.slice(0, 1), statement);
        return;
      case "virtual_router_id":
      case "priority":
      case "advert_int":
      case "version":
      case "preempt_delay":
      case "garp_master_delay":
      case "garp_master_repeat":
      case "garp_master_refresh":
      case "unicast_ttl":
        this.writer.number([...path, word], rest, statement);
        return;
      case "nopreempt":
        this.draft.set([...path, "preempt"], false, place);
        return;
      case "preempt":
        this.draft.set([...path, "preempt"], true, place);
        return;
      case "vmac_xmit_base":
        this.draft.set([...path, word], true, place);
        return;
      case "accept":
        this.draft.set([...path, "accept"], true, place);
        return;
      case "no_accept":
        this.draft.set([...path, "accept"], false, place);
        return;
      case "use_vmac":
        if (rest[0] === undefined) this.draft.set([...path, "use_vmac"], true, place);
        else this.writer.text([...path, "use_vmac"], rest.slice(0, 1), statement);
        return;
      case "authentication":
        for (const { words, ...inner } of statement.block ?? []) {
          const at = { ...inner, words };
          if (words[0] === "auth_type") this.writer.text([...path, word, "auth_type"], words.slice(1), at);
          else if (words[0] === "auth_pass")
            this.writer.text([...path, word, "auth_pass"], words.slice(1), at);
          else this.writer.skip(at, "authentication has no such word in Tandem");
        }
        this.writer.heading(statement, "authentication", [...path, word]);
        return;
      case "virtual_ipaddress":
      case "virtual_ipaddress_excluded":
        this.readAddresses([...path, word], statement);
        return;
      case "virtual_routes":
      case "virtual_rules":
      case "unicast_peer":
        this.writer.lines([...path, word], statement);
        return;
      default:
        if (this.readShared(path, statement)) return;
        this.writer.skip(
          statement,
          reasonOf(instanceReasons, word, "Tandem has no such word in an instance"),
        );
    }
  }

  /** What instances and groups have in common. */
  private readShared(path: readonly string[], statement: Statement): boolean {
    const [word, ...rest] = statement.words;
    switch (word) {
      case "track_interface":
        this.writer.lines([...path, word], statement);
        return true;
      case "track_script":
      case "track_file":
      case "track_process":
        this.readTracked([...path, word], `vrrp_${word === "track_script" ? "script" : word}`, statement);
        return true;
      case "notify_master":
      case "notify_backup":
      case "notify_fault":
      case "notify_stop":
      case "notify":
        this.writer.command([...path, word], statement);
        return true;
      case "smtp_alert":
      case "notify_priority_changes":
        this.writer.truth([...path, word], rest, statement);
        return true;
      default:
        return false;
    }
  }

  private readGroup(statement: Statement, name: string): void {
    const path = ["vrrp_sync_group", freeName(name, new Set(this.draft.keys(["vrrp_sync_group"])))];
    for (const inner of statement.block ?? []) {
      const [word, ...rest] = inner.words;
      if (word === "group") {
        const members = [...rest, ...(inner.block ?? []).flatMap(({ words }) => words)];
        const names = members.map((member) => this.names.get(`vrrp ${member}`) ?? plainName(member));
        this.writer.list([...path, "group"], inner, names);
      } else if (!this.readShared(path, inner)) {
        this.writer.skip(inner, reasonOf(instanceReasons, word, "Tandem has no such word in a group"));
      }
    }
    if (this.draft.has(path)) this.draft.join(path, this.writer.place(statement));
    else this.writer.skip(statement, "it has no members");
  }

  private readAddresses(path: readonly string[], statement: Statement): void {
    for (const line of entries(statement)) {
      const text = line.words.join(" ");
      const result = parseVirtualAddress(text);
      if (result.ok) this.draft.set(path, [text], this.writer.place(line));
      else this.writer.skip(line, result.message);
    }
    this.writer.heading(statement, "virtual_ipaddress", path);
  }

  private readTracked(path: readonly string[], section: string, statement: Statement): void {
    for (const line of entries(statement)) {
      const [name, ...rest] = line.words;
      if (this.needless.has(name)) {
        this.writer.skip(line, "its script only watched HAProxy, which no longer runs");
        continue;
      }
      const known = this.names.get(`${section} ${name}`) ?? plainName(name);
      this.draft.set(path, [[known, ...rest].join(" ")], this.writer.place(line));
    }
    this.writer.heading(statement, path[path.length - 1], path);
  }
}

function reasonOf(reasons: Readonly<Record<string, string>>, word: string, otherwise: string): string {
  return Object.hasOwn(reasons, word) ? reasons[word] : otherwise;
}

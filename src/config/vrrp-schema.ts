import Type from "typebox";
import { closed, oneOrMore, plainText, seconds, text, truth, whole } from "./schema-words.js";
import { notifyWords, trackWords } from "./tracking-schema.js";

/** The shape of `vrrp:`, an instance each, and of `peer_link:`. */

export const vrrpSchema = Type.Object(
  {
    interface: text("an interface's name", "Interface that carries the adverts and the addresses."),
    virtual_router_id: whole(1, 255, "Number of the virtual router, the same on both nodes."),
    priority: whole(1, 255, "The higher one is master; 255 is for the owner of the address. Default 100."),
    version: whole(2, 3, "Version of VRRP, the same on both nodes. Default 2; IPv6 needs 3 and has it."),
    advert_int: seconds(
      "Time between adverts, the same on both nodes: whole seconds in version 2, 10ms to 40.95s in version 3. Default 1s.",
    ),
    v3_checksum_as_v2: truth(
      "Version 3: send the checksum of the message alone (RFC 9568), for a router that wants no pseudo-header. Both are understood. Default false.",
    ),
    preempt: truth("Whether a higher priority takes over from a living master. Default true."),
    authentication: Type.Optional(
      Type.Object(
        {
          auth_type: Type.Optional(
            Type.Enum(["PASS", "AH", "none"], {
              title: "PASS, AH or none",
              description:
                "RFC 2338: simple text, or an IP authentication header with HMAC-MD5. Version 2 only.",
            }),
          ),
          auth_pass: plainText("a password", "At most 8 characters count, as in keepalived."),
        },
        { ...closed, title: "auth_type and auth_pass" },
      ),
    ),
    virtual_ipaddress: oneOrMore(
      "an address such as 192.168.33.84/24",
      "The addresses that the master holds, all IPv4 or all IPv6; the same on both nodes. Behind one: dev, scope, label, brd, no_track.",
    ),
    virtual_ipaddress_excluded: oneOrMore(
      "an address such as 192.168.34.84/24 dev eth2",
      "Addresses that the master holds too, of either family, and that are not in the adverts.",
    ),
    virtual_routes: oneOrMore(
      "a route such as 10.0.0.0/8 via 192.168.33.1",
      "Routes that the master has, in the words of ip route; no_track: not put back.",
    ),
    virtual_rules: oneOrMore(
      "a rule such as from 192.168.33.84 table 100",
      "Routing rules that the master has, in the words of ip rule; no_track: not put back.",
    ),
    preempt_delay: seconds("How long a living master of lower priority is left in peace. Default 0s."),
    startup_delay: seconds("How long after the start nothing is done; as vrrp_startup_delay. Default 0s."),
    accept: truth(
      "Whether a master that is not the owner takes packets to the virtual addresses itself; false needs nft. Default true.",
    ),
    use_vmac: Type.Optional(
      Type.Union([Type.Boolean(), Type.String({ minLength: 1 })], {
        title: "true, false or an interface's name",
        description:
          "Whether adverts and addresses are on a macvlan with the virtual router's MAC, made for it; its name, default vrrp.ID. Default false.",
      }),
    ),
    vmac_xmit_base: truth(
      "With use_vmac: adverts go over the interface itself, and only the addresses are on the macvlan. Default false.",
    ),
    unicast_peer: oneOrMore(
      "an address such as 192.168.33.81",
      "The partners' addresses: adverts go to them instead of the multicast group, and are taken from them alone; IPv4: behind one, min_ttl and max_ttl.",
    ),
    unicast_ttl: whole(1, 255, "With unicast_peer: TTL or hop limit of the adverts. Default 255."),
    unicast_src_ip: text(
      "an address such as 192.168.33.80",
      "With unicast_peer: this node's source of adverts. Default: the interface's own address.",
    ),
    mcast_src_ip: text(
      "an address such as 192.168.33.80",
      "Without unicast_peer: this node's source of adverts. Default: the interface's own address.",
    ),
    lease: seconds("Lifetime that the kernel gives the addresses between two refreshes. Default 3s."),
    garp_master_repeat: whole(0, 100, "Gratuitous ARPs sent at once by a new master. Default 5."),
    garp_master_delay: seconds("When a new master repeats them; 0: never. Default 5s."),
    garp_master_refresh: seconds("How often a master repeats one for ever; 0: never. Default 60s."),
    partner_priority: whole(1, 254, "The partner's, so that `lb check` can say which weight is too small."),
    ...trackWords,
    ...notifyWords,
  },
  { ...closed, title: "a mapping with interface, virtual_router_id and virtual_ipaddress" },
);

export const peerLinkSchema = Type.Object(
  {
    key: plainText("a secret of at least 8 characters", "The secret that both nodes share."),
    key_file: text("an absolute path", "The file that holds the secret, instead of key."),
    port: whole(1, 65_535, "TCP port of the link, the same on both nodes. Default 3112."),
  },
  { ...closed, title: "a mapping with key or key_file, and port" },
);

export type VrrpShape = Type.Static<typeof vrrpSchema>;
export type PeerLinkShape = Type.Static<typeof peerLinkSchema>;

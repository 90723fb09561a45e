import Type from "typebox";
import { closed, milliseconds, oneOrMore, plainText, text, truth, whole } from "./schema-words.js";

/** The shape of `rules:` of a proxy, HAProxy's http-request. */

/** The words of a condition on a request. */
export const conditionWords = {
  host: oneOrMore("a host name such as www.example.org or *.example.org", "Host, in any case, without port."),
  method: oneOrMore("a method such as GET", "Method of the request."),
  path: oneOrMore("a path such as /login", "The whole path, without the query."),
  path_beg: oneOrMore("a path such as /api/", "What the path begins with."),
  path_end: oneOrMore("an end such as .php", "What the path ends with."),
  ssl_fc: truth("Whether the client came over TLS that ends here."),
  ssl_c_used: truth("Whether the client has shown a certificate there, which was verified."),
  req_ssl_sni: oneOrMore(
    "a host name such as www.example.org or *.example.org",
    "Mode tcp: the server's name in a TLS client's first message (SNI), in any case.",
  ),
  src: oneOrMore("an address or a network such as 10.0.0.0/8", "Where the client comes from."),
  hdr: Type.Optional(
    Type.Record(
      Type.String({ minLength: 1 }),
      Type.Union([Type.String(), Type.Array(Type.String()), Type.Literal(true)]),
      {
        title: "a mapping such as { X-Api-Key: [a, b] }",
        description: "Values of fields; true: the field is there.",
      },
    ),
  ),
};

const condition = Type.Object(conditionWords, {
  ...closed,
  title: "a mapping such as { path_beg: /admin }",
});

/** Fields of a request, or of a response, with their values. */
export function headers(description: string) {
  return Type.Record(Type.String({ minLength: 1 }), Type.Union([Type.String(), Type.Number()]), {
    title: "a mapping such as { X-Client: '%[src]' }",
    description,
  });
}

const ruleSchema = Type.Object(
  {
    if: Type.Optional(condition),
    unless: Type.Optional(condition),
    deny: whole(400, 599, "Refuses the request with this status."),
    redirect: Type.Optional(
      Type.Object(
        {
          location: text(
            "a place such as https://%[host]%[url]",
            "Where to; %[host], %[url], %[path], %[query] stand for the request's.",
          ),
          code: whole(301, 308, "301, 302, 303, 307 or 308. Default 302."),
        },
        { ...closed, title: "a mapping such as { location: 'https://%[host]%[url]', code: 301 }" },
      ),
    ),
    return: Type.Optional(
      Type.Object(
        {
          status: whole(200, 599, "Default 200."),
          content_type: text("a type such as text/plain", "Default text/plain; charset=utf-8."),
          body: plainText("a text", "Default: none."),
        },
        { ...closed, title: "a mapping such as { status: 200, body: ok }" },
      ),
    ),
    auth: Type.Optional(
      Type.Object(
        {
          realm: text("a name", "What the browser shows. Default: the proxy's name."),
          users: Type.Optional(
            Type.Record(
              Type.String({ minLength: 1 }),
              Type.Union([Type.String({ minLength: 1 }), Type.Number()]),
              {
                title: "a mapping of users to passwords",
                description: "Who may pass.",
              },
            ),
          ),
        },
        { ...closed, title: "a mapping such as { users: { admin: s3cret } }" },
      ),
    ),
    rate_limit: Type.Optional(
      Type.Object(
        {
          requests: whole(1, 1_000_000_000, "So many requests pass in any period."),
          per: milliseconds("The period. Default 1s."),
          by: text("src or hdr(name)", "Whose requests are counted together. Default src."),
          status: whole(400, 599, "What others get. Default 429."),
          keys: whole(8, 10_000_000, "Counters kept at once, 48 bytes each. Default 100000."),
        },
        { ...closed, title: "a mapping such as { requests: 20, per: 1s }" },
      ),
    ),
    set_header: Type.Optional(headers("Fields of the request that take the place of those that are there.")),
    add_header: Type.Optional(headers("Fields that join those that are there.")),
    del_header: oneOrMore("a field's name", "Fields of the request that the server does not get."),
    use_backend: text("a backend's name", "The backend, or the proxy, whose servers get the request."),
    set_path: text("a path such as /new", "Takes the place of the request's; the query stays."),
    replace_path: Type.Optional(
      Type.Object(
        {
          prefix: text("a path such as /old/", "What the path begins with."),
          with: text("a path such as /", "What stands there instead."),
        },
        { ...closed, title: "a mapping such as { prefix: /old/, with: /new/ }" },
      ),
    ),
  },
  { ...closed, title: "a mapping such as { if: { path_beg: /admin }, deny: 403 }" },
);

export const rulesSchema = Type.Optional(
  Type.Array(ruleSchema, {
    title: "a list of rules such as { if: { path_beg: /admin }, deny: 403 }",
    description: "What is done with requests, in this order.",
  }),
);

export type RuleShape = Type.Static<typeof ruleSchema>;
export type ConditionShape = Type.Static<typeof condition>;

import Type from "typebox";
import { type AddressRange, parseAddressRange } from "./address-range.js";
import { type Context, each } from "./context.js";
import { quote } from "./problem.js";
import { checkFieldName } from "./rule-section.js";
import { closed, oneOrMore, text, truth } from "./schema-words.js";
import type { Path } from "./source.js";

/** HAProxy's `option forwardfor`, where it is not as it is without a word: whose requests carry the client's address, and in which field. */
export interface ForwardForConfig {
  /** Requests from there go on without it. */
  readonly except: readonly AddressRange[];
  /** Requests that have the field already go on as they are. */
  readonly ifNone: boolean;
  readonly header: string;
}

export const defaultForwardForHeader = "X-Forwarded-For";

export const forwardForSchema = Type.Optional(
  Type.Union(
    [
      Type.Boolean(),
      Type.Object(
        {
          except: oneOrMore(
            "an address or a network such as 127.0.0.0/8",
            "Requests of clients from there go on without the field. Default: none.",
          ),
          if_none: truth("Requests that have the field already go on as they are. Default false."),
          header: text("a field's name such as X-Client-IP", "The field. Default X-Forwarded-For."),
        },
        closed,
      ),
    ],
    {
      title: "true, false, or a mapping such as { except: 127.0.0.0/8 }",
      description:
        "Servers hear the client's address in X-Forwarded-For, behind what the request has there. Default true.",
    },
  ),
);

type ForwardForShape = Type.Static<typeof forwardForSchema>;

/** Reads `forwardfor:`; undefined: as without a word, null: no field is added. */
export function readForwardFor(
  path: Path,
  shape: ForwardForShape | undefined,
  context: Context,
): ForwardForConfig | null | undefined {
  if (shape === false) return null;
  if (shape === undefined || shape === true) return undefined;
  const except: AddressRange[] = [];
  for (const [at, value] of each([...path, "except"], shape.except)) {
    const range = parseAddressRange(value);
    if (range !== null) except.push(range);
    else context.problem(at, `${quote(value)} is no address or network`, "write, for example, 127.0.0.0/8");
  }
  const header = shape.header ?? defaultForwardForHeader;
  if (shape.header !== undefined) checkFieldName([...path, "header"], header, "value", context);
  const ifNone = shape.if_none === true;
  return except.length === 0 && !ifNone && header === defaultForwardForHeader
    ? undefined
    : { except, ifNone, header };
}

/** As the file has it. */
export function writeForwardFor(config: ForwardForConfig | null): object | false {
  if (config === null) return false;
  const { except, ifNone, header } = config;
  return {
    ...(except.length > 0 && { except: except.map(({ text }) => text) }),
    ...(ifNone && { if_none: true }),
    ...(header !== defaultForwardForHeader && { header }),
  };
}

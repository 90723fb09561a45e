import Type from "typebox";

/** The kinds of words that `lb.yaml` is made of, for the schemas of its sections. */

export const closed = { additionalProperties: false } as const;

export function text(title: string, description: string) {
  return Type.Optional(Type.String({ title, description, minLength: 1 }));
}

/** Text that users often write as a bare number (`auth_pass: 1111`): its source is taken, so `0123` stays `0123`. */
export function plainText(title: string, description: string) {
  return Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Number()], { title, description }));
}

export function whole(minimum: number, maximum: number, description: string) {
  const title = `a whole number from ${minimum} to ${maximum}`;
  return Type.Optional(Type.Integer({ title, description, minimum, maximum }));
}

export function truth(description: string) {
  return Type.Optional(Type.Boolean({ title: "true or false", description }));
}

/** keepalived's words count seconds when the unit is left out. */
export function seconds(description: string) {
  const title = "a time such as 1s or 500ms (a bare number counts seconds, as in keepalived)";
  return Type.Optional(Type.Union([Type.Number(), Type.String()], { title, description }));
}

/** HAProxy's words count milliseconds when the unit is left out. */
export function milliseconds(description: string) {
  const title = "a time such as 5s or 500ms (a bare number counts milliseconds, as in HAProxy)";
  return Type.Optional(Type.Union([Type.Number(), Type.String()], { title, description }));
}

export function oneOrMore(title: string, description: string) {
  return Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String({ title }))], {
      title: `${title}, or a list of them`,
      description,
    }),
  );
}

/** Names go into logs, into `show stat` and onto the command line: HAProxy's letters, and so many. */
export function named<Value extends Type.TSchema>(value: Value, title: string, description: string) {
  const name = Type.String({ pattern: "^[A-Za-z0-9_.:-]{1,64}$" });
  return Type.Optional(Type.Record(name, value, { ...closed, title, description }));
}

/** What fields of HTTP/2 are made of (RFC 9113 §8.2.1), read as text of one character a byte. Pure. */

/** A name: a token without capitals. */
export const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Anything that cannot stand in a value where HTTP/1.1 follows. */
export const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

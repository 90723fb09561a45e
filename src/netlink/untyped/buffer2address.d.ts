/** buffer2address 0.0.2: where a Buffer's bytes lie. Only what `speaker-socket.ts` uses. */
declare module "buffer2address" {
  const addressing: {
    /** The address of the first byte. It is valid as long as the Buffer is alive. */
    buffer2address(buffer: Uint8Array): bigint;
  };
  export default addressing;
}

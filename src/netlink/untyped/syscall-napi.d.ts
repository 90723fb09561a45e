/** syscall-napi 0.0.6: one Linux system call from JavaScript. Only what `system-calls.ts` uses. */
declare module "syscall-napi" {
  interface SystemCall {
    /** Runs the call on this thread. Throws an Error whose message is the C library's `strerror` text; the errno is lost. */
    sync(number: bigint, ...args: (bigint | Uint8Array)[]): bigint;
  }
  /** System call numbers of this architecture; empty on one that the package does not know. */
  type SystemCallNumbers = { readonly [name: `__NR_${string}`]: bigint | undefined };

  const sys: SystemCallNumbers & { readonly syscall: SystemCall };
  export default sys;
}

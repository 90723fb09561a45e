/** Shows of tap's output the files, their tests, figures that a test prints, and everything about a failure. */
export class TapView {
  /** tap's own count of assertions, or null while it has not come. */
  totals = null;
  #inFailure = false;
  #inDiagnosis = false;

  line(text) {
    const count = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(text);
    if (count !== null) this.totals = { passed: Number(count[1] ?? 0), failed: Number(count[2] ?? 0) };
    const result = /^( *)(not )?ok \d+/.exec(text);
    if (result !== null) {
      this.#inFailure = result[2] !== undefined;
      this.#inDiagnosis = false;
      if (this.#inFailure || result[1].length <= 4) console.log(text);
      return;
    }
    // What a test has measured and does not judge.
    const figures = /^ *# (figures: .*)$/.exec(text);
    if (figures !== null) console.log(`    ${figures[1]}`);
    if (!this.#inFailure) return;
    if (/^ *---$/.test(text)) this.#inDiagnosis = true;
    if (this.#inDiagnosis) console.log(text);
    if (/^ *\.\.\.$/.test(text)) this.#inDiagnosis = false;
  }
}

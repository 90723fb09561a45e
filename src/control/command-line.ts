/**
 * The stats socket's line, as HAProxy reads it: commands parted by `;`, words parted by blanks, and a backslash
 * that takes the next character as it is.
 *
 * `line` comes without its newline; a carriage return before it is dropped. An empty command has no words.
 */
export function parseCommandLine(line: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = () => {
    if (word !== null) words.push(word);
    word = null;
  };
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\" && i + 1 < text.length) {
      i++;
      word = (word ?? "") + text[i];
    } else if (character === ";") {
      endWord();
      commands.push(words);
      words = [];
    } else if (character === " " || character === "\t") {
      endWord();
    } else {
      word = (word ?? "") + character;
    }
  }
  endWord();
  commands.push(words);
  return commands;
}

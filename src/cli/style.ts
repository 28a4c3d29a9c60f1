/** Colours only where somebody looks: a terminal, and no NO_COLOR. */
const enabled = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === ''

const paint = (code: number) => (text: string) => (enabled ? `\x1b[${code}m${text}\x1b[0m` : text)

export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)

/** Every line is at most this long, unless one word is longer. */
export const WIDTH = 100

export function verdictWord(verdict: 'accept' | 'reject' | 'inconclusive'): string {
  if (verdict === 'accept') return green('ACCEPT')
  return verdict === 'reject' ? red('REJECT') : yellow('INCONCLUSIVE')
}

export function layerWord(verdict: 'accept' | 'reject' | 'inconclusive'): string {
  if (verdict === 'accept') return green('PASS')
  return verdict === 'reject' ? red('FAIL') : yellow('OPEN')
}

/** Controls, invisible and reordering characters: what a terminal acts on, or what a reader cannot see. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu
const escaped = (c: string): string => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`

/** Text that somebody else wrote, such as a file's name, made safe to print. Nothing is cut. */
export const safe = (text: string): string => text.replace(UNSAFE, escaped)

/** `safe` for text of several lines. */
export const safeLines = (text: string): string => text.split('\n').map(safe).join('\n')

/** JSON in ASCII: the same value, and no character that a terminal could act on. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[\x7f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Length of what is seen: colours take no room. */
export const visible = (text: string): number => [...text.replace(/\x1b\[\d+m/g, '')].length

export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - visible(text)))

/**
 * Breaks at spaces so that no line is longer than `width` columns, and words that are longer than a line by themselves. The
 * first line begins with `indent`, later ones with `hanging`.
 */
export function wrap(text: string, indent: string, width = WIDTH, hanging = indent): string {
  const lines: string[] = []
  let line = indent
  let isEmpty = true
  for (const word of text.split(' ').flatMap((w) => pieces(w, width - visible(hanging)))) {
    if (!isEmpty && visible(line) + 1 + visible(word) > width) {
      lines.push(line)
      line = hanging + word
    } else line = isEmpty ? line + word : `${line} ${word}`
    isEmpty = false
  }
  lines.push(line)
  return lines.join('\n')
}

/** A word in pieces that fit; one with colours in it is ours, and short. */
function pieces(word: string, width: number): readonly string[] {
  if (visible(word) <= width || word.includes('\x1b')) return [word]
  const characters = [...word]
  return Array.from({ length: Math.ceil(characters.length / width) }, (_, i) =>
    characters.slice(i * width, (i + 1) * width).join(''),
  )
}

/** Short pieces with two spaces between them, broken only between pieces where that is possible. */
export function flow(pieces: readonly string[], start: string, width = WIDTH): string {
  const hanging = ' '.repeat(visible(start))
  const lines: string[] = []
  let line = start
  for (const [i, piece] of pieces.entries()) {
    if (i > 0 && visible(line) + 2 + visible(piece) > width) {
      lines.push(line)
      line = wrap(piece, hanging, width)
    } else line = i === 0 ? wrap(piece, start, width, hanging) : `${line}  ${piece}`
  }
  return [...lines, line].join('\n')
}

/** Enough of a reader of TypeScript to tell code from comments, strings and regular expressions. */

interface Token {
  readonly kind: 'code' | 'string' | 'comment'
  readonly text: string
}

const REGEX_AFTER =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>])\s*$|(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)\s*$/

const PIECES: readonly (readonly [Token['kind'], RegExp])[] = [
  ['comment', /\/\/[^\n]*/y],
  ['comment', /\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^'\\\n]|\\[\s\S])*'/y],
  ['string', /"(?:[^"\\\n]|\\[\s\S])*"/y],
]
const REGEX = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y

function tokens(source: string): Token[] {
  const out: Token[] = []
  /** for each open template: how many braces are open in the expression that is being read */
  const templates: number[] = []
  let code = ''
  let at = 0
  const push = (kind: Token['kind'], text: string): void => {
    if (code !== '') out.push({ kind: 'code', text: code })
    code = ''
    out.push({ kind, text })
    at += text.length
  }
  const template = (): void => {
    const end = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y
    end.lastIndex = at
    const [text = ''] = end.exec(source) ?? []
    push('string', text)
    if (text.endsWith('${')) templates.push(0)
  }
  while (at < source.length) {
    const piece = PIECES.map(([kind, pattern]) => ({ kind, text: matchAt(pattern, source, at) })).find(
      (p) => p.text !== undefined,
    )
    const character = source[at] ?? ''
    const before = code === '' ? (out.at(-1)?.kind === 'string' ? 'x' : '') : code
    if (piece?.text !== undefined) push(piece.kind, piece.text)
    else if (character === '/' && REGEX_AFTER.test(before) && matchAt(REGEX, source, at) !== undefined) {
      push('string', matchAt(REGEX, source, at) ?? '/')
    } else if (character === '`') {
      push('string', '`')
      template()
    } else if (character === '}' && templates.at(-1) === 0) {
      templates.pop()
      push('string', '}')
      template()
    } else {
      const open = templates.length - 1
      if (open >= 0 && character === '{') templates[open] = (templates[open] ?? 0) + 1
      if (open >= 0 && character === '}') templates[open] = (templates[open] ?? 0) - 1
      code += character
      at++
    }
  }
  if (code !== '') out.push({ kind: 'code', text: code })
  return out
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** The source with comments removed and every string and regular expression emptied. */
export const codeOnly = (source: string): string =>
  tokens(source)
    .map((t) => (t.kind === 'code' ? t.text : t.kind === 'string' ? "''" : ' '))
    .join('')

export interface Import {
  readonly specifier: string
  /** nothing of it is left at run time */
  readonly typeOnly: boolean
  readonly names: readonly string[]
}

/** Imports and re-exports, static and dynamic. */
export function importsOf(source: string): Import[] {
  const all = tokens(source).filter((t) => t.kind !== 'comment')
  return all.flatMap((token, i): Import[] => {
    if (token.kind !== 'string' || !/^['"]/.test(token.text)) return []
    const specifier = token.text.slice(1, -1)
    const before = all[i - 1]?.text ?? ''
    if (/(?:^|[^\w$.])import\s*(?:\(\s*)?$/.test(before)) return [{ specifier, typeOnly: false, names: [] }]
    const clause = /(?:^|[;\n}])\s*(?:import|export)\s+(type\s+)?([^;]*?)\s*\bfrom\s*$/.exec(before)
    if (clause === null) return []
    const [, type, what = ''] = clause
    const members = /\{([\s\S]*)\}/
      .exec(what)?.[1]
      ?.split(',')
      .map((m) => m.trim())
      .filter((m) => m !== '')
    const allTypes =
      members !== undefined && members.length > 0 && /^\s*\{/.test(what) && members.every((m) => m.startsWith('type '))
    return [
      {
        specifier,
        typeOnly: type !== undefined || allTypes,
        names: (members ?? []).map((m) => m.replace(/^type\s+/, '').split(/\s+as\s+/)[0] ?? ''),
      },
    ]
  })
}

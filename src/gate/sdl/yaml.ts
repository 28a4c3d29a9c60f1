import type { Alias, CST, Document, LineCounter, Node, Pair, ParsedNode } from 'yaml'
import type { Json } from '../../core/json.ts'
import { pointer } from '../../core/json.ts'
import { attemptAsync, type Outcome, refuse } from '../../core/outcome.ts'

const MOST_CHARACTERS = 64 * 1024
const MOST_LEVELS = 32
/** Words, marks, white space and line ends as the lexer cuts them; each costs a kilobyte once it is composed. */
const MOST_LEXEMES = 6144
/** Aliases count with everything that they stand for. */
const MOST_VALUES = 8192
const MOST_CHARACTERS_READ = 4 * MOST_CHARACTERS

/**
 * Reads one YAML 1.2 document whose meaning does not depend on the reader: core schema, no tags, no directives, no merge keys,
 * no key twice, text as keys. At most 64 KiB, 6144 lexemes and 32 levels; 8192 values and 256 KiB once aliases are
 * followed. A fault says where and of which sort, never what the text is: it may hold a secret.
 * @returns the value, in objects without prototype, or SDL_UNREADABLE
 */
export function parseYaml(text: string): Promise<Outcome<Json>> {
  return attemptAsync(async () => {
    if (text.length > MOST_CHARACTERS)
      refuse('SDL_UNREADABLE', '', { expected: `at most ${MOST_CHARACTERS} characters`, actual: text.length })
    const yaml = await import('yaml')
    const lines = new yaml.LineCounter()
    let lexemes = 0
    for (const _ of new yaml.Lexer().lex(text)) {
      if (++lexemes > MOST_LEXEMES) refuse('SDL_UNREADABLE', '', { expected: `at most ${MOST_LEXEMES} lexemes` })
    }
    const tokens = [...new yaml.Parser(lines.addNewLine).parse(text)]
    checkDepth(tokens, lines)
    const composer = new yaml.Composer({
      ...{ version: '1.2', schema: 'core', strict: true, merge: false, resolveKnownTags: false },
      // Checked by the reader below, in one pass.
      uniqueKeys: false,
    })
    const [document, ...more] = [...composer.compose(tokens, true, text.length)]
    if (document === undefined || more.length > 0)
      return refuse('SDL_UNREADABLE', '', { expected: 'one document', actual: more.length === 0 ? 0 : more.length + 1 })
    const [wrong] = [...document.errors, ...document.warnings]
    if (wrong !== undefined)
      refuse('SDL_UNREADABLE', `line ${lines.linePos(wrong.pos[0]).line}`, {
        expected: 'strict YAML',
        actual: wrong.code,
      })
    if (document.directives?.yaml.explicit === true) refuse('SDL_UNREADABLE', '', { expected: 'no directive' })
    return new Reader(yaml, lines).value(document.contents, '', 1)
  })
}

/** The composer calls itself for every level, so depth is bounded before. */
function checkDepth(tokens: readonly CST.Token[], lines: LineCounter): void {
  const open: { readonly token: CST.Token; readonly level: number }[] = tokens.map((token) => ({ token, level: 0 }))
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, level } = next
    if (level > MOST_LEVELS) {
      refuse('SDL_UNREADABLE', `line ${lines.linePos(token.offset).line}`, {
        expected: `at most ${MOST_LEVELS} levels`,
      })
    }
    if (token.type === 'document' && token.value !== undefined) open.push({ token: token.value, level })
    if (!('items' in token)) continue
    for (const { key, value } of token.items) {
      for (const inner of [key, value]) if (inner != null) open.push({ token: inner, level: level + 1 })
    }
  }
}

type Yaml = typeof import('yaml')

class Reader {
  readonly #yaml: Yaml
  readonly #lines: LineCounter
  readonly #anchors = new Map<string, Node>()
  #left = MOST_VALUES
  #characters = MOST_CHARACTERS_READ

  constructor(yaml: Yaml, lines: LineCounter) {
    this.#yaml = yaml
    this.#lines = lines
  }

  value(node: Document['contents'] | undefined, path: string, level: number): Json {
    if (node == null) return null
    const refused = (expected: string): never => refuse('SDL_UNREADABLE', this.#place(node, path), { expected })
    if (level > MOST_LEVELS) refused(`at most ${MOST_LEVELS} levels`)
    if (this.#left-- === 0) refused(`at most ${MOST_VALUES} values`)
    if (this.#yaml.isAlias(node)) return this.value(this.#target(node, path), path, level + 1)
    if ('tag' in node && node.tag !== undefined) refused('no tag')
    if ('anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (this.#yaml.isMap(node)) return this.#object(node.items, path, level)
    if (this.#yaml.isSeq(node))
      return node.items.map((item, i) => this.value(item as Node | null, pointer(path, i), level + 1))
    const scalar = this.#yaml.isScalar(node) ? node.value : undefined
    if (typeof scalar === 'string') {
      this.#characters -= scalar.length
      return this.#characters < 0 ? refused(`at most ${MOST_CHARACTERS_READ} characters`) : scalar
    }
    if (scalar === null || typeof scalar === 'boolean') return scalar
    if (typeof scalar === 'number' && Number.isFinite(scalar)) return scalar
    return refused('text, a number, true, false or null')
  }

  #object(pairs: readonly Pair[], path: string, level: number): Json {
    const object: Record<string, Json> = Object.create(null)
    for (const { key, value } of pairs) {
      const refused = (expected: string): never =>
        refuse('SDL_UNREADABLE', this.#place(key as Node | null, path), { expected })
      if (!this.#yaml.isScalar(key) || key.tag !== undefined || key.anchor !== undefined)
        return refused('text as a key')
      // `1` and `"1"` are the same key to whoever reads names.
      const name = typeof key.value === 'number' ? (key.source ?? '') : key.value
      if (typeof name !== 'string') return refused('text as a key')
      if (name === '<<') refused('no merge key')
      if (Object.hasOwn(object, name)) refused('no key twice')
      object[name] = this.value(value as Node | null, pointer(path, name), level + 1)
    }
    return object
  }

  /** Only what stands before it can be meant, so a plain map of what was read so far serves. */
  #target(alias: Alias, path: string): Node {
    return (
      this.#anchors.get(alias.source) ??
      refuse('SDL_UNREADABLE', this.#place(alias as ParsedNode, path), { expected: 'an anchor before its alias' })
    )
  }

  #place(node: Node | null, path: string): string {
    const [start] = node?.range ?? []
    return start === undefined ? path : `line ${this.#lines.linePos(start).line}`
  }
}

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOnly, importsOf } from './source-reader.ts'

const SRC = resolve('src')
const ROOMS = ['core', 'attestation', 'policy', 'decision', 'selftest'] as const

interface Source {
  /** path below src, e.g. `core/der.ts` */
  readonly path: string
  readonly text: string
}

const sourcesBelow = (folder: string): Source[] =>
  readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path: join(folder, path), text: readFileSync(join(SRC, folder, path), 'utf8') }))

const PURE = ROOMS.flatMap(sourcesBelow)
const ALL = sourcesBelow('.')

/** What the pure zone may not reach for, by any name it has in Node or a browser. A member called so is no offence. */
const FORBIDDEN: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['Buffer', /(?<![.\w$])Buffer\b/],
  ['process', /(?<![.\w$])process\b(?!\s*:)/],
  [
    'the clock',
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bnew\s+Date\b(?!\s*\()|(?<![.\w$]|new\s)Date\s*\(|(?<![.\w$])performance\b/,
  ],
  ['randomness', /\bMath\s*\.\s*random\b|\bgetRandomValues\b|\brandomUUID\b/],
  ['the network', /(?<![.\w$])(fetch|XMLHttpRequest|WebSocket|EventSource)\b/],
  ['a log', /(?<![.\w$])console\b/],
  ['a timer', /(?<![.\w$])(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['the global object', /(?<!typeof\s)(?<![.\w$])(globalThis|window|self|global)\s*[.[]/],
  ['global cryptography', /(?<![.\w$#])crypto\s*\.\s*(subtle|getRandomValues|randomUUID)\b/],
  ['the module’s place', /\bimport\s*\.\s*meta\b|(?<![.\w$])(require\s*\(|__dirname\b|__filename\b)/],
  ['code from text', /(?<![.\w$])eval\s*\(|\bnew\s+Function\b/],
  ['the locale', /\btoLocale\w*|\blocaleCompare\b|(?<![.\w$])Intl\b/],
  ['X509Certificate', /\bX509Certificate\b/],
]

const offences = (source: Source): string[] => {
  const code = codeOnly(source.text)
  return FORBIDDEN.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${source.path}: ${what}`)
}

const NODE_PORT = join('core', 'crypto', 'node.ts')

/** Packages that a room may use (ARCHITECTURE §8); core uses none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: [],
  attestation: ['libxml2-wasm', '@noble/curves/nist.js'],
  policy: ['ajv', 'jose'],
  selftest: [],
  decision: ['jose', '@noble/curves/secp256k1.js', '@noble/hashes/legacy.js', '@noble/hashes/sha2.js'],
}

/** Folders of the kinds, and who shares what. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  nvidia: ['nvidia-gpu', 'nvidia-switch'],
  dcap: ['tdx', 'sgx'],
}
const KINDS: ReadonlySet<string> = new Set([
  ...['sev-snp', 'tdx', 'sgx', 'nvidia-gpu', 'nvidia-switch', 'tpm', 'azure-cvm', 'nitro', 'cca', 'tokens'],
  ...Object.keys(SHARED),
])

/** The kinds' common ground: what a kind may import beside itself. The registry and the envelopes know the kinds, not the other way round. */
const COMMON: ReadonlySet<string> = new Set([
  ...['claims.ts', 'collateral.ts', 'evidence.ts', 'kind.ts', 'challenge.ts', 'event-log'],
  ...['collateral-rules.ts', 'preference.ts', 'chain-revocation.ts'],
])

/** What the policy knows of attestation: the vocabulary, as types. */
const VOCABULARY: ReadonlySet<string> = new Set(
  ['claims.ts', 'evidence.ts', 'kind.ts'].map((file) => join('attestation', file)),
)

/** Why `path` may not import `specifier`, or undefined where it may. */
function trespass(path: string, specifier: string, typeOnly: boolean): string | undefined {
  const [room = ''] = path.split('/')
  if (!specifier.startsWith('.')) {
    if (specifier.startsWith('node:')) return path === NODE_PORT && specifier === 'node:crypto' ? undefined : 'node'
    return PACKAGES[room]?.includes(specifier) ? undefined : 'package'
  }
  const target = relative(SRC, resolve(SRC, dirname(path), specifier))
  const [targetRoom = '', targetFolder = ''] = target.split('/')
  if (targetRoom === 'core') return undefined
  switch (room) {
    case 'core':
      return 'core imports core alone'
    case 'attestation':
      return targetRoom === 'attestation' ? trespassOfKind(path, targetFolder) : 'attestation imports core and itself'
    case 'policy':
      if (targetRoom === 'policy') return undefined
      if (!VOCABULARY.has(target)) return 'policy imports core and the vocabulary'
      return typeOnly ? undefined : 'policy imports types of the vocabulary'
    case 'decision':
      return ['attestation', 'policy', 'decision'].includes(targetRoom)
        ? undefined
        : 'decision imports core, attestation and policy'
    case 'selftest':
      return ['attestation', 'policy', 'decision', 'selftest'].includes(targetRoom)
        ? undefined
        : 'selftest imports core, attestation, policy, decision and itself'
    default:
      return 'not a pure room'
  }
}

function trespassOfKind(path: string, targetFolder: string): string | undefined {
  const [, folder = ''] = path.split('/')
  if (!KINDS.has(folder) || folder === targetFolder) return undefined
  if (SHARED[targetFolder]?.includes(folder) === true || COMMON.has(targetFolder)) return undefined
  return KINDS.has(targetFolder) ? 'a kind imports another kind' : 'a kind imports what knows the kinds'
}

const trespasses = (source: Source): string[] =>
  importsOf(source.text).flatMap(({ specifier, typeOnly }) => {
    const why = trespass(source.path, specifier, typeOnly)
    return why === undefined ? [] : [`${source.path} → ${specifier}: ${why}`]
  })

const MINT = /(?<![.\w$])authentic\s*(?:<[^()]*>)?\s*\(/

describe('the pure zone', () => {
  it('has the rooms', () => {
    expect(ROOMS.filter((room) => !PURE.some(({ path }) => path.startsWith(`${room}/`)))).toEqual([])
    expect(PURE.length).toBeGreaterThan(30)
  })

  it('reaches for nothing outside its arguments', () => {
    expect(PURE.filter(({ path }) => path !== NODE_PORT).flatMap(offences)).toEqual([])
  })

  it('imports node:crypto in one place, and there nothing else', () => {
    const node = PURE.filter(({ text }) => importsOf(text).some(({ specifier }) => specifier.startsWith('node:')))
    expect(node.map(({ path }) => path)).toEqual([NODE_PORT])
    expect(offences(PURE.find(({ path }) => path === NODE_PORT) ?? { path: '', text: '' })).toEqual([
      `${NODE_PORT}: Buffer`,
    ])
  })

  it('keeps to its rooms', () => {
    expect(PURE.flatMap(trespasses)).toEqual([])
  })

  it('imports by full path, so that every runtime finds it', () => {
    const relativeOnes = PURE.flatMap(({ path, text }) => importsOf(text).map(({ specifier }) => ({ path, specifier })))
    expect(relativeOnes.filter(({ specifier }) => specifier.startsWith('.') && !specifier.endsWith('.ts'))).toEqual([])
  })
})

describe('what evidence needs from the vendors', () => {
  const needs = sourcesBelow(join('collateral', 'needs'))

  it('is worked out from its bytes alone', () => {
    expect(needs.length).toBeGreaterThan(3)
    expect(needs.flatMap(offences)).toEqual([])
    const targets = needs.flatMap(({ path, text }) =>
      importsOf(text).map(({ specifier }) => relative(SRC, resolve(SRC, dirname(path), specifier))),
    )
    const allowed = /^(core|attestation|collateral\/needs)\/|^collateral\/objects\.ts$/
    expect(targets.filter((target) => !allowed.test(target))).toEqual([])
  })
})

describe('weights', () => {
  it('import core, whole files and themselves, and of Node no network', () => {
    const imported = sourcesBelow('weights').flatMap(({ path, text }) =>
      importsOf(text).map(({ specifier }) => ({ path, specifier })),
    )
    const strangers = imported.filter(({ path, specifier }) => {
      if (specifier.startsWith('node:'))
        return /^node:(net|tls|http|https|http2|dgram|dns|child_process)\b/.test(specifier)
      const [room = ''] = relative(SRC, resolve(SRC, dirname(path), specifier)).split('/')
      return !specifier.startsWith('.') || !['core', 'files', 'weights'].includes(room)
    })
    expect(strangers).toEqual([])
    expect(imported.length).toBeGreaterThan(50)
  })
})

describe('authentic values', () => {
  it('are minted in the kinds’ verify.ts alone, in the whole of src', () => {
    const mint = ALL.filter(({ text }) => MINT.test(codeOnly(text))).map(({ path }) => path)
    expect(mint.filter((path) => !/^attestation\/[a-z-]+\/verify\.ts$/.test(path))).toEqual([])
    const importers = ALL.filter(({ text }) =>
      importsOf(text).some(({ specifier, names }) => specifier.endsWith('/kind.ts') && names.includes('authentic')),
    )
    expect(importers.map(({ path }) => path).filter((path) => !mint.includes(path))).toEqual([])
    expect(
      ALL.filter(({ text }) => /\bas\s+(unknown\s+as\s+)?Authentic\b/.test(codeOnly(text))).map(({ path }) => path),
    ).toEqual([join('attestation', 'kind.ts')])
  })
})

describe('the checks above can fail', () => {
  const found = (text: string) => offences({ path: 'x', text }).length > 0

  it.each([
    ...[
      'Buffer.from(a)',
      'process.env.X',
      'Date.now()',
      'const d = new Date()',
      'new Date( )',
      'new Date',
      'Date()',
      'Math.random()',
    ],
    ...[
      'fetch(url)',
      'console.log(1)',
      'setTimeout(f, 1)',
      'globalThis.crypto.subtle',
      'crypto.subtle.digest(a)',
      'window.x',
    ],
    ...[
      'performance.now()',
      "eval('1')",
      'new Function(a)',
      'a.localeCompare(b)',
      'import.meta.url',
      'require(x)',
      'Intl.Collator',
    ],
    ...[
      `\`\${Date.now()}\``,
      '/* a */ Date.now()',
      "'' + Date.now()",
      'const r = /"/\nDate.now()',
      `\`a\${\`b\${fetch(x)}\`}\``,
    ],
  ])('finds %j', (text) => {
    expect(found(text)).toBe(true)
  })

  it.each([
    ...[
      "'Date.now()'",
      '"process.env"',
      '`the process`',
      '// console.log',
      '/* Buffer */',
      'new Date(ms)',
      'ArrayBuffer',
      'x.process',
    ],
    ...[
      'const r = /Buffer/',
      'Date.UTC(1, 2)',
      'type S = typeof globalThis.crypto.subtle',
      'this.#crypto.verify(a)',
      '/[/]Date.now()/',
    ],
    ...['type X = { process: string }', 'new TextDecoder()', 'options.crypto', '{ require: 1 }', 'policy.require(a)'],
  ])('lets %j pass', (text) => {
    expect(found(text)).toBe(false)
  })

  it.each([
    ['core/x.ts', "import { a } from '../attestation/kind.ts'"],
    ['core/x.ts', "import { a } from 'jose'"],
    ['core/x.ts', "import { a } from 'node:fs'"],
    ['core/crypto/node.ts', "import { a } from 'node:fs'"],
    ['core/x.ts', "export * from '../policy/policy.ts'"],
    ['core/x.ts', "const a = await import('../decision/judge.ts')"],
    ['core/x.ts', "import '../testing/pki/der.ts'"],
    ['attestation/sev-snp/x.ts', "import { a } from '../nvidia-gpu/decode.ts'"],
    ['attestation/sev-snp/x.ts', "import type { A } from '../nvidia/spdm.ts'"],
    ['attestation/sev-snp/x.ts', "import { a } from '../registry.ts'"],
    ['attestation/nvidia/x.ts', "import { a } from '../nvidia-gpu/decode.ts'"],
    ['attestation/nvidia-gpu/x.ts', "import { a } from '../nvidia-switch/decode.ts'"],
    ['attestation/x.ts', "import { a } from '../policy/policy.ts'"],
    ['policy/x.ts', "import { isCpuKind } from '../attestation/evidence.ts'"],
    ['policy/x.ts', "import { type A, b } from '../attestation/claims.ts'"],
    ['policy/x.ts', "import type { A } from '../attestation/collateral.ts'"],
    ['policy/x.ts', "import type { A } from '../decision/decision.ts'"],
    ['decision/x.ts', "import { a } from '../gate/gate.ts'"],
  ])('%s: %s', (path, text) => {
    expect(trespasses({ path, text })).toHaveLength(1)
  })

  it.each([
    ['core/x509/x.ts', "import { a } from '../der.ts'"],
    ['core/crypto/node.ts', "import { a } from 'node:crypto'"],
    ['attestation/nvidia-gpu/x.ts', "import {\n  a,\n  type B,\n} from '../nvidia/spdm.ts'"],
    ['attestation/sev-snp/x.ts', "import type { A } from '../claims.ts'"],
    ['policy/x.ts', "import type { A } from '../attestation/claims.ts'"],
    ['policy/x.ts', "import { type A, type B } from '../attestation/claims.ts'"],
    ['decision/x.ts', "import { a } from '../policy/policy.ts'"],
    ['core/x.ts', "// import { a } from 'node:fs'\nconst t = \"import x from 'node:fs'\""],
  ])('but not %s: %s', (path, text) => {
    expect(trespasses({ path, text })).toEqual([])
  })

  it('knows a mint when it sees one', () => {
    expect(['authentic(x)', 'authentic<Claims>(x)', 'return authentic (x)'].every((t) => MINT.test(t))).toBe(true)
    expect(['inauthentic(x)', 'x.authentic(y)', 'const authentic = <T>(value: T)'].some((t) => MINT.test(t))).toBe(
      false,
    )
  })
})
